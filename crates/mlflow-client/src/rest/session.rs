//! One server: its address, who we are to it, and how patient we are with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mlflow_types::{Api, Method, Repeat};
use url::Url;

use super::clock::{Clock, SystemClock};
use super::decode;
use super::identity::{Identity, take_user};
use super::patience::{Patience, Verdict, http_date, retry_after};
use super::transport::{HttpRequest, HttpResponse, TooLong, Transport, TransportError, UnreadableBody};
use crate::settings::{HttpSettings, RetryPolicy, redacted};
use crate::{Error, Result};

/// From so long on, a pause is worth a word to whoever waits.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// What we tell the server we are.
const USER_AGENT: &str = concat!("mlflow-client-rust/", env!("CARGO_PKG_VERSION"));
/// The version of MLflow whose protocol we speak.
const CLIENT_VERSION: &str = "3.17.2";
/// Redirects that are followed for one request.
const MOST_REDIRECTS: usize = 10;

/// One server, as every request to it sees it.
#[derive(Clone, Debug)]
pub struct Session {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    address: Url,
    identity: Identity,
    /// Who we are to the proxies on the way.
    to_proxies: Arc<[Identity]>,
    policy: RetryPolicy,
    workspace: Option<String>,
    follow: bool,
    /// How many milliseconds the server's clock is ahead of ours, as its last answer told.
    ahead: Arc<AtomicI64>,
}

impl Session {
    /// A server behind a transport, without credentials and with the default patience. A user and a password in the address
    /// are taken out of it and used for basic authentication.
    pub fn new(transport: Arc<dyn Transport>, mut address: Url) -> Self {
        let identity = take_user(&mut address).ok().flatten().unwrap_or_default();
        address.set_query(None);
        address.set_fragment(None);
        Self {
            transport,
            clock: Arc::new(SystemClock::new()),
            address,
            identity,
            to_proxies: Arc::default(),
            policy: RetryPolicy::default(),
            workspace: None,
            follow: true,
            ahead: Arc::default(),
        }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// As somebody. A user in the session's address was there first and stays, as in Python.
    #[must_use]
    pub fn with_identity(self, identity: Identity) -> Self {
        match self.identity {
            Identity::Anonymous => Self { identity, ..self },
            _ => self,
        }
    }

    /// In a workspace, on servers that have any.
    #[must_use]
    pub fn with_workspace(self, workspace: Option<String>) -> Self {
        Self { workspace, ..self }
    }

    /// With another patience, and following redirects or not.
    #[must_use]
    pub fn with_http(self, settings: &HttpSettings) -> Self {
        let mut proxies = settings.proxies.addresses();
        let to_proxies = proxies.iter_mut().filter_map(|proxy| take_user(proxy).ok().flatten()).collect();
        Self { policy: settings.retry.clone(), follow: settings.allow_redirects, to_proxies, ..self }
    }

    /// The same on connections of its own, for use on another runtime.
    pub(crate) fn separate(&self) -> Self {
        let transport = self.transport.separate().unwrap_or_else(|| Arc::clone(&self.transport));
        Self { transport, ..self.clone() }
    }

    /// The server's address, whose path is kept as a prefix of every route. It holds no user and no password.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// The address of a route; `path` is percent-encoded where it must be.
    ///
    /// # Errors
    /// [`Error::Uri`] when it would be another route: a part of it is `..`, however that is written.
    pub fn url(&self, api: Api, path: &str) -> Result<Url> {
        let mut url = self.address.clone();
        let wanted = format!("{}/{}{path}", self.address.path().trim_end_matches('/'), api.prefix());
        url.set_path(&wanted);
        // The URL standard reads `%2e%2e` as `..` and takes the part before it away.
        if url.path() == wanted {
            return Ok(url);
        }
        Err(Error::Uri { uri: wanted, problem: "cannot be sent as it is".into() })
    }

    /// Sends a request with this session's credentials and headers, again where policy and `repeat` permit it.
    ///
    /// Credentials go to the session's own origin only; redirects are followed within an origin only. An answer of 4xx or
    /// 5xx that remains after the last attempt is an answer.
    ///
    /// With [`Repeat::AfterLooking`] only what surely did not run is sent again: after a connection that never stood, a 408,
    /// a 429, and a 503 that says when to come back.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when no answer came, [`Error::Redirect`] when the answer was to go elsewhere.
    pub async fn execute(&self, route: &str, request: HttpRequest, repeat: Repeat) -> Result<HttpResponse> {
        let mut patience = self.patience();
        self.persist(route, &request, repeat, &mut patience, None).await
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.clock.as_ref())
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// Words from outside without anything that proves who we are, to the server or on the way to it.
    pub(super) fn scrub(&self, words: &str) -> String {
        let words = self.identity.scrub(words);
        self.to_proxies.iter().fold(words, |words, identity| identity.scrub(&words))
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Milliseconds since the Unix epoch on the server's clock, as far as its answers told; to a second or so.
    pub(crate) fn server_time(&self) -> i64 {
        let ours = i64::try_from(self.clock.unix_time().as_millis()).unwrap_or(i64::MAX);
        ours.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// [`execute`](Self::execute), counted in `patience`; with `whole`, the answer's body is read within the attempt, up to
    /// that many bytes, so that a body that breaks off counts as a failure of it.
    pub(crate) async fn persist(
        &self,
        route: &str,
        request: &HttpRequest,
        repeat: Repeat,
        patience: &mut Patience,
        whole: Option<usize>,
    ) -> Result<HttpResponse> {
        loop {
            let outcome = self.attempt(route, request, whole).await;
            patience.attempts += 1;
            let (verdict, asked) = match &outcome {
                Ok(response) => {
                    (Verdict::of_answer(response, repeat), retry_after(response, self.clock.as_ref()))
                }
                Err(Failure::Transport(error)) => (Verdict::of_failure(error, repeat), None),
                Err(Failure::Final(_)) => (Verdict { again: false, may_have_run: false }, None),
            };
            patience.may_have_run |= verdict.may_have_run;
            let pause =
                verdict.again.then(|| patience.pause(&self.policy, self.clock.as_ref(), asked)).flatten();
            match (outcome, pause) {
                (outcome, Some(pause)) => {
                    let status = outcome.map(|response| response.status).ok();
                    // Silence for minutes looks like a hang; the first attempts are soon over and say nothing.
                    if pause >= LONG_PAUSE {
                        let server = self.address.host_str().unwrap_or_default();
                        tracing::warn!(
                            server,
                            route,
                            attempt = patience.attempts,
                            status,
                            ?pause,
                            "no answer; sending again"
                        );
                    } else {
                        tracing::debug!(route, attempt = patience.attempts, status, ?pause, "sending again");
                    }
                    self.clock.sleep(pause).await;
                }
                (Ok(response), None) => return Ok(response),
                (Err(Failure::Final(error)), None) => return Err(error),
                (Err(Failure::Transport(error)), None) => {
                    return Err(self.unreachable(route, patience, error));
                }
            }
        }
    }

    fn unreachable(&self, route: &str, patience: &Patience, error: TransportError) -> Error {
        Error::Unreachable {
            route: route.to_owned(),
            attempts: patience.attempts,
            elapsed: patience.elapsed(self.clock.as_ref()),
            after_sending: patience.may_have_run,
            source: error.source,
        }
    }

    /// One attempt, redirects included.
    async fn attempt(
        &self,
        route: &str,
        request: &HttpRequest,
        whole: Option<usize>,
    ) -> Result<HttpResponse, Failure> {
        let mut request = self.dressed(request);
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(&request).await?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return match whole {
                    _ if response.status >= 400 => Ok(self.refusal(response).await),
                    Some(limit) => response.in_memory(limit).await.map_err(|error| broken_body(route, error)),
                    None => Ok(response),
                };
            }
            request.url = self.next(route, &request, &response)?;
        }
        let problem = format!("more than {MOST_REDIRECTS} times in a row");
        Err(self.redirect(route, &request.url, &problem).into())
    }

    /// A refusal with the beginning of what the server says. Some servers quote the request; our secrets are taken out.
    async fn refusal(&self, mut response: HttpResponse) -> HttpResponse {
        let body = response.beginning(decode::LONGEST_REFUSAL).await;
        let words = self.scrub(&String::from_utf8_lossy(&body));
        HttpResponse::new(response.status, response.headers, words)
    }

    /// The request with our headers. A header that the caller set stays.
    fn dressed(&self, request: &HttpRequest) -> HttpRequest {
        let mut request = request.clone();
        let mut add = |name: &str, value: &str| {
            if !request.headers.iter().any(|(present, _)| present == name) {
                request.headers.push((name.into(), value.into()));
            }
        };
        add("user-agent", USER_AGENT);
        add("x-mlflow-client-version", CLIENT_VERSION);
        if let Some(workspace) = &self.workspace
            && !request.url.path().contains("/mlflow/workspaces")
        {
            add("x-mlflow-workspace", workspace);
        }
        request
    }

    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let mut request = request.clone();
        if request.url.origin() == self.address.origin() {
            self.identity.prove(&mut request, self.clock.unix_time().as_secs()).await?;
        }
        let response = self.transport.send(&request).await?;
        if let Some(date) = response.header("date").and_then(http_date) {
            let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
            let ahead = milliseconds(date).saturating_sub(milliseconds(self.clock.unix_time()));
            self.ahead.store(ahead, Ordering::Relaxed);
        }
        Ok(response)
    }

    /// Where a redirect leads, if we may go there.
    fn next(&self, route: &str, request: &HttpRequest, response: &HttpResponse) -> Result<Url> {
        let location = response.header("location").unwrap_or_default();
        let Ok(mut to) = request.url.join(location) else {
            return Err(self.redirect(route, &request.url, "to no address at all"));
        };
        let _ = to.set_username("");
        let _ = to.set_password(None);
        if !self.follow {
            return Err(self.redirect(route, &to, "and MLFLOW_ALLOW_HTTP_REDIRECTS is false"));
        }
        if to.origin() != request.url.origin() {
            return Err(self.redirect(route, &to, "which is another origin: nothing is sent there"));
        }
        // After these, HTTP has the client ask with GET instead, and the call would be lost.
        if request.method != Method::Get && !matches!(response.status, 307 | 308) {
            let problem = format!("with {}, which drops what was sent", response.status);
            return Err(self.redirect(route, &to, &problem));
        }
        Ok(to)
    }

    fn redirect(&self, route: &str, to: &Url, problem: &str) -> Error {
        let location = self.scrub(&redacted(to.as_str()));
        Error::Redirect { route: route.to_owned(), location, problem: problem.to_owned() }
    }
}

/// A body that is too long will be so again; one that broke off may not.
fn broken_body(route: &str, error: TransportError) -> Failure {
    if error.source.is::<TooLong>() {
        return Error::Decode { route: route.to_owned(), source: error.source }.into();
    }
    error.into()
}

/// Why there is no answer.
enum Failure {
    /// Another attempt may help.
    Transport(TransportError),
    /// None will.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error.source.downcast::<UnreadableBody>() {
            Ok(body) => Self::Final(Error::File { path: body.path, action: "read", source: body.source }),
            Err(source) => Self::Transport(TransportError { source, ..error }),
        }
    }
}

#[cfg(test)]
mod tests;
