//! Sends what processes left behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlflow_types::RunId;
use mlflow_types::runs::{GetRun, RunStatus, UpdateRun};

use super::courier::{Courier, Step};
use super::record::Header;
use super::sender::Sender;
use super::spool_file::{Opened, is_busy};
use super::{Journal, Rejection, Spool, SpoolFile};
use crate::{Error, Result, TrackingStore};

/// What a replay did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReplayReport {
    /// What became of each file, in the order in which they were tried.
    pub replayed: Vec<Replayed>,
    /// Files whose process lives and sends them itself.
    pub busy: Vec<PathBuf>,
    /// Files that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, Error)>,
}

/// What became of one file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Replayed {
    /// The file; gone if nothing waits any more.
    pub path: PathBuf,
    /// The run.
    pub run_id: RunId,
    /// Entries that are with the store now and were not known to be before.
    pub sent: u64,
    /// Entries that still wait.
    pub waiting: u64,
    /// Entries that the server refused.
    pub rejected: u64,
    /// The first hundred of those.
    pub rejections: Vec<Rejection>,
    /// Whether the run was ended as failed, because its process was killed.
    pub ended_as_failed: bool,
    /// Why entries still wait.
    pub trouble: Option<Error>,
}

impl ReplayReport {
    /// Whether nothing waits any more that this replay could have sent.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && self.replayed.iter().all(|file| file.trouble.is_none())
    }
}

/// Sends one file, if `wanted` says so.
pub(crate) async fn replay_file(
    path: &Path,
    store: &Arc<dyn TrackingStore>,
    wanted: impl Fn(&Header) -> bool,
    report: &mut ReplayReport,
) {
    match SpoolFile::open(path, wanted) {
        Err(Error::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => report.unreadable.push((path.to_owned(), error)),
        Ok(Opened::Busy) => report.busy.push(path.to_owned()),
        Ok(Opened::Empty | Opened::Other) => {}
        Ok(Opened::Left(file, contents)) => {
            let run_id = contents.header.run_id;
            // Who else is at work on the run will end it.
            let to_end = !contents.ended && !others_at_work(path, &run_id);
            let journal = Arc::new(Journal::in_file(run_id, *file));
            report.replayed.push(replay(path, &journal, store, to_end, contents.left).await);
        }
    }
}

/// Sends what earlier processes left behind of a run that is about to be resumed.
pub(crate) async fn replay_run(
    folder: &Path,
    address: &str,
    run_id: &RunId,
    store: &Arc<dyn TrackingStore>,
) -> Result<()> {
    let mut report = ReplayReport::default();
    let wanted = |header: &Header| header.address == address && header.run_id == *run_id;
    for path in Spool::new(folder).left_behind()? {
        if is_of(&path, run_id) {
            replay_file(&path, store, wanted, &mut report).await;
        }
    }
    let troubles = report.replayed.into_iter().filter_map(|file| file.trouble);
    match report.unreadable.into_iter().map(|(_, error)| error).chain(troubles).next() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn is_of(path: &Path, run_id: &RunId) -> bool {
    path.file_name().unwrap_or_default().to_string_lossy().starts_with(&format!("{run_id}."))
}

/// Whether a living process has another file of the run in the same folder.
fn others_at_work(path: &Path, run_id: &RunId) -> bool {
    let files = path.parent().map(|folder| Spool::new(folder).left_behind());
    let mut others =
        files.into_iter().flatten().flatten().filter(|other| other != path && is_of(other, run_id));
    others.any(|other| File::open(other).is_ok_and(|file| is_busy(&file)))
}

async fn replay(
    path: &Path,
    journal: &Arc<Journal>,
    store: &Arc<dyn TrackingStore>,
    to_end: bool,
    left: Option<i64>,
) -> Replayed {
    let run_id = journal.run_id().clone();
    let mut courier = Courier::new(Arc::clone(journal), Sender::new(Arc::clone(store), run_id.clone()));
    let trouble = loop {
        match courier.step().await {
            Step::Moved => {}
            Step::Idle => break None,
            Step::Failed { error, .. } => break Some(error),
        }
    };
    let mut ended_as_failed = false;
    let trouble = match trouble {
        None if to_end => match end_as_failed(store, &run_id, left).await {
            Ok(ended) => {
                ended_as_failed = ended;
                None
            }
            Err(error) => Some(error),
        },
        trouble => trouble,
    };
    // The file goes only when the run's end is told, too.
    if trouble.is_none() {
        journal.finish();
    }
    let summary = journal.summary();
    Replayed {
        path: path.to_owned(),
        run_id,
        sent: summary.sent,
        waiting: summary.waiting,
        rejected: summary.rejected,
        rejections: summary.rejections,
        ended_as_failed,
        trouble: trouble.or(summary.trouble),
    }
}

/// Ends a run whose process was killed, unless somebody else ended it.
async fn end_as_failed(
    store: &Arc<dyn TrackingStore>,
    run_id: &RunId,
    end_time: Option<i64>,
) -> Result<bool> {
    let run = match store.get_run(&GetRun { run_id: run_id.clone() }).await {
        Err(error) if error.is_not_found() => return Ok(false),
        answer => answer?,
    };
    if run.info.status != RunStatus::Running {
        return Ok(false);
    }
    let status = Some(RunStatus::Failed);
    store.update_run(&UpdateRun { run_id: run_id.clone(), status, end_time, run_name: None }).await?;
    Ok(true)
}
