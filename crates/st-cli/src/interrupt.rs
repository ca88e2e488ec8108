//! What stays behind when somebody presses Ctrl-C or stops the process: nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a shell expects of a program that was interrupted: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// Files that are being written. A signal handler has no other way to know of them.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// From now on a signal removes unfinished files and ends the process.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        // The lock is held until the end, so that no file becomes final or begins any more.
        for path in &*unfinished() {
            // Nobody is left to tell if it fails.
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        // At once: `std::process::exit` would destroy the runtime's statics under the threads that use them.
        signal_hook::low_level::exit(INTERRUPTED);
    })?;
    Ok(())
}

/// A file or folder that is removed if the process is interrupted while this lives.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    pub(crate) fn new(path: &Path) -> Self {
        unfinished().insert(path.to_owned());
        Self { path: path.to_owned() }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.path);
    }
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
