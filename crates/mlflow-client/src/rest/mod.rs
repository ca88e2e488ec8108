//! A tracking server over HTTP.
//!
//! From the outside in: [`RestStore`] has a method for every call, [`Session`] knows the server's address, who we are and
//! how patient we are, and a [`Transport`] carries one request. [`HttpTransport`] is the real one; tests write their own.

mod accounts;
mod ask;
mod careful;
mod clock;
mod created;
mod cuts;
mod decode;
mod encode;
mod http;
mod identity;
mod named;
mod patience;
mod points;
mod probe;
mod registry;
mod rows;
#[cfg(test)]
mod scripted;
mod session;
#[cfg(feature = "aws-sigv4")]
mod sigv4;
mod store;
mod tracking;
mod transport;
mod webhooks;

pub use clock::{Clock, SystemClock};
#[cfg(feature = "__objects")]
pub(crate) use decode::LONGEST_REFUSAL;
pub(crate) use decode::refusal;
pub use http::HttpTransport;
pub use identity::Identity;
pub(crate) use patience::Patience;
pub use probe::ServerReport;
pub use session::Session;
pub use store::RestStore;
pub use transport::{HttpBody, HttpRequest, HttpResponse, Transport, TransportError, UnreadableBody};
