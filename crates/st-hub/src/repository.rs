//! A model's folder in the cache, in the layout of Python's `huggingface_hub`.
//!
//! ```text
//! models--org--name/blobs/DIGEST                        the files, under their digests
//!                   refs/main                           the commit that a branch or tag stood for
//!                   snapshots/COMMIT/1_Pooling/…        links to ../../../blobs/DIGEST
//!                   .no_exist/COMMIT/modules.json       the commit is known not to have that file
//!                   trees/COMMIT.json                   all files of the commit (Python's, since version 2)
//! .locks/models--org--name/DIGEST.lock                  held while a file is fetched
//! blobs/ab/abc…                                         files that several models share (Python's, since version 2)
//! ```

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::{Error, file};
use crate::name::{ModelName, is_commit};

/// The cache and a model in it. Nothing of it need exist.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    cache: PathBuf,
    folder: PathBuf,
    locks: PathBuf,
}

impl Repository {
    pub(crate) fn new(cache: &Path, name: &ModelName) -> Self {
        let folder = name.folder();
        Self {
            cache: cache.to_owned(),
            locks: cache.join(".locks").join(&folder),
            folder: cache.join(folder),
        }
    }

    /// The commit that a revision stands for, as far as the cache knows.
    pub(crate) fn commit(&self, revision: &str) -> Result<Option<String>, Error> {
        if is_commit(revision) {
            return Ok(Some(revision.to_owned()));
        }
        let path = self.reference(revision);
        let text = match read_short(&path) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(file(path, "read")(source)),
        };
        Ok(Some(text.trim().to_owned()).filter(|commit| is_commit(commit)))
    }

    /// Notes what a revision stands for, if it is not a commit itself.
    pub(crate) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), Error> {
        if is_commit(revision) || self.commit(revision)?.as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_folder_of(&path)?;
        let temporary = path.with_added_extension(format!("{}.tmp", std::process::id()));
        fs::write(&temporary, commit).map_err(file(&temporary, "write"))?;
        fs::rename(&temporary, &path).map_err(file(&path, "write"))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }

    /// The folder with the files of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The content with this digest.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.as_str())
    }

    /// The lock on the content with this digest.
    pub(crate) fn lock(&self, digest: &Digest) -> PathBuf {
        self.locks.join(format!("{digest}.lock"))
    }

    /// Whether the commit is known not to have a file.
    pub(crate) fn is_known_absent(&self, commit: &str, path: &str) -> bool {
        self.absence(commit, path).symlink_metadata().is_ok()
    }

    /// Notes that the commit does not have a file.
    pub(crate) fn set_absent(&self, commit: &str, path: &str) -> Result<(), Error> {
        let path = self.absence(commit, path);
        create_folder_of(&path)?;
        File::create(&path).map(drop).map_err(file(&path, "write"))
    }

    fn absence(&self, commit: &str, path: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit).join(path)
    }

    /// What Python knows of the files of a commit, as JSON.
    pub(crate) fn tree(&self, commit: &str) -> PathBuf {
        self.folder.join("trees").join(format!("{commit}.json"))
    }

    /// The file that a link, or a plain file, of the cache stands for. It lies among the model's own blobs, among those that
    /// models share, or is no link at all; a link that leads elsewhere is refused, one that leads nowhere is `None`.
    pub(crate) fn resolve(&self, path: &Path) -> Result<Option<PathBuf>, Error> {
        let read = |path: &Path| match path.symlink_metadata() {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(source) => Err(file(path, "look at")(source)),
        };
        let Some(metadata) = read(path)? else { return Ok(None) };
        if metadata.is_file() {
            return Ok(Some(path.to_owned()));
        }
        let escape = || Error::Escape { link: path.to_owned() };
        if !metadata.is_symlink() {
            return Err(escape());
        }
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(file(path, "follow the link")(source)),
        };
        let own = fs::canonicalize(self.folder.join("blobs")).ok();
        let shared = fs::canonicalize(self.cache.join("blobs")).ok();
        let is_own = own.is_some_and(|blobs| target.parent() == Some(&blobs));
        let is_shared = shared.is_some_and(|blobs| is_shared_blob(&target, &blobs));
        if (is_own || is_shared) && target.is_file() { Ok(Some(target)) } else { Err(escape()) }
    }
}

/// `blobs/ab/abcd…`, with 64 digits.
fn is_shared_blob(target: &Path, blobs: &Path) -> bool {
    let Ok(inside) = target.strip_prefix(blobs) else { return false };
    let parts: Vec<_> = inside.iter().filter_map(|part| part.to_str()).collect();
    let [prefix, digits] = parts.as_slice() else { return false };
    let is_digest = matches!(Digest::parse(digits), Some(Digest::Sha256(_)));
    is_digest && prefix.len() == 2 && digits.starts_with(prefix)
}

/// Whether there is no such file; a folder where a file should be, or the other way round, is none, too.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

pub(crate) fn create_folder_of(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(file(folder, "make the folder"))
}

/// A file that holds one short word.
fn read_short(path: &Path) -> io::Result<String> {
    const LONGEST: u64 = 256;
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn repository(cache: &Path) -> Repository {
        let repository = Repository::new(cache, &"a/b".parse().unwrap());
        fs::create_dir_all(cache.join("models--a--b/blobs")).unwrap();
        fs::create_dir_all(repository.snapshot(COMMIT)).unwrap();
        repository
    }

    #[test]
    fn references_are_written_whole_and_read_back() {
        let cache = tempfile::tempdir().unwrap();
        let repository = repository(cache.path());
        assert_eq!(repository.commit("refs/pr/1").unwrap(), None);
        repository.set_commit("refs/pr/1", COMMIT).unwrap();
        assert_eq!(repository.commit("refs/pr/1").unwrap().as_deref(), Some(COMMIT));
        assert_eq!(repository.commit(COMMIT).unwrap().as_deref(), Some(COMMIT));
        fs::write(cache.path().join("models--a--b/refs/main"), "../../etc").unwrap();
        assert_eq!(repository.commit("main").unwrap(), None);
    }

    #[test]
    fn links_stay_in_the_cache() {
        let cache = tempfile::tempdir().unwrap();
        let repository = repository(cache.path());
        let snapshot = repository.snapshot(COMMIT);
        let blob = cache.path().join("models--a--b/blobs/x");
        fs::write(&blob, "x").unwrap();
        let shared = cache.path().join("blobs/aa").join("a".repeat(64));
        fs::create_dir_all(shared.parent().unwrap()).unwrap();
        fs::write(&shared, "x").unwrap();
        fs::write(cache.path().join("outside"), "secret").unwrap();
        let resolve = |target: &str| {
            let link = snapshot.join("link");
            let _ = fs::remove_file(&link);
            symlink(target, &link).unwrap();
            repository.resolve(&link)
        };
        assert_eq!(resolve("../../blobs/x").unwrap(), Some(fs::canonicalize(&blob).unwrap()));
        let to_shared = format!("../../../blobs/aa/{}", "a".repeat(64));
        assert_eq!(resolve(&to_shared).unwrap(), Some(fs::canonicalize(&shared).unwrap()));
        assert_eq!(resolve("../../blobs/gone").unwrap(), None);
        for target in ["../../../outside", "/etc/passwd", "../../blobs", "link"] {
            assert!(resolve(target).is_err(), "{target}");
        }
        // A blob may itself be a link to a shared one, as Python makes them, and to nothing else.
        let chained = cache.path().join("models--a--b/blobs/chained");
        symlink(format!("../../blobs/aa/{}", "a".repeat(64)), &chained).unwrap();
        assert!(resolve("../../blobs/chained").unwrap().is_some());
        fs::remove_file(&chained).unwrap();
        symlink("/etc/passwd", &chained).unwrap();
        assert!(resolve("../../blobs/chained").is_err());
    }
}
