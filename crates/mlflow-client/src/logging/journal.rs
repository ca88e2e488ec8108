//! What was accepted and not yet sent, in order: between the threads that log and the one that sends.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mlflow_types::RunId;
use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::{Entry, SpoolFile};
use crate::{Error, Result};

/// Refusals that a summary tells in full; the rest are in the spool's file, or counted.
const REJECTIONS_KEPT: usize = 100;

/// The entries of one run, between those who log and the one who sends.
#[derive(Debug)]
pub(crate) struct Journal {
    run_id: RunId,
    state: Mutex<State>,
    /// Threads wait here for room, and for the end.
    changed: Condvar,
    /// The writer waits here for entries, and for the end.
    pub(crate) wake: Notify,
    progress: watch::Sender<Progress>,
}

#[derive(Debug)]
struct State {
    medium: Medium,
    accepted: u64,
    settled: u64,
    rejected: u64,
    rejections: Vec<Rejection>,
    /// When the writer gives up; the journal takes nothing more.
    closed: Option<Instant>,
    /// Why the last attempt failed, if it did.
    trouble: Option<Error>,
    done: bool,
}

#[derive(Debug)]
enum Medium {
    Memory { entries: VecDeque<Entry>, capacity: usize },
    File(SpoolFile),
}

/// An entry that the server refused for good.
#[derive(Debug, Serialize)]
pub struct Rejection {
    /// The entry.
    pub entry: Entry,
    /// Why, in the server's words.
    pub reason: String,
}

/// How far the entries are; those who wait look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) settled: u64,
    /// Attempts that failed.
    pub(crate) failures: u64,
    pub(crate) closed: bool,
    pub(crate) done: bool,
}

/// What became of the entries.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) sent: u64,
    pub(crate) waiting: u64,
    pub(crate) rejected: u64,
    pub(crate) rejections: Vec<Rejection>,
    pub(crate) spool: Option<PathBuf>,
    pub(crate) trouble: Option<Error>,
}

impl Journal {
    /// A journal in memory.
    pub(crate) fn in_memory(run_id: RunId, capacity: usize) -> Self {
        Self::over(run_id, Medium::Memory { entries: VecDeque::new(), capacity: capacity.max(1) })
    }

    /// A journal in a file.
    pub(crate) fn in_file(run_id: RunId, file: SpoolFile) -> Self {
        Self::over(run_id, Medium::File(file))
    }

    fn over(run_id: RunId, medium: Medium) -> Self {
        let state = State {
            medium,
            accepted: 0,
            settled: 0,
            rejected: 0,
            rejections: Vec::new(),
            closed: None,
            trouble: None,
            done: false,
        };
        let (changed, wake) = (Condvar::new(), Notify::new());
        Self { run_id, state: Mutex::new(state), changed, wake, progress: watch::Sender::default() }
    }

    pub(crate) fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Takes entries, all or none of them where they are kept on disk; waits for room in memory up to `patience`.
    pub(crate) fn append(&self, entries: Vec<Entry>, patience: Duration) -> Result<()> {
        for entry in &entries {
            entry.check()?;
        }
        let state = self.lock();
        if state.closed.is_some() {
            return Err(self.error("the run has ended", None));
        }
        self.accept(state, entries, Instant::now() + patience)
    }

    fn accept<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        entries: Vec<Entry>,
        deadline: Instant,
    ) -> Result<()> {
        if let Medium::File(file) = &mut state.medium {
            file.append(&entries)?;
            state.accepted += count(&entries);
            self.wake.notify_one();
            return Ok(());
        }
        for entry in entries {
            state = self.make_room(state, deadline)?;
            if let Medium::Memory { entries, .. } = &mut state.medium {
                entries.push_back(entry);
            }
            state.accepted += 1;
            self.wake.notify_one();
        }
        Ok(())
    }

    fn make_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Instant,
    ) -> Result<MutexGuard<'a, State>> {
        while let Medium::Memory { entries, capacity } = &state.medium
            && entries.len() >= *capacity
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.done {
                let waiting = entries.len();
                return Err(
                    self.error(format!("{waiting} entries wait for the store, and no more fit"), None)
                );
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state)
    }

    /// Ends the journal with a last entry: it takes nothing more, and its writer gives up at the deadline. Only the first
    /// end counts; answers whether this was it.
    pub(crate) fn close(&self, last: Entry, deadline: Instant) -> Result<bool> {
        let mut state = self.lock();
        if state.closed.is_some() {
            return Ok(false);
        }
        state.closed = Some(deadline);
        let kept = match &mut state.medium {
            Medium::File(file) => file.append(std::slice::from_ref(&last)),
            // The end always fits: nobody would come again to bring it.
            Medium::Memory { entries, .. } => {
                entries.push_back(last);
                Ok(())
            }
        };
        state.accepted += u64::from(kept.is_ok());
        drop(state);
        self.wake.notify_one();
        self.changed.notify_all();
        self.progress.send_modify(|progress| progress.closed = true);
        kept.map(|()| true)
    }

    /// When the writer gives up, if the journal is closed.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lock().closed
    }

    /// The oldest waiting entries, `limit` at most.
    pub(crate) fn peek(&self, limit: usize) -> Result<Vec<Entry>> {
        match &mut self.lock().medium {
            Medium::Memory { entries, .. } => Ok(entries.iter().take(limit).cloned().collect()),
            Medium::File(file) => file.peek(limit),
        }
    }

    /// Of the waiting entries, how many of the oldest a process before this one may have sent.
    pub(crate) fn doubtful(&self) -> u64 {
        match &self.lock().medium {
            Medium::Memory { .. } => 0,
            Medium::File(file) => file.doubtful(),
        }
    }

    /// Notes that the oldest `count` are about to be sent.
    pub(crate) fn sending(&self, count: u64) -> Result<()> {
        match &mut self.lock().medium {
            Medium::Memory { .. } => Ok(()),
            Medium::File(file) => file.sending(count),
        }
    }

    /// Notes that the oldest `count` are with the store.
    pub(crate) fn settle(&self, count: u64) -> Result<()> {
        let mut state = self.lock();
        state.trouble = None;
        state.settled += count;
        let kept = match &mut state.medium {
            Medium::Memory { entries, .. } => {
                let count = usize::try_from(count).unwrap_or(usize::MAX).min(entries.len());
                entries.drain(..count);
                Ok(())
            }
            Medium::File(file) => file.settle(count),
        };
        let settled = state.settled;
        drop(state);
        self.changed.notify_all();
        self.progress.send_modify(|progress| progress.settled = settled);
        kept
    }

    /// Notes that the server refused the oldest entry for good.
    pub(crate) fn reject(&self, entry: Entry, reason: &Error) -> Result<()> {
        let rejection = Rejection { entry, reason: reason.to_string() };
        tracing::warn!(run = %self.run_id, reason = %rejection.reason, "the store refused an entry");
        let mut state = self.lock();
        if let Medium::File(file) = &mut state.medium {
            file.reject(&rejection)?;
        }
        state.rejected += 1;
        if state.rejections.len() < REJECTIONS_KEPT {
            state.rejections.push(rejection);
        }
        drop(state);
        self.settle(1)
    }

    /// Notes that an attempt failed.
    pub(crate) fn trouble(&self, error: Error) {
        self.lock().trouble = Some(error);
        self.progress.send_modify(|progress| progress.failures += 1);
    }

    /// Notes that the writer is gone. A file of which all was sent goes, too.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        if let Medium::File(file) = &state.medium {
            let gone = if file.waiting() == 0 { file.remove() } else { Ok(()) };
            // A file that would not go is left to a replay.
            let released = file.release();
            if let Err(error) = gone.and(released) {
                state.trouble = Some(error);
            }
        }
        state.done = true;
        drop(state);
        self.changed.notify_all();
        self.progress.send_modify(|progress| progress.done = true);
    }

    /// Blocks until the writer is gone, up to a deadline.
    pub(crate) fn wait_done(&self, deadline: Instant) {
        let mut state = self.lock();
        while !state.done {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How far the entries are, and whoever waits for more.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// How many entries were accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.lock().accepted
    }

    /// How many entries wait.
    pub(crate) fn waiting(&self) -> u64 {
        let state = self.lock();
        state.accepted - state.settled
    }

    /// Whether what waits is on disk.
    pub(crate) fn is_durable(&self) -> bool {
        matches!(self.lock().medium, Medium::File(_))
    }

    /// What became of the entries; takes the last failure and the refusals out.
    pub(crate) fn summary(&self) -> Summary {
        let mut state = self.lock();
        let (waiting, spool) = match &state.medium {
            Medium::Memory { entries, .. } => (u64::try_from(entries.len()).unwrap_or(u64::MAX), None),
            Medium::File(file) => (file.waiting(), Some(file.path().to_owned())),
        };
        Summary {
            sent: state.settled - state.rejected,
            waiting,
            rejected: state.rejected,
            rejections: std::mem::take(&mut state.rejections),
            spool,
            trouble: state.trouble.take(),
        }
    }

    pub(crate) fn error(&self, problem: impl Into<String>, source: Option<Error>) -> Error {
        Error::Logging {
            run: self.run_id.to_string(),
            problem: problem.into(),
            source: source.map(|source| Box::new(source) as _),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment behind a fallible step: a thread that panicked left a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(entries: &[Entry]) -> u64 {
    u64::try_from(entries.len()).unwrap_or(u64::MAX)
}
