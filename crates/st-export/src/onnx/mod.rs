//! The ONNX file format: writing our own graphs, judging those of others.

mod header;
mod problem;

pub use header::{ExternalLocation, GraphHeader, InitializerHeader, open_header, read_header};
pub use problem::OnnxProblem;
