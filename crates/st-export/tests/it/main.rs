//! Integration tests, one topic a module; every checkpoint is made here, with random weights.

#![expect(clippy::unwrap_used, reason = "clippy does not see that helpers of tests are tests")]

mod cache;
mod checkpoint;
mod config;
mod destination;
mod fixture;
mod graph;
mod header;
mod hostile;
mod quantized;
