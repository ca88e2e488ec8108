//! Files that tell processes of each other.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A lock on a file, held until this is dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Together with others; waits for whoever is alone.
    pub(super) async fn shared(path: &Path) -> io::Result<Self> {
        Self::wait(path, File::try_lock_shared, File::lock_shared).await
    }

    /// Alone; waits for all others.
    pub(super) async fn alone(path: &Path) -> io::Result<Self> {
        Self::wait(path, File::try_lock, File::lock).await
    }

    /// Alone, or not at all.
    pub(super) fn try_alone(path: &Path) -> io::Result<Option<Self>> {
        let lock = Self::open(path)?;
        match lock.file.try_lock() {
            Ok(()) if lock.is_at_its_path() => Ok(Some(lock)),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    async fn wait(
        path: &Path,
        try_to: fn(&File) -> Result<(), TryLockError>,
        wait_to: fn(&File) -> io::Result<()>,
    ) -> io::Result<Self> {
        loop {
            let lock = Self::open(path)?;
            let lock = match try_to(&lock.file) {
                Ok(()) => lock,
                Err(TryLockError::WouldBlock) => {
                    tracing::info!(lock = %path.display(), "another process is at work on this model; waiting for it");
                    let waited =
                        tokio::task::spawn_blocking(move || wait_to(&lock.file).map(|()| lock)).await;
                    waited.map_err(io::Error::other)??
                }
                Err(TryLockError::Error(error)) => return Err(error),
            };
            if lock.is_at_its_path() {
                return Ok(lock);
            }
        }
    }

    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Whoever held it before may have removed it, and somebody else made another one.
    #[cfg(unix)]
    fn is_at_its_path(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |file: io::Result<fs::Metadata>| file.ok().map(|file| (file.dev(), file.ino()));
        let own = identity(self.file.metadata());
        own.is_some() && own == identity(fs::metadata(&self.path))
    }

    /// Elsewhere a file that is open is not removed.
    #[cfg(not(unix))]
    fn is_at_its_path(&self) -> bool {
        self.path.exists()
    }

    /// Notes that the entry was used now. That the time cannot be set makes it look older, and nothing else.
    pub(super) fn touch(&self) {
        let _ = self.file.set_modified(SystemTime::now());
    }

    /// Removes the file, of which we hold the lock alone.
    pub(super) fn remove(&self) -> io::Result<()> {
        super::forgive(fs::remove_file(&self.path))
    }
}
