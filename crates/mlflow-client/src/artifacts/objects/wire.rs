//! The library's requests over our own HTTP.
//!
//! The library signs a request and knows what an answer means; in between, a [`Session`] without credentials of its own
//! carries it with the patience, the certificates, the proxies and the time limits of everything else. A signature stays
//! good for a quarter of an hour, longer than any patience.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use http_body::{Body, Frame};
use mlflow_types::{Method, Repeat};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequestBody, HttpResponseBody, HttpService,
};
use url::Url;

use super::refusal::{carry, refused};
use crate::rest::{
    HttpBody, HttpRequest, HttpResponse, HttpTransport, LONGEST_REFUSAL, Session, Transport, TransportError,
};
use crate::settings::{HttpSettings, Proxies, Tls, Verify};
use crate::{BoxError, Error, Result};

/// The status of an answer that sends us elsewhere: a signature is good for one host and one region only.
const MISDIRECTED: u16 = 421;

/// The way to an object store, and to those who tell who we are there.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    location: String,
    session: Session,
    /// The machine's own metadata service answers at once, or is not there.
    metadata: Session,
}

impl Wire {
    /// A way to the store at `location`, whose certificate is checked as `tls` says.
    pub(super) fn new(location: &str, settings: &HttpSettings, verify: Verify) -> Result<Self> {
        let tls = Tls { verify, client_certificate: None };
        let mut own = HttpSettings { tls, ..settings.clone() };
        let session = session(&own)?;
        own.connect_timeout = Duration::from_secs(1);
        own.retry.max_retries = own.retry.max_retries.min(1);
        own.proxies = Proxies::default();
        Ok(Self { location: location.to_owned(), session, metadata: session_of_machine(&own)? })
    }

    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse> {
        let secrets = secrets(&request);
        let session = if is_metadata(&request.url) { &self.metadata } else { &self.session };
        // What begins an upload leaves parts behind if it runs twice; how one ends is looked up.
        let repeat = if request.method == Method::Post { Repeat::AfterLooking } else { Repeat::Freely };
        let response = session.execute(&self.location, request, repeat).await?;
        match response.status {
            // The library knows what these mean.
            status if status < 400 || status == 412 => Ok(response),
            status => {
                let words = words(response).await;
                let words = secrets.iter().fold(words, |words, secret| words.replace(secret, "[secret]"));
                Err(refused(&self.location, status, &words))
            }
        }
    }
}

fn session(settings: &HttpSettings) -> Result<Session> {
    let transport = Arc::new(Direct(HttpTransport::new(settings)?));
    // No credentials belong to the session, so it needs no address to keep them to.
    let nowhere = Url::parse("https://object-store.invalid")
        .map_err(|error| Error::Uri { uri: String::new(), problem: error.to_string() })?;
    Ok(Session::new(transport, nowhere).with_http(settings))
}

fn session_of_machine(settings: &HttpSettings) -> Result<Session> {
    session(&HttpSettings { idle_timeout: Duration::from_secs(5), ..settings.clone() })
}

/// Requests as the library wrote them: nothing is added, and no redirect is followed.
#[derive(Debug)]
struct Direct(HttpTransport);

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut request = request.clone();
        request.headers.retain(|(name, _)| !name.starts_with("x-mlflow-"));
        let mut response = self.0.send(&request).await?;
        if matches!(response.status, 301 | 302 | 303 | 307 | 308) {
            response.status = MISDIRECTED;
        }
        Ok(response)
    }
}

async fn words(mut response: HttpResponse) -> String {
    let body = response.bytes(LONGEST_REFUSAL).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&body).into_owned();
    match response.header("x-amz-bucket-region") {
        Some(region) if response.status == MISDIRECTED => {
            format!("<Code>WrongRegion</Code><Message>the bucket is in {region}; set AWS_REGION</Message>")
        }
        _ => words,
    }
}

/// Addresses that only the machine itself can ask.
fn is_metadata(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_link_local(),
        Some(url::Host::Domain(name)) => matches!(name, "metadata" | "metadata.google.internal"),
        _ => false,
    }
}

/// Everything in a request that proves who we are; some servers quote requests.
fn secrets(request: &HttpRequest) -> Vec<String> {
    let is_secret = |name: &str| {
        matches!(name, "authorization" | "x-amz-security-token" | "x-aws-ec2-metadata-token")
            || name.ends_with("customer-key")
    };
    let headers = request.headers.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone());
    let tokens = headers.clone().filter_map(|value| Some(value.split_once(' ')?.1.to_owned()));
    let is_secret = |name: &str| {
        matches!(
            name,
            "sig"
                | "X-Amz-Security-Token"
                | "client_secret"
                | "client_assertion"
                | "refresh_token"
                | "assertion"
                | "WebIdentityToken"
        )
    };
    let query = request.url.query().unwrap_or_default();
    let form = match &request.body {
        HttpBody::Bytes(bytes) if bytes.len() < LONGEST_REFUSAL => bytes.as_ref(),
        _ => &[],
    };
    let mut fields = Vec::new();
    for text in [query.as_bytes(), form] {
        for (name, value) in url::form_urlencoded::parse(text) {
            if is_secret(&name) {
                fields.extend([
                    value.to_string(),
                    url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
                ]);
            }
        }
    }
    headers.chain(tokens).chain(fields).filter(|secret| secret.len() >= 4).collect()
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(
        &self,
        request: http::Request<HttpRequestBody>,
    ) -> Result<http::Response<HttpResponseBody>, HttpError> {
        let request = outgoing(request).await.map_err(|source| unwritable(&self.location, source))?;
        let response = self.execute(request).await.map_err(carry)?;
        let mut incoming = http::Response::builder().status(response.status);
        for (name, value) in &response.headers {
            incoming = incoming.header(name, value);
        }
        let body = HttpResponseBody::new(Incoming(Mutex::new(response.body)));
        incoming.body(body).map_err(|error| HttpError::new(HttpErrorKind::Decode, error))
    }
}

fn unwritable(location: &str, source: BoxError) -> HttpError {
    carry(Error::Encode { route: location.to_owned(), source })
}

/// A request in our terms. Its body is in memory anyway, mostly in one piece, which is not copied.
async fn outgoing(request: http::Request<HttpRequestBody>) -> Result<HttpRequest, BoxError> {
    let (parts, mut body) = request.into_parts();
    let method = match parts.method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::DELETE => Method::Delete,
        other => return Err(format!("{other} is never sent").into()),
    };
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        headers.push((name.as_str().to_owned(), value.to_str()?.to_owned()));
    }
    let (mut first, mut more) = (None, BytesMut::new());
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(piece) = frame?.into_data() else { continue };
        match &first {
            None => first = Some(piece),
            Some(_) => more.extend_from_slice(&piece),
        }
    }
    let body = match first {
        Some(first) if more.is_empty() => HttpBody::Bytes(first),
        Some(first) => HttpBody::Bytes([first.as_ref(), &more].concat().into()),
        // Stores want to be told the length of nothing, too.
        None if matches!(method, Method::Put | Method::Post) => HttpBody::Bytes(Bytes::new()),
        None => HttpBody::Empty,
    };
    let mut url = Url::parse(&parts.uri.to_string())?;
    // A space may be written in two ways, and only this one is the same everywhere. A plus itself is escaped already.
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    Ok(HttpRequest { method, url, headers, body })
}

/// The body of an answer. The library wants to share it between threads, which nobody does.
struct Incoming(Mutex<BoxStream<'static, Result<Bytes, BoxError>>>);

impl Body for Incoming {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let body = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context).map(|piece| {
            piece.map(|piece| {
                piece
                    .map(Frame::data)
                    .map_err(|source| HttpError::new_boxed(HttpErrorKind::Interrupted, source))
            })
        })
    }
}
