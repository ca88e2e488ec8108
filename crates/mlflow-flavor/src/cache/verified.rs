//! Files that were read once, found right, and have not changed since: they are not read again at each load.
//!
//! A model of 90 MB takes some 60 ms to digest, one of 2 GB more than a second. A kept model lies in our own cache, where
//! nothing changes a file without the file system noting when: its change time, unlike its modification time, cannot be
//! set. Folders that a user names are digested each time.

use std::path::Path;

use crate::{DigestPolicy, Error, LoadOptions, LoadedModel, load_model_with};

/// Opens a model in the cache. Its digests are looked at if they have to be there, or if something changed since they were.
pub(crate) fn load(folder: &Path, options: &LoadOptions) -> Result<LoadedModel, Error> {
    if options.digests != DigestPolicy::IfPresent {
        return load_model_with(folder, options);
    }
    let note = folder.with_extension("verified");
    // Taken before the files are read: what changes meanwhile is another state.
    let state = state::of(folder);
    if state.as_ref().is_some_and(|state| state::read(&note).as_ref() == Some(state)) {
        return load_model_with(folder, &options.clone().with_digests(DigestPolicy::Ignore));
    }
    let model = load_model_with(folder, options)?;
    if let Some(state) = state.filter(state::State::is_settled) {
        // Without the note the next load takes longer, and nothing else.
        let _ = state::write(&note, &state);
    }
    Ok(model)
}

#[cfg(unix)]
mod state {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use serde::{Deserialize, Serialize};

    use crate::tree;

    /// A change is seen if the clock of the file system has moved since the one before; the slowest moves every 10 ms.
    const TICKS: Duration = Duration::from_millis(50);
    /// Largest note that is read, in bytes.
    const MAX_NOTE: u64 = 16 << 20;

    /// All files of a folder, by their paths.
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub(super) struct State(BTreeMap<String, FileState>);

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct FileState {
        inode: u64,
        bytes: u64,
        /// Seconds and nanoseconds since the Unix epoch.
        changed: (i64, i64),
    }

    /// The state of a folder; none if it cannot be told.
    pub(super) fn of(folder: &Path) -> Option<State> {
        let mut listing = tree::Listing::default();
        tree::list(folder, "", &[], &mut listing).ok()?;
        let files = listing.files.into_iter().map(|file| {
            let metadata = fs::metadata(&file.place).ok()?;
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            Some((file.path, FileState { inode: metadata.ino(), bytes: metadata.len(), changed }))
        });
        files.collect::<Option<_>>().map(State)
    }

    impl State {
        /// Whether a change from now on would be seen.
        pub(super) fn is_settled(&self) -> bool {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let since = |changed: (i64, i64)| {
                let seconds = Duration::from_secs(changed.0.try_into().ok()?);
                now.checked_sub(seconds + Duration::from_nanos(changed.1.try_into().ok()?))
            };
            self.0.values().all(|file| since(file.changed).is_some_and(|age| age > TICKS))
        }
    }

    pub(super) fn read(note: &Path) -> Option<State> {
        let bytes = tree::read_small(note, MAX_NOTE).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// What is written by half is no JSON, and so no note.
    pub(super) fn write(note: &Path, state: &State) -> io::Result<()> {
        fs::write(note, serde_json::to_vec(state)?)
    }
}

/// Elsewhere a file system keeps no time that a program could not set: every load looks at the digests.
#[cfg(not(unix))]
mod state {
    use std::io;
    use std::path::Path;

    #[derive(PartialEq, Eq)]
    pub(super) enum State {}

    pub(super) fn of(_: &Path) -> Option<State> {
        None
    }

    impl State {
        pub(super) fn is_settled(&self) -> bool {
            match *self {}
        }
    }

    pub(super) fn read(_: &Path) -> Option<State> {
        None
    }

    pub(super) fn write(_: &Path, state: &State) -> io::Result<()> {
        match *state {}
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "helpers of tests are not marked as tests")]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::thread::sleep;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::{Digester, Digests};

    const MLMODEL: &str = "flavors:\n  python_function:\n    data: model.sentence_transformer\n    loader_module: \
                           mlflow.sentence_transformers\n  sentence_transformers:\n    sentence_transformers_version: \
                           5.6.0\n";

    /// A model with digests, in a cache.
    fn model() -> (TempDir, PathBuf) {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("kept");
        let mut digests = Digests::default();
        for (path, content) in [("MLmodel", MLMODEL), ("model.sentence_transformer/weights", "0123456789")] {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content).unwrap();
            let mut digester = Digester::default();
            digester.update(content.as_bytes());
            digests.insert(path, digester.finish());
        }
        fs::write(folder.join("model_digests.json"), digests.to_json()).unwrap();
        (cache, folder)
    }

    fn weights(folder: &Path) -> PathBuf {
        folder.join("model.sentence_transformer/weights")
    }

    /// Writes as many other bytes, and sets the modification time back.
    fn tamper(file: &Path) {
        let before = fs::metadata(file).unwrap().modified().unwrap();
        fs::write(file, "9876543210").unwrap();
        File::options().write(true).open(file).unwrap().set_modified(before).unwrap();
    }

    #[test]
    fn a_file_that_changed_after_it_was_verified_is_seen() {
        let (_cache, folder) = model();
        sleep(Duration::from_millis(60));
        load(&folder, &LoadOptions::default()).unwrap();
        assert!(folder.with_extension("verified").is_file());
        load(&folder, &LoadOptions::default()).unwrap();
        tamper(&weights(&folder));
        let error = load(&folder, &LoadOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Digest { .. }), "{error}");
    }

    #[test]
    fn a_file_that_was_written_a_moment_ago_is_read_again() {
        let (_cache, folder) = model();
        load(&folder, &LoadOptions::default()).unwrap();
        let noted = folder.with_extension("verified").is_file();
        tamper(&weights(&folder));
        let refused = load(&folder, &LoadOptions::default()).is_err();
        // On a slow machine the moment may be over; then the note is there, and the change is seen by it.
        assert!(refused, "noted: {noted}");
    }

    #[test]
    fn whoever_requires_digests_has_them_looked_at() {
        let (_cache, folder) = model();
        sleep(Duration::from_millis(60));
        load(&folder, &LoadOptions::default()).unwrap();
        fs::remove_file(folder.join("model_digests.json")).unwrap();
        let required = LoadOptions::default().with_digests(DigestPolicy::Require);
        assert!(matches!(load(&folder, &required).unwrap_err(), Error::NoDigests { .. }));
    }

    #[test]
    fn a_note_that_is_none_is_ignored() {
        let (_cache, folder) = model();
        for content in ["", "{}", "not JSON", "{\"MLmodel\": 3}"] {
            fs::write(folder.with_extension("verified"), content).unwrap();
            tamper(&weights(&folder));
            assert!(load(&folder, &LoadOptions::default()).is_err(), "{content}");
        }
    }
}
