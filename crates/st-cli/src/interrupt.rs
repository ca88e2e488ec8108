//! What stays behind when somebody presses Ctrl-C or stops the process: nothing half, here or at a server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use std::{fs, io};

use crate::report;

/// What a shell expects of a program that was interrupted: 128 and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Files that are being written, and who wants to be asked before the process ends. A signal handler has no other way to
/// know of them.
static STATE: Mutex<State> = Mutex::new(State { unfinished: BTreeSet::new(), ask: None });

/// Whether somebody was asked.
static ASKED: AtomicBool = AtomicBool::new(false);

struct State {
    unfinished: BTreeSet<PathBuf>,
    ask: Option<Box<dyn FnOnce() + Send>>,
}

/// From now on a signal removes unfinished files and ends the process; or asks first, if there is somebody to ask.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        let mut state = state();
        if let Some(ask) = state.ask.take() {
            ASKED.store(true, Ordering::Release);
            drop(state);
            report::note("note", "stopping; another Ctrl-C leaves at once");
            return ask();
        }
        // The lock is held until the end, so that no file becomes final or begins any more.
        state.unfinished.iter().for_each(|path| remove(path));
        // At once: `std::process::exit` would destroy the runtime's statics under the threads that use them.
        signal_hook::low_level::exit(INTERRUPTED.into());
    })?;
    Ok(())
}

/// Whether a signal came and somebody was asked to end the work.
pub(crate) fn was_asked() -> bool {
    ASKED.load(Ordering::Acquire)
}

/// While this lives, the first signal asks for an end, and only the second ends the process.
#[derive(Debug)]
pub(crate) struct AskFirst;

impl AskFirst {
    /// `ask` is called by the thread that handles signals.
    pub(crate) fn begin(ask: impl FnOnce() + Send + 'static) -> Self {
        state().ask = Some(Box::new(ask));
        Self
    }
}

impl Drop for AskFirst {
    fn drop(&mut self) {
        state().ask = None;
    }
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
        let mut state = state();
        let begun = make()?;
        let path = begun.as_ref().to_owned();
        state.unfinished.insert(path.clone());
        Ok((begun, Self { path }))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        state().unfinished.remove(&self.path);
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
