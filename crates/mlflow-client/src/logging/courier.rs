//! Carries entries from a journal to a store: the same steps for a run at work and for a file that is replayed.

use std::sync::Arc;

use mlflow_types::limits;

use super::sender::{Sender, Verdict};
use super::{Entry, Journal};
use crate::Error;

/// Carries entries from a journal to a store, in order.
#[derive(Debug)]
pub(crate) struct Courier {
    journal: Arc<Journal>,
    sender: Sender,
    /// How many of the oldest entries the store may have already.
    doubtful: u64,
    /// Entries in the next call at most; small while a refused entry is searched for.
    limit: usize,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing waits.
    Idle,
    /// Some entries are done with.
    Moved,
    /// Nothing moved. `stuck`: waiting alone will not help.
    Failed { error: Error, stuck: bool },
}

impl Courier {
    pub(crate) fn new(journal: Arc<Journal>, sender: Sender) -> Self {
        let doubtful = journal.doubtful();
        Self { journal, sender, doubtful, limit: limits::BATCH_TOTAL }
    }

    /// Sends what one call takes.
    pub(crate) async fn step(&mut self) -> Step {
        self.try_step().await.unwrap_or_else(|error| {
            let stuck = Verdict::of(&error) == Verdict::Stuck;
            Step::Failed { error, stuck }
        })
    }

    async fn try_step(&mut self) -> Result<Step, Error> {
        let limit = match usize::try_from(self.doubtful).unwrap_or(usize::MAX) {
            0 => self.limit,
            // What is in doubt and what is not go in different calls: only the first is looked up.
            doubtful => self.limit.min(doubtful),
        };
        let entries = self.journal.peek(limit)?;
        let Some((call, count)) = self.sender.next_call(&entries) else { return Ok(Step::Idle) };
        let in_call = u64::try_from(count).unwrap_or(u64::MAX);
        let doubtful = self.doubtful > 0;
        if !doubtful {
            self.journal.sending(in_call)?;
        }
        // If this step is dropped while it waits for the answer, nobody will know whether the call arrived.
        let before = self.doubtful;
        self.doubtful = before.max(in_call);
        match self.sender.send(call, doubtful).await {
            Ok(()) => {
                self.settle(in_call)?;
                self.limit = (self.limit * 2).min(limits::BATCH_TOTAL);
                Ok(Step::Moved)
            }
            Err(error) => match Verdict::of(&error) {
                // A part of it may have been done, so that it stays in doubt.
                Verdict::Refused => self.refused(entries, count, error).await,
                // No such run, or nothing in it of what the entry names, such as a tag to remove: that entry would be in
                // the way of all behind it for good.
                Verdict::Stuck if error.is_not_found() => self.refused(entries, count, error).await,
                Verdict::Away { doubtful: true } => Err(error),
                Verdict::Away { doubtful: false } | Verdict::Stuck => {
                    self.doubtful = before;
                    Err(error)
                }
            },
        }
    }

    /// Halves the batch until the refused entry stands alone, and sets it aside.
    async fn refused(&mut self, mut entries: Vec<Entry>, count: usize, error: Error) -> Result<Step, Error> {
        if !self.sender.run_is_active().await? {
            return Ok(Step::Failed { error, stuck: true });
        }
        if count > 1 {
            self.limit = count / 2;
            return Ok(Step::Moved);
        }
        self.doubtful = self.doubtful.saturating_sub(1);
        self.journal.reject(entries.swap_remove(0), &error)?;
        Ok(Step::Moved)
    }

    fn settle(&mut self, count: u64) -> Result<(), Error> {
        self.doubtful = self.doubtful.saturating_sub(count);
        self.journal.settle(count)
    }
}
