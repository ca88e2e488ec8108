//! The machine's load, as metrics below `system/`, with the names and units of Python's MLflow.

mod machine;
mod sampler;

pub(crate) use sampler::Sampler;
pub use sampler::SystemMetricsOptions;
