//! From a call that returns at once to a server that may be away: the journal, its file, and the thread that empties it.
//!
//! A log call checks its entries and appends them to the run's journal; one thread sends them, in order, in batches as
//! large as MLflow takes. Without a spool folder the journal is a bounded queue in memory. With one, it *is* a
//! file: an entry is in it before the log call returns, so a killed process has lost nothing that was accepted, memory
//! stays small however long the server is away, and [`Spool::replay`] sends what a process left behind.

mod batch;
mod check;
mod contents;
mod courier;
#[cfg(test)]
#[cfg(feature = "embedded")]
mod deaths;
mod entry;
mod journal;
mod options;
mod record;
mod rejected;
mod replay;
mod sender;
mod spool;
mod spool_file;
mod step;
mod writer;

pub use entry::Entry;
pub use journal::Rejection;
pub use options::{Backoff, Durability, LoggingOptions, SpoolOptions};
pub use replay::{ReplayReport, Replayed};
pub use spool::{Pending, Spool};

pub(crate) use journal::{Journal, Summary};
pub(crate) use record::Header;
pub(crate) use replay::replay_run;
pub(crate) use spool_file::SpoolFile;
pub(crate) use writer::Writer;

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
