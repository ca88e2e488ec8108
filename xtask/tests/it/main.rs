//! The corpora of the fuzz targets, run as ordinary tests.

mod corpus;
#[path = "../../../crates/fuzz/targets.rs"]
mod targets;
