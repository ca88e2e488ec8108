//! One process at a time fetches a file: the lock is the one that Python takes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, file};
use crate::repository::create_folder_of;

/// How often a lock is tried that somebody else has.
const EVERY: Duration = Duration::from_millis(100);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for a lock.
    pub(crate) async fn take(path: &Path) -> Result<Self, Error> {
        create_folder_of(path)?;
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let opened = opened.map_err(file(path, "open"))?;
        loop {
            match opened.try_lock() {
                Ok(()) => return Ok(Self { _file: opened }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(EVERY).await,
                Err(TryLockError::Error(error)) => {
                    // Some network file systems have no locks. What two processes then mix up, the digest shows.
                    tracing::debug!(path = %path.display(), %error, "no lock");
                    return Ok(Self { _file: opened });
                }
            }
        }
    }
}
