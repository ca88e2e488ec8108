//! Writes a transformer checkpoint as an ONNX graph, in pure Rust.

mod architectures;
mod blocks;
mod cache;
pub mod checkpoint;
mod digest;
mod error;
mod export;
mod file_name;
mod head;
pub mod ir;
mod json;
mod lfs;
pub mod onnx;
mod publish;

pub use cache::{CacheState, CachedGraph, GraphCache};
pub use error::Error;
pub use export::{ExportOptions, Exported, WeightPlacement, export, export_bytes};
pub use head::Head;
pub use ir::{Dim, ElementType, ValueInfo};
