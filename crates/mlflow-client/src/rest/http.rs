//! The HTTP library: the only file that names `reqwest`.

use std::error::Error as _;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use mlflow_types::Method;
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Identity, NoProxy, Proxy, redirect};
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio::time::Instant;
use tokio_util::io::ReaderStream;
use url::{Host, Url};

use super::transport::{HttpBody, HttpRequest, HttpResponse, Transport, TransportError, UnreadableBody};
use crate::settings::{HttpSettings, Proxies, StoreUri, Tls, Verify};
use crate::{BoxError, Error, Result};

/// Bytes of a file that are in memory at a time.
const PIECE: usize = 256 << 10;

/// HTTP/1.1 and HTTP/2 over TCP and TLS.
#[derive(Debug)]
pub struct HttpTransport {
    /// Connections without TLS, where no proxy needs any.
    plain: Option<Plain>,
    /// All others. To read the system's certificates takes some 30 ms: that waits for somebody who needs them.
    secure: OnceLock<Client>,
    settings: HttpSettings,
    guard: Option<Guard>,
}

/// Whether an address that a name stands for may be connected to.
pub(crate) type Guard = fn(IpAddr) -> bool;

impl HttpTransport {
    /// Prepares connections; none is opened yet.
    ///
    /// # Errors
    /// [`Error::File`] for a certificate that cannot be read, [`Error::Setting`] for one that is none, or a proxy that is
    /// none.
    pub fn new(settings: &HttpSettings) -> Result<Self> {
        Self::build(settings, None)
    }

    /// The same, to names that stand for addresses which `guard` lets pass. Addresses that are written out, and names that a
    /// proxy looks up, are not its business.
    pub(crate) fn guarded(settings: &HttpSettings, guard: Guard) -> Result<Self> {
        Self::build(settings, Some(guard))
    }

    fn build(settings: &HttpSettings, guard: Option<Guard>) -> Result<Self> {
        let transport = Self { plain: None, secure: OnceLock::new(), settings: settings.clone(), guard };
        if settings.proxies.is_any() || !settings.tls.is_default() {
            // What cannot be read or understood is told now, not at the first request.
            transport.secure()?;
            return Ok(transport);
        }
        Ok(Self { plain: Some(Plain::new(|| transport.connections())?), ..transport })
    }

    /// The connections for an address.
    fn client(&self, url: &Url) -> Result<&Client> {
        match &self.plain {
            Some(plain) if url.scheme() == "http" => Ok(plain.to(url)),
            _ => self.secure(),
        }
    }

    fn secure(&self) -> Result<&Client> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let builder = tls(self.connections(), &self.settings.tls)?;
        let builder = proxies(builder, &self.settings.proxies)?;
        let client = builder.build().map_err(|error| wrong("HTTP", error))?;
        Ok(self.secure.get_or_init(|| client))
    }

    fn connections(&self) -> ClientBuilder {
        let builder = connections(&self.settings);
        let Some(guard) = self.guard else { return builder };
        let proxies = self.settings.proxies.addresses();
        let proxies = proxies.iter().filter_map(Url::host_str).map(str::to_owned).collect();
        builder.dns_resolver(Arc::new(Guarded { guard, proxies }))
    }
}

/// Names as the system has them, without the addresses that the guard holds back.
struct Guarded {
    guard: Guard,
    /// The user's own, which may be anywhere.
    proxies: Vec<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = if self.proxies.iter().any(|host| host == name.as_str()) { |_| true } else { self.guard };
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let passed: Vec<SocketAddr> = found.filter(|address| guard(address.ip())).collect();
            if passed.is_empty() {
                return Err(format!("{} stands for no address that may be asked", name.as_str()).into());
            }
            Ok(Box::new(passed.into_iter()) as _)
        })
    }
}

/// Connections without TLS.
#[derive(Debug)]
struct Plain {
    /// To this machine: each request opens one of its own. MLflow's server writes the head of an answer and its body apart,
    /// and sends the body when the head is acknowledged, which systems put off by 40 ms on a connection that is in use for
    /// a while. To open one takes a tenth of a millisecond here.
    near: Client,
    far: Client,
}

impl Plain {
    fn new(connections: impl Fn() -> ClientBuilder) -> Result<Self> {
        let build = |builder: ClientBuilder| {
            let client = builder.tls_certs_only([]).no_proxy().build();
            client.map_err(|error| wrong("HTTP", error))
        };
        Ok(Self { near: build(connections().pool_max_idle_per_host(0))?, far: build(connections())? })
    }

    fn to(&self, url: &Url) -> &Client {
        if is_this_machine(url) { &self.near } else { &self.far }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// How connections are kept.
fn connections(settings: &HttpSettings) -> ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_max_idle_per_host(settings.pool_size)
        .tcp_keepalive(settings.keep_alive.map(|probes| probes.idle))
        .tcp_keepalive_interval(settings.keep_alive.map(|probes| probes.interval))
        .tcp_keepalive_retries(settings.keep_alive.map(|probes| probes.count))
}

fn tls(builder: ClientBuilder, settings: &Tls) -> Result<ClientBuilder> {
    let builder = match &settings.verify {
        Verify::System => builder,
        Verify::Nothing => builder.tls_danger_accept_invalid_certs(true),
        Verify::Authorities(path) => {
            let bundle = Certificate::from_pem_bundle(&read(path)?);
            let bundle = bundle.map_err(|error| wrong("MLFLOW_TRACKING_SERVER_CERT_PATH", error))?;
            if bundle.is_empty() {
                let problem = format!("{} holds no certificate", path.display());
                return Err(Error::Setting { setting: "MLFLOW_TRACKING_SERVER_CERT_PATH".into(), problem });
            }
            builder.tls_certs_only(bundle)
        }
    };
    let Some(path) = &settings.client_certificate else { return Ok(builder) };
    let identity = Identity::from_pem(&read(path)?);
    Ok(builder.identity(identity.map_err(|error| wrong("MLFLOW_TRACKING_CLIENT_CERT_PATH", error))?))
}

/// The library would look at the environment by itself; it gets what the settings say instead.
fn proxies(builder: ClientBuilder, settings: &Proxies) -> Result<ClientBuilder> {
    // To the library `*` is every name, but no address.
    if settings.except.iter().any(|hosts| hosts.split(',').any(|host| host.trim() == "*")) {
        return Ok(builder.no_proxy());
    }
    let except = || settings.except.as_deref().and_then(NoProxy::from_string);
    let mut builder = builder.no_proxy();
    let add = |setting: &str, uri: &StoreUri, proxy: fn(String) -> reqwest::Result<Proxy>| {
        let proxy = proxy(uri.expose().to_owned()).map_err(|error| wrong(setting, error))?;
        Ok::<_, Error>(proxy.no_proxy(except()))
    };
    if let Some(uri) = &settings.http {
        builder = builder.proxy(add("HTTP_PROXY", uri, Proxy::http)?);
    }
    if let Some(uri) = &settings.https {
        builder = builder.proxy(add("HTTPS_PROXY", uri, Proxy::https)?);
    }
    Ok(builder)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), action: "read", source })
}

fn wrong(setting: &str, error: reqwest::Error) -> Error {
    // The innermost cause says what is wrong; the layers above say only that something is.
    let error = error.without_url();
    let mut problem = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        problem = cause.to_string();
        source = cause.source();
    }
    Error::Setting { setting: setting.to_owned(), problem }
}

#[async_trait]
impl Transport for HttpTransport {
    fn separate(&self) -> Option<Arc<dyn Transport>> {
        // It was made from the same settings before; if a certificate has gone since, what is open still works.
        Self::build(&self.settings, self.guard).ok().map(|transport| Arc::new(transport) as _)
    }

    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let progress = Progress::new();
        let client = self.client(&request.url);
        let client = client.map_err(|error| TransportError { lasting: true, ..answerless(error, false) })?;
        let outgoing = outgoing(client, request, &progress).await?;
        let sent = within(client.execute(outgoing), &progress, self.settings.idle_timeout).await;
        let response = sent.map_err(|idle| answerless(idle, true))?.map_err(failed)?;
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: incoming(response, self.settings.idle_timeout),
        })
    }
}

async fn outgoing(
    client: &Client,
    request: &HttpRequest,
    progress: &Arc<Progress>,
) -> Result<reqwest::Request, TransportError> {
    let mut builder = client.request(verb(request.method), request.url.clone());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder = match &request.body {
        HttpBody::Empty => builder,
        HttpBody::Bytes(bytes) => builder.body(bytes.clone()),
        HttpBody::File { path, offset, length } => {
            let file = file(path, *offset, *length)
                .await
                .map_err(|source| answerless(UnreadableBody { path: path.clone(), source }, false))?;
            let progress = Arc::clone(progress);
            let body = file.inspect_ok(move |_| progress.mark());
            // Without a length the body would go out in chunks, which servers of WSGI do not take.
            builder.header(CONTENT_LENGTH, *length).body(reqwest::Body::wrap_stream(body))
        }
    };
    builder.build().map_err(|error| answerless(error.without_url(), false))
}

/// A part of a file, piece by piece; one that is shorter than promised is an error of the body.
async fn file(
    path: &Path,
    offset: u64,
    length: u64,
) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(SeekFrom::Start(offset)).await?;
    Ok(ReaderStream::with_capacity(file.take(length), PIECE))
}

/// The body of an answer; a silence longer than `idle` ends it with an error.
fn incoming(response: reqwest::Response, idle: Duration) -> BoxStream<'static, Result<Bytes, BoxError>> {
    let body = response.bytes_stream().map_err(|error| BoxError::from(error.without_url())).boxed();
    stream::try_unfold(body, move |mut body| async move {
        match tokio::time::timeout(idle, body.next()).await {
            Ok(Some(piece)) => Ok(Some((piece?, body))),
            Ok(None) => Ok(None),
            Err(_) => Err(BoxError::from(Idle { limit: idle })),
        }
    })
    .boxed()
}

fn verb(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A connection that never stood carried nothing; of every other failure nobody knows.
fn failed(error: reqwest::Error) -> TransportError {
    let after_sending = !(error.is_connect() || error.is_builder());
    // A server that wants our certificate may say so only after the connection stood: TLS 1.3 has it so.
    let lasting = is_tls(&error);
    TransportError { lasting, ..answerless(error.without_url(), after_sending) }
}

/// Whether a connection stood, and the two sides do not agree on TLS.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref().is_some_and(is_disagreement) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Data that cannot be understood: that is what every disagreement about TLS is to the layers above it, a certificate that
/// nobody vouches for as well as a server that does not speak TLS.
fn is_disagreement(error: &io::Error) -> bool {
    // An error inside of another one is not its source, but what it says.
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_disagreement)
}

fn answerless(source: impl Into<BoxError>, after_sending: bool) -> TransportError {
    TransportError { after_sending, lasting: false, source: source.into() }
}

/// When the last byte of a body went out.
#[derive(Debug)]
struct Progress(Mutex<Instant>);

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Instant::now())))
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing came and nothing went.
#[derive(Debug, thiserror::Error)]
#[error("not a byte in {} s", limit.as_secs_f64())]
struct Idle {
    limit: Duration,
}

/// The output of a future that makes progress at least once in `limit`.
async fn within<F: Future>(future: F, progress: &Progress, limit: Duration) -> Result<F::Output, Idle> {
    let mut future = std::pin::pin!(future);
    loop {
        let deadline = progress.last() + limit;
        tokio::select! {
            output = &mut future => return Ok(output),
            () = tokio::time::sleep_until(deadline) => {
                if progress.last() + limit <= Instant::now() {
                    return Err(Idle { limit });
                }
            }
        }
    }
}
