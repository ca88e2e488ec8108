//! Models that were fetched, kept in a folder of this machine for as long as there is room.
//!
//! An entry is one model. `KEY` being the digest of what the model belongs to, the folder of the cache holds
//!
//! - `KEY/`: the files, whole, checked, and never changed. It appears in one step.
//! - `KEY.lock`: held by whoever uses the entry, together with others, or makes or removes it, alone. Its time is that of the
//!   last use.
//! - `KEY.draft/`: what is being downloaded or removed. If nobody holds the lock, nobody needs it.
//! - `KEY.verified`: the state of the files when their digests were compared.
//! - `NAME.key`: the key of the entry that has that name, such as a version of a registered model. An entry may have many.
//!
//! The system frees the locks of a process that dies. So whatever the moment of that is, the next one finds an entry that is
//! whole, or none.

mod lock;
mod names;
mod step;
mod verified;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::lock::Lock;
use self::step::step;
pub(crate) use self::verified::load;
use crate::tree;

/// A cache of fetched models in a folder of this machine; any number of processes share it.
///
/// ```no_run
/// use mlflow_flavor::ModelCache;
///
/// let cache = ModelCache::new("/var/cache/models").with_limit(20_000_000_000);
/// for model in cache.models()? {
///     println!("{}: {} bytes", model.key, model.bytes);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCache {
    folder: PathBuf,
    limit: u64,
}

/// An entry of a [`ModelCache`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedModel {
    /// Names the entry.
    pub key: String,
    /// Where its files are.
    pub folder: PathBuf,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it was last fetched, if the system tells.
    pub last_used: Option<SystemTime>,
}

/// Files that nobody removes as long as this lives.
#[derive(Debug)]
pub struct Lease {
    folder: PathBuf,
    /// Of files that are nobody else's: removed in the end.
    own: Option<Draft>,
    _lock: Option<Lock>,
}

impl Lease {
    /// Files that are not ours to keep.
    pub(crate) fn elsewhere(folder: PathBuf) -> Self {
        Self { folder, own: None, _lock: None }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(draft) = self.own.take() {
            // What remains is removed by the next one who cleans up.
            let _ = draft.remove();
        }
    }
}

/// The name of a finished folder in a draft.
const CONTENT: &str = "model";

impl ModelCache {
    /// How many bytes are kept, if nothing else is said: 50 GB.
    pub const LIMIT: u64 = 50_000_000_000;

    /// The cache in a folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: Self::LIMIT }
    }

    /// Keeps at most so many bytes, but always what is in use: the longest unused goes first, after each download.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// How many bytes are kept.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Its entries, the last used first.
    ///
    /// # Errors
    /// Whatever the system reports; that there is no cache yet is none.
    pub fn models(&self) -> io::Result<Vec<CachedModel>> {
        let mut models = Vec::new();
        for name in self.names()? {
            let folder = self.folder.join(&name);
            if name.contains('.') || !folder.is_dir() {
                continue;
            }
            let used = fs::metadata(self.lock_file(&name)).or_else(|_| fs::metadata(&folder));
            let (bytes, last_used) = (size(&folder)?, used.and_then(|file| file.modified()).ok());
            models.push(CachedModel { key: name, folder, bytes, last_used });
        }
        models
            .sort_by(|one, other| other.last_used.cmp(&one.last_used).then_with(|| one.key.cmp(&other.key)));
        Ok(models)
    }

    /// Whether somebody uses an entry at this moment.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn is_in_use(&self, key: &str) -> io::Result<bool> {
        Ok(Lock::try_alone(&self.lock_file(key))?.is_none())
    }

    /// Removes an entry; `false` if somebody uses it.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn remove(&self, key: &str) -> io::Result<bool> {
        let Some(lock) = Lock::try_alone(&self.lock_file(key))? else { return Ok(false) };
        let draft = self.draft(key, lock);
        draft.clear()?;
        forgive(fs::remove_file(self.folder.join(format!("{key}.verified"))))?;
        step();
        // In one step it is no entry any more; what is left of a removal that breaks off is no model.
        forgive(fs::rename(self.folder.join(key), &draft.folder))?;
        step();
        draft.remove()?;
        Ok(true)
    }

    /// Removes what processes left behind that died in the middle; how many bytes that were.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub fn clean(&self) -> io::Result<u64> {
        let names = self.names()?;
        self.forget_names(&names)?;
        let is_left = |name: &&String| name.contains('.') && !names::is_name(name);
        let keys: BTreeSet<&str> =
            names.iter().filter(is_left).filter_map(|name| Some(name.split_once('.')?.0)).collect();
        let mut freed = 0;
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            let draft = self.folder.join(format!("{key}.draft"));
            if self.folder.join(key).is_dir() && !draft.is_dir() {
                continue;
            }
            let Some(lock) = Lock::try_alone(&self.lock_file(key))? else { continue };
            freed += if draft.is_dir() { size(&draft)? } else { 0 };
            let draft = self.draft(key, lock);
            if self.folder.join(key).is_dir() {
                draft.clear()?;
            } else {
                forgive(fs::remove_file(self.folder.join(format!("{key}.verified"))))?;
                draft.remove()?;
            }
        }
        Ok(freed)
    }

    /// The entry of a key; if there is none, `download` makes its folder. Of several processes that ask for it at the same
    /// time, one downloads.
    pub(crate) async fn get<E: From<io::Error>>(
        &self,
        key: &str,
        mut download: impl AsyncFnMut(&Path) -> Result<(), E>,
    ) -> Result<Lease, E> {
        let folder = self.folder.join(key);
        if !folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
        }
        // Between the download and its use another process may make room: then once more.
        loop {
            if let Some(lease) = self.held(key).await? {
                return Ok(lease);
            }
            let lock = Lock::alone(&self.lock_file(key)).await?;
            step();
            if folder.is_dir() {
                continue;
            }
            let draft = self.draft(key, lock);
            let made = draft.fill(&mut download).await;
            let kept = made.and_then(|content| Ok(draft.publish(&content, &folder)?));
            if let Err(error) = kept {
                // What went wrong first is what counts.
                let _ = draft.remove();
                return Err(error);
            }
            drop(draft);
            self.make_room(key);
        }
    }

    /// The entry of a key, if there is one.
    async fn held(&self, key: &str) -> io::Result<Option<Lease>> {
        let folder = self.folder.join(key);
        match Lock::shared(&self.lock_file(key)).await {
            Ok(lock) if folder.is_dir() => {
                lock.touch();
                Ok(Some(Lease { folder, own: None, _lock: Some(lock) }))
            }
            Ok(_) => Ok(None),
            // Where we cannot write, as in an image, nobody makes room either.
            Err(error) if is_read_only(&error) && folder.is_dir() => Ok(Some(Lease::elsewhere(folder))),
            Err(error) => Err(error),
        }
    }

    /// Files that are downloaded for one user and not kept: they may be others the next time.
    pub(crate) async fn get_once<E: From<io::Error>>(
        &self,
        mut download: impl AsyncFnMut(&Path) -> Result<(), E>,
    ) -> Result<Lease, E> {
        let key = format!("once-{}", uuid::Uuid::new_v4().simple());
        fs::create_dir_all(&self.folder)?;
        let draft = self.draft(&key, Lock::alone(&self.lock_file(&key)).await?);
        match draft.fill(&mut download).await {
            Ok(folder) => Ok(Lease { folder, own: Some(draft), _lock: None }),
            Err(error) => {
                let _ = draft.remove();
                Err(error)
            }
        }
    }

    /// Removes the longest unused until the limit is kept. That it cannot is no reason to fail: the model is there.
    fn make_room(&self, keep: &str) {
        let made = self.clean().and_then(|_| {
            let models = self.models()?;
            let mut bytes: u64 = models.iter().map(|model| model.bytes).sum();
            for model in models.iter().rev().filter(|model| model.key != keep) {
                if bytes > self.limit && self.remove(&model.key)? {
                    tracing::info!(
                        key = model.key,
                        bytes = model.bytes,
                        "removed from the cache to make room"
                    );
                    bytes -= model.bytes;
                }
            }
            Ok(())
        });
        if let Err(error) = made {
            tracing::warn!(%error, cache = %self.folder.display(), "cannot make room in the cache");
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // A name that is no text is none of ours.
        entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default())).collect()
    }

    fn lock_file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.lock"))
    }

    fn draft(&self, key: &str, lock: Lock) -> Draft {
        Draft { folder: self.folder.join(format!("{key}.draft")), lock }
    }
}

/// What is on its way in or out, of an entry that we hold alone.
#[derive(Debug)]
struct Draft {
    folder: PathBuf,
    lock: Lock,
}

impl Draft {
    /// Removes what another process left here.
    fn clear(&self) -> io::Result<()> {
        forgive(fs::remove_dir_all(&self.folder))
    }

    /// Removes all, and the lock with it.
    fn remove(&self) -> io::Result<()> {
        self.clear()?;
        step();
        self.lock.remove()
    }

    /// Has a folder made in here.
    async fn fill<E: From<io::Error>>(
        &self,
        download: &mut impl AsyncFnMut(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        self.clear()?;
        fs::create_dir(&self.folder)?;
        step();
        let content = self.folder.join(CONTENT);
        download(&content).await?;
        step();
        Ok(content)
    }

    /// Gives what was made its name.
    fn publish(&self, content: &Path, folder: &Path) -> io::Result<()> {
        fs::rename(content, folder)?;
        step();
        if let Some(cache) = folder.parent() {
            tree::sync_one(cache).map_err(io::Error::other)?;
        }
        self.clear()
    }
}

/// That something is not there is as good as that it was removed.
fn forgive(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Bytes of all files below a folder; links are not followed.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
