//! What stays behind when somebody presses Ctrl-C or stops the process: nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use std::{fs, io};

/// What a shell expects of a program that was interrupted: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// Files that are being written. A signal handler has no other way to know of them.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// From now on a signal removes unfinished files and ends the process.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        // The lock is held until the end, so that no file becomes final or begins any more.
        let unfinished = unfinished();
        unfinished.iter().for_each(|path| remove(path));
        // At once: `std::process::exit` would destroy the runtime's statics under the threads that use them.
        signal_hook::low_level::exit(INTERRUPTED);
    })?;
    Ok(())
}

/// Removes a file or folder. The thread that fills it still runs, so a folder may need more than one attempt.
fn remove(path: &Path) {
    const ATTEMPTS: u32 = 200;
    for _ in 0..ATTEMPTS {
        // Nobody is left to tell if it fails.
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        if fs::symlink_metadata(path).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A file or folder that is removed if the process is interrupted while this lives.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Makes something and watches over it; no signal can come between the two.
    pub(crate) fn begin<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        let mut unfinished = unfinished();
        let begun = make()?;
        let path = begun.as_ref().to_owned();
        unfinished.insert(path.clone());
        Ok((begun, Self { path }))
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
