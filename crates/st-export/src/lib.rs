//! Writes a transformer checkpoint as an ONNX graph, in pure Rust.

mod cache;
pub mod checkpoint;
mod error;
mod export;
mod head;
pub mod ir;
pub mod onnx;

pub use cache::{CacheState, CachedGraph, GraphCache};
pub use error::Error;
pub use export::{ExportOptions, Exported, WeightPlacement, export, export_bytes};
pub use head::Head;
pub use ir::{Dim, ElementType, ValueInfo};
