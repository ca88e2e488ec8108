//! The proxy before a small server, and the real server once.

mod fault_proxy;
mod http;
mod mlflow_server;
