//! Folders in the cache that another program fills, and that are done when a mark says so.
//!
//! The mark that is written last holds the text of what was asked for, so that a test finds the folder that its checkout
//! asks for by reading, without a digest of its own.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};

/// Written last into a folder; without it, the folder is made again.
const DONE: &str = "complete";

/// Whether the folder is whole, and what was asked for.
pub(crate) fn is_done(folder: &Path, asked: &str) -> bool {
    fs::read_to_string(folder.join(DONE)).is_ok_and(|mark| mark == asked)
}

/// Whether the folder is whole, and of the time before marks held what was asked for.
pub(crate) fn is_done_unsaid(folder: &Path) -> bool {
    fs::read_to_string(folder.join(DONE)).is_ok_and(|mark| mark.is_empty())
}

/// Says that the folder is whole.
pub(crate) fn mark(folder: &Path, asked: &str) -> Result<()> {
    fs::write(folder.join(DONE), asked).with_context(|| format!("cannot write to {}", folder.display()))
}

/// Removes what another task left unfinished.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Waits for other tasks that fill folders in the same place; the lock goes with the returned file.
pub(crate) fn only_one(parent: &Path) -> Result<File> {
    fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
    let path = parent.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_done_when_its_mark_holds_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_done(folder.path(), "mlflow==3.17.2\n"));
        mark(folder.path(), "mlflow==3.17.1\n").unwrap();
        assert!(!is_done(folder.path(), "mlflow==3.17.2\n"));
        mark(folder.path(), "mlflow==3.17.2\n").unwrap();
        assert!(is_done(folder.path(), "mlflow==3.17.2\n"));
        assert!(!is_done_unsaid(folder.path()));
    }
}
