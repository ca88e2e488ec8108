//! Integration tests: a stand-in of the hub on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not marked as tests")]

mod attacks;
mod cache;
mod download;
mod network;
mod refusals;
mod support;
mod tls;
