//! The HTTP library: the only file that names `reqwest`.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RANGE, USER_AGENT};
use reqwest::{Certificate, Client, NoProxy, Proxy, Response, redirect};
use url::Url;

use crate::authorities;
use crate::error::{BoxError, Error};
use crate::settings::{HubSettings, Proxies, Token};

/// Redirections that are followed for one request.
const MOST_HOPS: usize = 10;
/// Largest answer that is held in memory, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A short answer.
    Answer,
    /// What is said of a file, without the file.
    Head,
    /// A file, from this byte on.
    File(u64),
}

/// Requests to the hub, and to where it sends us. The token goes to the hub alone.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    endpoint: Url,
    authorization: Option<HeaderValue>,
    metadata_timeout: Duration,
    pub(crate) download_timeout: Duration,
}

/// The beginning of an answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Where it came from, without what may be secret.
    pub(crate) url: String,
    headers: HeaderMap,
    response: Response,
    idle: Duration,
}

/// No answer, or not the whole of one.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) url: String,
    /// No connection stood: the server, or the network, is not there.
    pub(crate) unreachable: bool,
    pub(crate) source: BoxError,
}

impl Failure {
    pub(crate) fn after(self, attempts: u32) -> Error {
        Error::Transport { url: self.url, attempts, source: self.source }
    }
}

/// No answer, since nobody is there or since it is not to be trusted who is.
fn no_answer(url: String, error: reqwest::Error) -> NoReply {
    if let Some(problem) = disagreement(&error) {
        return NoReply::Refused(Error::Insecure { url, source: problem.into() });
    }
    let unreachable = error.is_connect();
    NoReply::Failed(Failure { url, unreachable, source: error.without_url().into() })
}

/// What the two sides do not agree on, where a connection stood and TLS did not.
fn disagreement(error: &reqwest::Error) -> Option<String> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(problem) = cause.downcast_ref().and_then(unintelligible) {
            return Some(problem);
        }
        source = cause.source();
    }
    None
}

/// Data that cannot be understood: that is what every disagreement about TLS is to the layers above it. An error inside of
/// another one is not its source, but what it says.
fn unintelligible(error: &io::Error) -> Option<String> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref()).and_then(unintelligible);
    inner.or_else(|| (error.kind() == io::ErrorKind::InvalidData).then(|| error.to_string()))
}

/// Why a request has no reply.
#[derive(Debug)]
pub(crate) enum NoReply {
    /// It may be sent again.
    Failed(Failure),
    /// It would end the same way.
    Refused(Error),
}

impl Http {
    pub(crate) fn new(settings: &HubSettings, endpoint: Url, token: Option<&Token>) -> Result<Self, Error> {
        let wrong = |source: BoxError| Error::Connections { source };
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(settings.metadata_timeout);
        let builder = proxies(builder, &settings.proxies).map_err(wrong)?;
        let builder = trusting(builder, settings)?;
        let client = builder.build().map_err(|error| wrong(error.without_url().into()))?;
        let authorization = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| wrong("the token has characters that no token has".into()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self {
            client,
            endpoint,
            authorization: authorization.transpose()?,
            metadata_timeout: settings.metadata_timeout,
            download_timeout: settings.download_timeout,
        })
    }

    /// Whether a token goes along.
    pub(crate) fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// The hub, for messages.
    pub(crate) fn endpoint(&self) -> String {
        shown(&self.endpoint).trim_end_matches('/').to_owned()
    }

    /// An address below that of the hub; each part is escaped, so that `/` in it stays inside.
    pub(crate) fn address<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.endpoint.clone();
        // Only an address that cannot be a base has no path, and such an endpoint was refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// Sends a request, and again to where the answer sends us: with the token to the hub, and without it to all others.
    pub(crate) async fn send(&self, url: &Url, ask: Ask) -> Result<Reply, NoReply> {
        let mut url = url.clone();
        for _ in 0..=MOST_HOPS {
            let reply = self.once(&url, ask).await?;
            let is_redirect = matches!(reply.status, 301 | 302 | 303 | 307 | 308);
            // Of a large file, the hub itself says what it is; where it lies says less.
            if !is_redirect || (ask == Ask::Head && reply.header("x-linked-etag").is_some()) {
                return Ok(reply);
            }
            url = next(&url, reply.header("location")).map_err(|problem| {
                NoReply::Refused(Error::Protocol { url: reply.url.clone(), problem: problem.to_owned() })
            })?;
        }
        let problem = format!("more than {MOST_HOPS} redirections");
        Err(NoReply::Refused(Error::Protocol { url: shown(&url), problem }))
    }

    async fn once(&self, url: &Url, ask: Ask) -> Result<Reply, NoReply> {
        let mut request = match ask {
            Ask::Head => self.client.head(url.clone()),
            Ask::Answer | Ask::File(_) => self.client.get(url.clone()),
        };
        request = request.header(USER_AGENT, concat!("st-hub/", env!("CARGO_PKG_VERSION")));
        if let Some(value) = self.authorization.as_ref().filter(|_| url.origin() == self.endpoint.origin()) {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Ask::File(start @ 1..) = ask {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        let idle = if matches!(ask, Ask::File(_)) { self.download_timeout } else { self.metadata_timeout };
        let url = shown(url);
        let response = match tokio::time::timeout(idle, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(no_answer(url, error)),
            Err(_) => {
                return Err(NoReply::Failed(Failure { url, unreachable: false, source: Idle(idle).into() }));
            }
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, url, headers, response, idle })
    }
}

impl Reply {
    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failure> {
        let failed = |source: BoxError| Failure { url: self.url.clone(), unreachable: false, source };
        match tokio::time::timeout(self.idle, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| failed(error.without_url().into())),
            Err(_) => Err(failed(Idle(self.idle).into())),
        }
    }

    /// A short body.
    pub(crate) async fn body(mut self) -> Result<Vec<u8>, NoReply> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await.map_err(NoReply::Failed)? {
            body.extend_from_slice(piece.as_ref());
            if body.len() > LARGEST_ANSWER {
                let problem = format!("the answer has more than {LARGEST_ANSWER} bytes");
                return Err(NoReply::Refused(Error::Protocol { url: self.url, problem }));
            }
        }
        Ok(body)
    }
}

/// Where an answer sends us.
fn next(from: &Url, location: Option<&str>) -> Result<Url, &'static str> {
    let next = location.and_then(|location| from.join(location).ok()).ok_or("a redirection to nowhere")?;
    match (from.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(next),
        (_, "http") => Err("a redirection from https to http"),
        _ => Err("a redirection to something that is not the web"),
    }
}

/// An address without password and query, which may be secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only an address without a host refuses this, and it has no password.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The library would look at the environment by itself; it gets what the settings say instead.
fn proxies(builder: reqwest::ClientBuilder, settings: &Proxies) -> Result<reqwest::ClientBuilder, BoxError> {
    let mut builder = builder.no_proxy();
    let except = || settings.except.as_deref().and_then(NoProxy::from_string);
    let is_everything = |hosts: &str| hosts.split(',').any(|host| host.trim() == "*");
    if settings.except.as_deref().is_some_and(is_everything) {
        return Ok(builder);
    }
    if let Some(address) = &settings.http {
        builder =
            builder.proxy(Proxy::http(address).map_err(reqwest::Error::without_url)?.no_proxy(except()));
    }
    if let Some(address) = &settings.https {
        builder =
            builder.proxy(Proxy::https(address).map_err(reqwest::Error::without_url)?.no_proxy(except()));
    }
    Ok(builder)
}

/// Those whom the settings name, and then nobody else; otherwise those of the system.
fn trusting(
    builder: reqwest::ClientBuilder,
    settings: &HubSettings,
) -> Result<reqwest::ClientBuilder, Error> {
    let Some(first) = settings.authorities.first() else { return Ok(builder) };
    let mut trusted = Vec::new();
    for path in &settings.authorities {
        let wrong = |source: BoxError| Error::Authorities { path: path.clone(), source };
        for text in authorities::texts(path).map_err(|error| wrong(error.into()))? {
            trusted.extend(Certificate::from_pem_bundle(&text).map_err(|error| wrong(error.into()))?);
        }
    }
    if trusted.is_empty() {
        return Err(Error::Authorities { path: first.clone(), source: "there is none".into() });
    }
    Ok(builder.tls_certs_only(trusted))
}

/// Nothing came for so long.
#[derive(Debug, thiserror::Error)]
#[error("not a byte in {} s", .0.as_secs_f64())]
struct Idle(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    fn http(endpoint: &str) -> Http {
        Http::new(&HubSettings::default(), endpoint.parse().unwrap(), None).unwrap()
    }

    #[test]
    fn addresses_are_escaped() {
        let check = |endpoint: &str, parts: &[&str], expected: &str| {
            assert_eq!(http(endpoint).address(parts.iter().copied()).as_str(), expected);
        };
        let parts = ["api", "models", "a", "b", "revision", "refs/pr/1"];
        check("https://hub", &parts, "https://hub/api/models/a/b/revision/refs%2Fpr%2F1");
        check("http://hub:1/hf/", &["a", "b c?#"], "http://hub:1/hf/a/b%20c%3F%23");
    }

    #[test]
    fn redirections_keep_to_the_web_and_to_tls() {
        let follow = |from: &str, to: &str| {
            next(&from.parse().unwrap(), Some(to)).map(|url| url.to_string()).map_err(str::to_owned)
        };
        assert_eq!(follow("https://hub/a/b", "/c").as_deref(), Ok("https://hub/c"));
        assert_eq!(follow("https://hub/a", "https://cdn/x?y").as_deref(), Ok("https://cdn/x?y"));
        assert_eq!(follow("http://hub/a", "https://cdn/x").as_deref(), Ok("https://cdn/x"));
        let downgrade = follow("https://hub/a", "http://cdn/x");
        assert_eq!(downgrade.unwrap_err(), "a redirection from https to http");
        for location in ["file:///etc/passwd", "ftp://cdn/x", "data:,x"] {
            assert_eq!(
                follow("http://hub/a", location).unwrap_err(),
                "a redirection to something that is not the web"
            );
        }
        assert!(next(&"http://hub".parse().unwrap(), None).is_err());
    }

    #[test]
    fn addresses_are_shown_without_secrets() {
        let url = "https://ada:secret@cdn/x?Signature=secret#secret".parse().unwrap();
        assert_eq!(shown(&url), "https://cdn/x");
    }
}
