//! How patient logging is, and where it keeps what it could not send.

use std::path::PathBuf;
use std::time::Duration;

/// How entries wait for the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggingOptions {
    /// Entries that wait in memory at most, where there is no spool. 10,000, about 2 MB.
    pub queue_capacity: usize,
    /// How long a log call waits for room in a full queue. 30 s: longer than a server needs for a batch.
    pub queue_patience: Duration,
    /// How long [`ActiveRun::end`](crate::ActiveRun::end) waits for the store. 60 s.
    pub end_patience: Duration,
    /// How long dropping a run that was not ended waits for the store. 5 s: somebody is waiting for a program to go.
    pub drop_patience: Duration,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// Where entries wait on disk; in memory if absent.
    pub spool: Option<SpoolOptions>,
}

impl LoggingOptions {
    /// The same with a place on disk where entries wait.
    #[must_use]
    pub fn with_spool(mut self, spool: SpoolOptions) -> Self {
        self.spool = Some(spool);
        self
    }
}

impl Default for LoggingOptions {
    fn default() -> Self {
        Self {
            queue_capacity: 10_000,
            queue_patience: Duration::from_secs(30),
            end_patience: Duration::from_mins(1),
            drop_patience: Duration::from_secs(5),
            backoff: Backoff::default(),
            spool: None,
        }
    }
}

/// The pauses between attempts: each twice the one before, up to a longest.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

impl Backoff {
    pub(crate) fn after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

/// A folder in which entries wait on disk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpoolOptions {
    /// The folder; it is created.
    pub folder: PathBuf,
    /// The store's address, without secrets: what a later replay finds the store by.
    pub address: String,
    /// What an accepted entry survives.
    pub durability: Durability,
    /// Bytes that a run's file may have at most, after which log calls fail. 4 GiB: some 30 million metrics.
    pub max_bytes: u64,
}

impl SpoolOptions {
    /// A folder for runs of the store at an address; see [`Settings::store_address`](crate::Settings::store_address).
    pub fn new(folder: impl Into<PathBuf>, address: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            address: address.into(),
            durability: Durability::default(),
            max_bytes: 4 << 30,
        }
    }

    /// The same with another durability.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

/// What an accepted entry survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, `kill -9` included: the entry is with the operating system. Some microseconds a call.
    #[default]
    Process,
    /// A power failure too: each log call waits for the disk (`fdatasync`). Some milliseconds a call.
    Machine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };
        let pauses: Vec<u64> = [1, 2, 3, 4, 1000].map(|failures| backoff.after(failures).as_secs()).into();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
    }
}
