//! Other names of the entries, so that nobody need ask again which entry it is that a name stands for.
//!
//! A name is worth nothing without its entry, and never wrong beside it: who gives it has just got the entry by its key.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::step::step;
use super::{Lease, ModelCache, forgive};

const SUFFIX: &str = ".key";
/// Hexadecimal digits of a SHA-256 digest.
const KEY_LENGTH: usize = 64;

/// Whether a file is a name.
pub(super) fn is_name(file: &str) -> bool {
    file.ends_with(SUFFIX)
}

impl ModelCache {
    /// The entry that has a name, if there is one.
    pub(crate) async fn by_name(&self, name: &str) -> io::Result<Option<Lease>> {
        match self.key_of(name) {
            Some(key) if self.folder.join(&key).is_dir() => self.held(&key).await,
            _ => Ok(None),
        }
    }

    /// Gives the entry of a key a name.
    pub(crate) fn name(&self, name: &str, key: &str) {
        // A key that is written in part is none, and without a name the store is asked: a reason to be slower, not to fail.
        if let Err(error) = fs::write(self.name_file(name), key) {
            tracing::debug!(%error, name, "cannot name an entry of the cache");
        }
        step();
    }

    /// Removes those of the names whose entry is gone.
    pub(super) fn forget_names(&self, names: &[String]) -> io::Result<()> {
        for name in names.iter().filter_map(|file| file.strip_suffix(SUFFIX)) {
            if !self.key_of(name).is_some_and(|key| self.folder.join(key).is_dir()) {
                forgive(fs::remove_file(self.name_file(name)))?;
            }
        }
        Ok(())
    }

    fn key_of(&self, name: &str) -> Option<String> {
        let key = fs::read_to_string(self.name_file(name)).ok()?;
        let is_key = key.len() == KEY_LENGTH && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_key.then_some(key)
    }

    fn name_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{SUFFIX}"))
    }
}
