//! The proxy before a small server, and the real server once.

#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod fault_proxy;
mod http;
mod mlflow_server;
