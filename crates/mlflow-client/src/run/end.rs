//! How a run ends: by its word, by being dropped, or by somebody else's switch.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlflow_types::RunId;
use mlflow_types::runs::RunStatus;

use crate::Error;
use crate::logging::{Entry, Journal, Rejection, Summary, now};

/// What became of a run's entries.
#[derive(Debug)]
#[non_exhaustive]
pub struct EndReport {
    /// The run.
    pub run_id: RunId,
    /// Entries that are with the store, the end among them.
    pub sent: u64,
    /// Entries that the store refused.
    pub rejected: u64,
    /// The first hundred of those.
    pub rejections: Vec<Rejection>,
    /// Entries that wait in the spool, for [`Spool::replay`](crate::logging::Spool::replay).
    pub waiting: u64,
    /// The file in which they wait.
    pub spool: Option<PathBuf>,
    /// Why they wait.
    pub trouble: Option<Error>,
}

impl EndReport {
    pub(super) fn new(run_id: RunId, summary: Summary) -> Self {
        let Summary { sent, waiting, rejected, rejections, spool, trouble } = summary;
        Self { run_id, sent, rejected, rejections, waiting, spool: spool.filter(|_| waiting > 0), trouble }
    }

    /// Whether the store has everything.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0 && self.rejected == 0
    }
}

/// How far a run's entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flushed {
    /// The store has all that was logged before, or refused it.
    Sent,
    /// The store is away, and what it does not have is in the spool.
    Spooled,
}

/// Ends a run from outside, such as from what handles Ctrl-C.
#[derive(Clone, Debug)]
pub struct KillSwitch {
    pub(super) journal: Arc<Journal>,
}

impl KillSwitch {
    /// Ends the run as `KILLED`, and blocks up to `patience` until that and all that was logged before is with the store.
    ///
    /// Answers whether nothing waits in memory any more; what waits in a spool is safe. A run that has ended already
    /// stays as it is.
    pub fn kill(&self, patience: Duration) -> bool {
        close(&self.journal, RunStatus::Killed, patience)
    }
}

/// Ends a run and blocks until its entries are sent, up to `patience`. Answers whether nothing is lost if the process ends.
pub(super) fn close(journal: &Journal, status: RunStatus, patience: Duration) -> bool {
    // The writer gives up at the deadline; the rest is for it to say so.
    let deadline = Instant::now() + patience;
    let closed = journal.close(Entry::End { status, end_time: now() }, deadline);
    if let Err(error) = &closed {
        tracing::error!(run = %journal.run_id(), %error, "the end of the run could not be noted");
    }
    journal.wait_done(deadline + Duration::from_secs(1));
    let waiting = journal.waiting();
    let safe = closed.is_ok() && (waiting == 0 || journal.is_durable());
    if waiting > 0 {
        let status = status.as_str();
        tracing::error!(run = %journal.run_id(), waiting, safe, status, "the store did not take everything");
    }
    safe
}
