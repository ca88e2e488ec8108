//! YAML as PyYAML reads and writes it.
//!
//! Reading is left to a library, named in `read.rs` only. Writing is our own, because no library in reach writes
//! what `yaml.safe_dump(value, default_flow_style=False)` writes, and PyYAML reads YAML 1.1, in which `no` is
//! false and `012` is ten: the writer quotes exactly what PyYAML quotes.

mod read;
mod resolve;
mod scalar;
mod write;

pub(crate) use read::read;
pub(crate) use write::{dump, dump_unsorted};
