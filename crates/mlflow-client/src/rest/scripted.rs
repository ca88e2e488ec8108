//! A server and a clock that do as a test says: no port, no waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use super::clock::Clock;
use super::transport::{HttpRequest, HttpResponse, Transport, TransportError};

/// `Tue, 14 Nov 2023 22:13:20 GMT`, when [`Hands`] begin to move.
pub(crate) const START: u64 = 1_700_000_000;

/// What comes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// An answer.
    Answer { status: u16, headers: Vec<(String, String)>, body: String },
    /// None.
    Broken { after_sending: bool, lasting: bool },
}

impl Turn {
    /// An answer without headers and body.
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// A success with a body.
    pub(crate) fn saying(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, headers: Vec::new(), body: body.into() }
    }

    /// The connection breaks before the server knows of the request, or after.
    pub(crate) fn broken(after_sending: bool) -> Self {
        Self::Broken { after_sending, lasting: false }
    }

    /// An answer with one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A server that answers its script, turn by turn.
#[derive(Debug)]
pub(crate) struct Script {
    turns: Mutex<VecDeque<Turn>>,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        Arc::new(Self { turns: Mutex::new(turns.into_iter().collect()), seen: Mutex::default() })
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Vec<HttpRequest>> {
        self.seen.lock().unwrap()
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.seen().len()
    }

    /// A header of each request.
    pub(crate) fn headers(&self, name: &str) -> Vec<Option<String>> {
        let value = |request: &HttpRequest| {
            request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        self.seen().iter().map(value).collect()
    }

    /// Panics when there is more in the script: a request that was not sent is a failure too.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert!(self.turns.lock().unwrap().is_empty(), "{:?} were never asked for", self.turns);
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.seen().push(request.clone());
        let turn = self.turns.lock().unwrap().pop_front();
        match turn.unwrap_or_else(|| panic!("one request too many: {request:?}")) {
            Turn::Answer { status, headers, body } => Ok(HttpResponse::new(status, headers, body)),
            Turn::Broken { after_sending, lasting } => {
                Err(TransportError { after_sending, lasting, source: "scripted".into() })
            }
        }
    }
}

/// A clock that only waits set forward, which it keeps.
#[derive(Debug, Default)]
pub(crate) struct Hands(Mutex<Vec<Duration>>);

impl Hands {
    /// All waits so far, in seconds.
    pub(crate) fn waits(&self) -> Vec<f64> {
        self.0.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }
}

#[async_trait]
impl Clock for Hands {
    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(START) + self.elapsed()
    }

    fn random(&self) -> f64 {
        0.5
    }

    async fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}
