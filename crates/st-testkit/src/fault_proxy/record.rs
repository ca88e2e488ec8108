//! What came through the proxy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exchange::Step;
use super::message::{Head, find};

/// A request as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Such as `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// In their order, with the names as they were written.
    pub headers: Vec<(String, String)>,
    /// How many bytes of the body arrived.
    pub body_length: u64,
    /// Whether the proxy handed it on.
    pub reached_server: bool,
    /// The status of the server's answer, or of the proxy's own; none if there was no answer.
    pub status: Option<u16>,
}

impl SeenRequest {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// All requests, in the order in which their heads arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<Vec<SeenRequest>>>);

impl Record {
    /// Writes down a request whose body has not arrived.
    pub(super) fn enter(&self, head: &Head) -> Entry {
        let mut requests = self.requests();
        requests.push(SeenRequest {
            method: head.word(0).to_owned(),
            path: head.word(1).to_owned(),
            headers: head.headers.clone(),
            body_length: 0,
            reached_server: false,
            status: None,
        });
        Entry { record: self.clone(), index: requests.len() - 1 }
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<SeenRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request. It is kept up to date before the client hears more, so that a test that got an answer
/// reads all that led to it.
#[derive(Debug)]
pub(super) struct Entry {
    record: Record,
    index: usize,
}

impl Entry {
    pub(super) fn note(&self, change: impl FnOnce(&mut SeenRequest)) {
        if let Some(seen) = self.record.requests().get_mut(self.index) {
            change(seen);
        }
    }

    /// A piece of the request's body arrived.
    pub(super) fn received(&self, step: &Step<'_>) {
        if let Step::Piece { bytes, .. } = step {
            self.note(|seen| seen.body_length += bytes.len() as u64);
        }
    }
}
