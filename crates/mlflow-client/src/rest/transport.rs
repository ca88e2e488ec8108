//! A request becomes an answer: the seam between the protocol and the HTTP library.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use mlflow_types::Method;
use url::Url;

use crate::BoxError;

/// Sends one request and waits for the head of its answer.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request once. Redirects are answers like any other; the caller decides about them.
    ///
    /// # Errors
    /// Only when no answer came at all; a 4xx or 5xx is an answer.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;

    /// The same on connections of its own, for use on another runtime; nothing if it may be used on any.
    fn separate(&self) -> Option<Arc<dyn Transport>> {
        None
    }
}

/// A request as it goes over the wire. Its `Debug` shows no header's value and no query.
#[derive(Clone)]
pub struct HttpRequest {
    /// The verb.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: HttpBody,
}

/// The body of a request; it can be sent again from its beginning. Its `Debug` shows no content.
#[derive(Clone, Default)]
pub enum HttpBody {
    /// None.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// A part of a file, read as it is sent.
    File {
        /// The file.
        path: PathBuf,
        /// Where the part begins, in bytes.
        offset: u64,
        /// How long it is, in bytes.
        length: u64,
    },
}

/// The head of an answer, with its body still to come.
pub struct HttpResponse {
    /// HTTP's status.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, piece by piece.
    pub body: BoxStream<'static, Result<Bytes, BoxError>>,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.after_sending { "the connection broke before an answer came" } else { "no connection" })]
pub struct TransportError {
    /// Whether the server may have seen the request.
    pub after_sending: bool,
    /// Whether another attempt would end as this one: the two sides do not agree on TLS.
    pub lasting: bool,
    /// The HTTP library's words.
    #[source]
    pub source: BoxError,
}

/// The file of a request's body cannot be read: another attempt will not help.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot read", path.display())]
pub struct UnreadableBody {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: std::io::Error,
}

impl HttpBody {
    /// How long it is, in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.length())
    }
}

impl HttpResponse {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// An answer whose body is here already.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status, headers, body: futures::stream::once(async move { Ok(body) }).boxed() }
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`TransportError`] when it breaks off or is longer than `limit` bytes.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, TransportError> {
        let broken = |source: BoxError| TransportError { after_sending: true, lasting: false, source };
        let mut whole = Vec::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece.map_err(broken)?;
            if whole.len() + piece.len() > limit {
                return Err(broken(TooLong { limit }.into()));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }

    /// The first bytes of the body, up to `limit`; all that came, if it breaks off.
    pub(super) async fn beginning(&mut self, limit: usize) -> Bytes {
        let mut beginning = Vec::new();
        while let Some(Ok(piece)) = self.body.next().await {
            let room = limit.saturating_sub(beginning.len());
            beginning.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if piece.len() >= room {
                break;
            }
        }
        beginning.into()
    }

    pub(super) async fn in_memory(mut self, limit: usize) -> Result<Self, TransportError> {
        let body = self.bytes(limit).await?;
        Ok(Self::new(self.status, self.headers, body))
    }
}

/// A body longer than anything that a call answers.
#[derive(Debug, thiserror::Error)]
#[error("the answer is longer than {limit} bytes")]
pub(crate) struct TooLong {
    limit: usize,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: HttpBody::Empty }
    }
}
