//! What whoever waits may be told.

use std::fmt;
use std::sync::Arc;

/// Something that happens while a name becomes a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubEvent {
    /// The cache does not have the whole model: the network is used from here on.
    Asking {
        /// The model, such as `BAAI/bge-m3@main`.
        name: String,
        /// The address of the hub.
        endpoint: String,
    },
    /// So much is to be fetched.
    Fetching {
        /// Files that the cache does not have.
        files: usize,
        /// Their size; what an earlier attempt left is counted.
        bytes: u64,
    },
    /// So many bytes more are on disk.
    Received {
        /// Since the last event.
        bytes: u64,
    },
    /// What was received of a file could not be used, and is fetched again.
    Dropped {
        /// They were counted before.
        bytes: u64,
    },
    /// The hub does not answer; the model in the cache is used, although nobody knows whether it has this file.
    Unsure {
        /// The file.
        file: String,
    },
}

/// Who is told; several threads may tell at once.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(HubEvent) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observer: impl Fn(HubEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    pub(crate) fn tell(&self, event: HubEvent) {
        (self.0)(event);
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}
