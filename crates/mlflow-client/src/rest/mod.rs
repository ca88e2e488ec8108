//! A tracking server over HTTP.

mod session;
mod transport;

pub use session::Session;
pub use transport::{HttpBody, HttpRequest, HttpResponse, Transport, TransportError};
