//! The ONNX file format: writing our own graphs, judging those of others.
//!
//! A file of someone else is hostile until [`read_header`] has gone through it: its external data must be
//! plain names of regular files beside it, its operators must be ones that ONNX Runtime brings along, and its
//! sizes must agree with its bytes. Only then should the file be handed to a runtime.

mod bytes;
mod header;
mod judge;
mod messages;
mod problem;
mod proto;
mod release;
mod scan;
mod wire;
mod write;

pub use header::{ExternalLocation, GraphHeader, InitializerHeader, open_header, read_header};
pub use problem::OnnxProblem;
pub(crate) use write::{FILE_LIMIT, Plan, Sink};
