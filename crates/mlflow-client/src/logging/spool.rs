//! A folder of spool files: what processes left behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlflow_types::RunId;

use super::contents::scan;
use super::replay::{ReplayReport, replay_file};
use super::spool_file::{DRAFT, WHOLE, failure, is_busy};
use crate::{Result, TrackingStore};

/// A folder of spool files.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

/// What one process left behind of one run, or has not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The file.
    pub path: PathBuf,
    /// The run.
    pub run_id: RunId,
    /// The store's address, without secrets.
    pub address: String,
    /// Entries that wait.
    pub waiting: u64,
    /// Whether the run's end is among what was logged; if not, its process was killed or still lives.
    pub ended: bool,
    /// Whether its process still lives.
    pub busy: bool,
    /// Bytes at the file's end that a crash left, of a record whose log call never returned.
    pub torn_bytes: u64,
}

impl Spool {
    /// The spool in a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// What waits, by file name. Files of processes that died before they logged anything are left out.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the folder or a file cannot be read; [`Error::Damaged`](crate::Error::Damaged)
    /// if a file was changed after it was written.
    pub fn pending(&self) -> Result<Vec<Pending>> {
        let pending = self.left_behind()?.into_iter().map(|path| look(&path));
        Ok(pending.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The files of entries that a server refused: a line of JSON each, with `entry` and `reason`. They are never sent
    /// again, and stay until somebody removes them.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the folder cannot be read.
    pub fn rejected(&self) -> Result<Vec<PathBuf>> {
        self.files(&["rejected"])
    }

    /// Sends what processes that are gone left behind for the store at `address`, each file in its order.
    ///
    /// Metrics that may have been sent before are looked up first, so that replaying twice, or being killed while
    /// replaying, leaves each value once. A run whose process was killed, which the store still takes for running and which
    /// no other process works on, is ended as failed at the time of its last entry. Files of which all is sent are removed. A file that cannot be sent
    /// does not keep the others from being tried; the report names its trouble.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the folder cannot be read.
    pub async fn replay(&self, address: &str, store: &Arc<dyn TrackingStore>) -> Result<ReplayReport> {
        let mut report = ReplayReport::default();
        for path in self.left_behind()? {
            replay_file(&path, store, |header| header.address == address, &mut report).await;
        }
        Ok(report)
    }

    /// The files that processes have or left, and those that died before their file had its name.
    pub(crate) fn left_behind(&self) -> Result<Vec<PathBuf>> {
        self.files(&[WHOLE, DRAFT])
    }

    fn files(&self, extensions: &[&str]) -> Result<Vec<PathBuf>> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let unreadable = |source| failure(&self.folder, "read", source);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension)) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

fn look(path: &Path) -> Result<Option<Pending>> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Its process has sent everything just now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failure(path, "open", source)),
    };
    let busy = is_busy(&file);
    Ok(scan(path, &file)?.map(|contents| Pending {
        path: path.to_owned(),
        run_id: contents.header.run_id.clone(),
        address: contents.header.address.clone(),
        waiting: contents.written - contents.sent,
        ended: contents.ended,
        busy,
        torn_bytes: if busy { 0 } else { contents.torn },
    }))
}
