//! The seam: what a tracking server does, as two traits.

mod registry;
mod tracking;

pub use registry::RegistryStore;
pub use tracking::TrackingStore;
