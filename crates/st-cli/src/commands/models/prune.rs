//! `st models prune`.

use std::time::{Duration, SystemTime};

use mlflow_flavor::{CachedModel, MlModel, ModelCache};
use serde_json::json;

use crate::args::PruneArgs;
use crate::commands::Outcome;
use crate::error::Error;
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, table};

const COLUMNS: [Column<'static>; 4] = [
    Column::whole("model"),
    Column::whole("size"),
    Column::whole("last used (UTC)"),
    Column::whole("what becomes of it"),
];

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Removed,
    InUse,
}

pub(crate) fn run(args: &PruneArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let cache = settings.model_cache()?;
    let failed = |source| Error::Cache { source };
    let models = cache.models().map_err(failed)?;
    let wanted = doomed(&models, args, cache.limit(), SystemTime::now());
    let mut told = Vec::with_capacity(models.len());
    for (model, doomed) in models.iter().zip(wanted) {
        // Whoever may be about to use it is asked when it goes.
        let name = name(model);
        let fate = if doomed { fate(&cache, model, args.dry_run).map_err(failed)? } else { Fate::Kept };
        told.push((model, name, fate));
    }
    // What a cleaning frees is of no model; the names of those that went go with it.
    let remains = if args.dry_run { 0 } else { cache.clean().map_err(failed)? };
    let count = |fate: Fate| told.iter().filter(|(_, _, found)| *found == fate).count();
    let bytes = |fate: Fate| -> u64 {
        told.iter().filter(|(_, _, found)| *found == fate).map(|(model, ..)| model.bytes).sum()
    };
    let mut report = Report::from_iter([
        ("removed_models".to_owned(), json!(count(Fate::Removed))),
        ("freed_bytes".to_owned(), json!(bytes(Fate::Removed) + remains)),
        ("kept_models".to_owned(), json!(count(Fate::Kept) + count(Fate::InUse))),
        ("kept_bytes".to_owned(), json!(bytes(Fate::Kept) + bytes(Fate::InUse))),
    ]);
    if args.dry_run {
        report.insert("dry_run".to_owned(), json!(true));
    }
    if settings.json {
        let models: Vec<_> = told.iter().map(|(model, name, fate)| entry(model, name, *fate)).collect();
        report.insert("models".to_owned(), json!(models));
        report::print(&report, settings)?;
        return Ok(Outcome::Done);
    }
    if !told.is_empty() {
        let rows: Vec<Vec<String>> =
            told.iter().map(|(model, name, fate)| row(model, name, word(*fate, args.dry_run))).collect();
        report::print_text(&format!("{}\n", table::lines(&COLUMNS, &rows)))?;
    }
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

/// Which of the models, the last used first, are to go.
fn doomed(models: &[CachedModel], args: &PruneArgs, limit: u64, now: SystemTime) -> Vec<bool> {
    let oldest = args.older_than.map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let is_old = |model: &CachedModel| {
        let age = model.last_used.and_then(|used| now.duration_since(used).ok());
        matches!((oldest, age), (Some(oldest), Some(age)) if age > oldest)
    };
    // Age alone leaves the size alone.
    let most = match args.older_than {
        Some(_) => args.keep.unwrap_or(u64::MAX),
        None => args.keep.unwrap_or(limit),
    };
    let mut bytes = 0_u64;
    let one = |model: &CachedModel| {
        if args.all || is_old(model) {
            return true;
        }
        bytes = bytes.saturating_add(model.bytes);
        bytes > most
    };
    models.iter().map(one).collect()
}

fn fate(cache: &ModelCache, model: &CachedModel, dry_run: bool) -> std::io::Result<Fate> {
    let goes = if dry_run { !cache.is_in_use(&model.key)? } else { cache.remove(&model.key)? };
    Ok(if goes { Fate::Removed } else { Fate::InUse })
}

/// The identifier of the logged model, or else the beginning of the entry's own name.
fn name(model: &CachedModel) -> String {
    let mlmodel = MlModel::read(&model.folder.join("MLmodel")).ok();
    mlmodel.and_then(|mlmodel| mlmodel.model_id).unwrap_or_else(|| model.key.chars().take(12).collect())
}

fn word(fate: Fate, dry_run: bool) -> &'static str {
    match (fate, dry_run) {
        (Fate::Kept, _) => "kept",
        (Fate::InUse, _) => "kept: in use",
        (Fate::Removed, true) => "would go",
        (Fate::Removed, false) => "removed",
    }
}

fn used(model: &CachedModel) -> Option<i64> {
    let since = model.last_used?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn row(model: &CachedModel, name: &str, fate: &str) -> Vec<String> {
    let used = moment::shown(used(model));
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    let size = report::bytes(model.bytes as f64);
    vec![name.to_owned(), size, used, fate.to_owned()]
}

fn entry(model: &CachedModel, name: &str, fate: Fate) -> serde_json::Value {
    json!({
        "model": name,
        "folder": model.folder.display().to_string(),
        "bytes": model.bytes,
        "last_used": used(model),
        "removed": fate == Fate::Removed,
        "in_use": fate == Fate::InUse,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &PruneArgs, expected: [bool; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000_000);
        let model = |key: &str, bytes: u64, days: u64| {
            let place = folder.path().join(key);
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join("x"), vec![0; usize::try_from(bytes).unwrap()]).unwrap();
            let lock = std::fs::File::create(folder.path().join(format!("{key}.lock"))).unwrap();
            lock.set_modified(now - Duration::from_hours(24 * days)).unwrap();
        };
        model("a", 10, 1);
        model("b", 20, 20);
        model("c", 30, 40);
        let models = ModelCache::new(folder.path()).models().unwrap();
        assert_eq!(doomed(&models, args, 40, now), expected);
    }

    #[test]
    fn what_goes() {
        let none = || PruneArgs { keep: None, older_than: None, all: false, dry_run: false };
        check(&none(), [false, false, true]);
        check(&PruneArgs { all: true, ..none() }, [true; 3]);
        check(&PruneArgs { keep: Some(0), ..none() }, [true; 3]);
        check(&PruneArgs { keep: Some(10), ..none() }, [false, true, true]);
        check(&PruneArgs { keep: Some(100), ..none() }, [false; 3]);
        check(&PruneArgs { older_than: Some(30), ..none() }, [false, false, true]);
        check(&PruneArgs { older_than: Some(10), ..none() }, [false, true, true]);
        check(&PruneArgs { older_than: Some(30), keep: Some(10), ..none() }, [false, true, true]);
    }
}
