//! Weights on disk.

mod header;

pub use header::{HeaderProblem, SafetensorsHeader, TensorEntry, read_safetensors_header};
