//! How we speak HTTP: patience, time limits, certificates, proxies.

use std::path::PathBuf;
use std::time::Duration;

use super::StoreUri;

/// How we speak HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// When a request is sent again.
    pub retry: RetryPolicy,
    /// How long a connection may take to stand. Ten seconds: a host that is there answers in less, one that is not would
    /// otherwise hold each attempt for minutes.
    pub connect_timeout: Duration,
    /// How long a request may go without a byte in either direction. It is no limit on the whole: a big file may take hours.
    pub idle_timeout: Duration,
    /// Whether redirects within the server's origin are followed. Those to another origin never are.
    pub allow_redirects: bool,
    /// Idle connections that are kept for a host.
    pub pool_size: usize,
    /// Probes on idle connections.
    pub keep_alive: Option<KeepAlive>,
    /// Certificates.
    pub tls: Tls,
    /// Proxies.
    pub proxies: Proxies,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(2),
            allow_redirects: true,
            pool_size: 10,
            keep_alive: Some(KeepAlive::default()),
            tls: Tls::default(),
            proxies: Proxies::default(),
        }
    }
}

/// When a request is sent again: policy. Whether it may be is the call's own business.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts after the first; 7, as in Python.
    pub max_retries: u32,
    /// Seconds that the wait begins with: the first repetition is immediate, since most failures are a connection that had
    /// gone stale; before the n-th, `backoff_factor * 2^(n-1)` seconds pass. 2, as in Python.
    pub backoff_factor: f64,
    /// Seconds that chance adds at most, so that clients which failed together do not come back together. 1, as in Python.
    pub backoff_jitter: f64,
    /// The longest wait, also of those that a server asks for. 120 seconds, as in Python.
    pub longest_wait: Duration,
    /// No attempt begins after this time. Five minutes: a little more than all waits of the default policy together, so that
    /// it cuts only what slow answers and `Retry-After` add.
    pub total_time: Duration,
    /// Whether a server's `Retry-After` is listened to.
    pub respect_retry_after: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 7,
            backoff_factor: 2.0,
            backoff_jitter: 1.0,
            longest_wait: Duration::from_mins(2),
            total_time: Duration::from_mins(5),
            respect_retry_after: true,
        }
    }
}

/// Probes on idle connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// The time until the first.
    pub idle: Duration,
    /// The time between two.
    pub interval: Duration,
    /// How many without an answer until the connection counts as lost.
    pub count: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), interval: Duration::from_secs(10), count: 3 }
    }
}

/// Certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Which certificate of a server is taken.
    pub verify: Verify,
    /// A PEM file with our certificate and its key.
    pub client_certificate: Option<PathBuf>,
}

#[cfg(feature = "rest")]
impl Tls {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which certificate of a server is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// One that an authority of the system vouches for.
    #[default]
    System,
    /// One that an authority in this PEM file vouches for.
    Authorities(PathBuf),
    /// Any: whoever is in between can read and change everything.
    Nothing,
}

/// Proxies; none if absent.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// For `http:`.
    pub http: Option<StoreUri>,
    /// For `https:`.
    pub https: Option<StoreUri>,
    /// Hosts that go without, separated by commas.
    pub except: Option<String>,
}

#[cfg(feature = "rest")]
impl Proxies {
    pub(crate) fn is_any(&self) -> bool {
        self.http.is_some() || self.https.is_some()
    }

    /// Their addresses; a proxy may be written without a scheme.
    pub(crate) fn addresses(&self) -> Vec<url::Url> {
        let parsed = [&self.http, &self.https].into_iter().flatten().filter_map(|proxy| {
            let proxy = proxy.expose();
            let whole = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
            url::Url::parse(&whole).ok()
        });
        parsed.collect()
    }
}
