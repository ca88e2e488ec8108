//! The command itself: what it prints, what it writes, what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod bad_input;
mod broken_models;
mod cache;
mod calibrate;
mod doctor;
mod encode;
mod environment;
mod facts;
mod fast;
mod faults;
mod hints;
mod hub;
mod import;
mod interrupted;
mod kinds;
mod long_text;
mod mlflow;
mod models;
mod onnx_flavor;
mod rerank;
mod runs;
mod runtime;
mod search;
mod sparse_files;
mod support;
mod vectors;
