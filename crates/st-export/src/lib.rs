//! Writes a transformer checkpoint as an ONNX graph, in pure Rust: no Python, no torch, no protoc.
//!
//! [`export()`] takes a folder with `config.json` and safetensors, and writes `model.onnx`; [`export_bytes`]
//! keeps it in memory; [`GraphCache`] exports once and finds the graph again by the digest of all that it was
//! made of. A [`Head`] puts pooling and normalisation into the graph, so that only `[batch, dim]` leaves the
//! runtime. `st-model` decides which head a model folder asks for and hands the graph to ONNX Runtime.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use st_core::PoolingMode;
//! use st_export::{ExportOptions, GraphCache, Head, Quantization, export};
//!
//! let folder = Path::new("all-MiniLM-L6-v2");
//! let head = Head::new([PoolingMode::Mean]).with_normalize(true);
//!
//! let exported = export(folder, Some(&head), Path::new("onnx"), &ExportOptions::default())?;
//! for value in exported.inputs.iter().chain(&exported.outputs) {
//!     println!("{value}"); // input_ids: int64[batch, sequence]
//! }
//!
//! let cached = GraphCache::new("graphs").get_or_export(folder, Some(&head), Quantization::None)?;
//! println!("{} {:?}", cached.path.display(), cached.state);
//! # Ok::<(), st_export::Error>(())
//! ```
//!
//! Inside, a checkpoint becomes a graph in three steps. An architecture (one file each, put together from
//! blocks) builds an [`ir::Graph`]: operators as an enum with typed attributes, weights under their names in
//! the checkpoint, so that a gradient, a fusion or a quantisation is a pass over it. The weights that it
//! names are looked up in the [`checkpoint`] and checked: none missing, none left over, none of another
//! shape, none that is not finite. With [`Quantization::Int8`] a pass rewrites the linear layers. Then [`onnx`] writes it, streaming the weights, so that memory does not
//! grow with the model.
//!
//! [`onnx`] also reads: [`onnx::open_header`] judges an ONNX file of someone else before a runtime sees it.
//!
//! It refuses to run a model, to read a pickle, to drop a weight silently, and to leave half a file behind.

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
mod passes;
mod publish;
mod stages;

pub use architectures::{Family, RefusedFamily, families, refused_families};
pub use cache::{CacheState, CachedGraph, GraphCache};
pub use digest::{file_digest, weights_digest};
pub use error::Error;
pub use export::{ExportOptions, Exported, Quantization, WeightPlacement, export, export_bytes};
pub use head::{Cnn, Dense, DenseActivation, Feature, Head, Lstm, ModuleWeights, Numbers, Stage, Task};
pub use ir::{Dim, ElementType, ValueInfo};
