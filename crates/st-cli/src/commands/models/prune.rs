//! `st models prune`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use crate::args::PruneArgs;
use crate::commands::Outcome;
use crate::error::Error;
use crate::folder;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &PruneArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mut kept = entries(&settings.mlflow_cache()?)?;
    // The longest unused last, where they are taken from.
    kept.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    let (mut removed, mut freed) = (0_u64, 0_u64);
    while kept.iter().map(|entry| entry.bytes).sum::<u64>() > args.keep {
        let Some(entry) = kept.pop() else { break };
        fs::remove_dir_all(&entry.folder)
            .map_err(|source| Error::Write { file: entry.folder.display().to_string(), source })?;
        removed += 1;
        freed += entry.bytes;
    }
    let report = Report::from_iter([
        ("removed_models".to_owned(), json!(removed)),
        ("freed_bytes".to_owned(), json!(freed)),
        ("kept_models".to_owned(), json!(kept.len())),
        ("kept_bytes".to_owned(), json!(kept.iter().map(|entry| entry.bytes).sum::<u64>())),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

/// A downloaded model.
struct Entry {
    folder: PathBuf,
    bytes: u64,
    used: Option<SystemTime>,
}

fn entries(cache: &Path) -> Result<Vec<Entry>, Error> {
    let Ok(found) = fs::read_dir(cache) else { return Ok(Vec::new()) };
    let folders = found.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders
        .map(|folder| {
            let used = fs::metadata(folder.join("MLmodel")).and_then(|file| file.accessed()).ok();
            Ok(Entry { bytes: folder::size(&folder)?.bytes, used, folder })
        })
        .collect()
}
