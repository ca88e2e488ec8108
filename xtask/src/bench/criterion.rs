//! Criterion's benches and the medians it left in the build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{Measure, Measures, Unit};
use crate::{places, process};

#[derive(Debug, Deserialize)]
struct Identity {
    full_id: String,
}

#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

/// In nanoseconds.
#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Runs the benches and returns what this run measured.
pub(super) fn measure(filter: Option<&str>) -> Result<Measures> {
    let begin = SystemTime::now();
    let mut bench = process::cargo();
    bench.args(["bench", "--package", "benches", "--benches", "--"]).args(filter);
    process::run(&mut bench)?;
    let mut measures = collect(&places::target().join("criterion"), begin)?;
    measures.retain(|id, _| filter.is_none_or(|part| id.contains(part)));
    if measures.is_empty() && filter.is_none() {
        bail!("criterion measured nothing");
    }
    Ok(measures)
}

/// Every estimate that was written since `begin`.
fn collect(folder: &Path, begin: SystemTime) -> Result<Measures> {
    let mut measures = Measures::new();
    for estimates in estimate_files(folder) {
        if fs::metadata(&estimates)?.modified()? < begin {
            continue;
        }
        let identity: Identity = read(&estimates.with_file_name("benchmark.json"))?;
        let Estimates { median } = read(&estimates)?;
        let measure = Measure { median: median.point_estimate, unit: Unit::Nanoseconds };
        measures.insert(identity.full_id, measure);
    }
    Ok(measures)
}

/// The files `new/estimates.json` below a folder.
fn estimate_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        if path.ends_with("new") && path.join("estimates.json").is_file() {
            files.push(path.join("estimates.json"));
        } else {
            files.extend(estimate_files(&path));
        }
    }
    files
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what criterion writes", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_collected_by_their_full_id() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("pool/mean/b1xt32/new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("benchmark.json"), r#"{"group_id":"pool/mean","full_id":"pool/mean/b1xt32"}"#)
            .unwrap();
        let estimates =
            r#"{"mean":{"point_estimate":9.0},"median":{"point_estimate":7.5,"standard_error":0.1}}"#;
        fs::write(new.join("estimates.json"), estimates).unwrap();
        let measures = collect(folder.path(), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(measures["pool/mean/b1xt32"], Measure { median: 7.5, unit: Unit::Nanoseconds });
        let later = SystemTime::now() + std::time::Duration::from_mins(1);
        assert!(collect(folder.path(), later).unwrap().is_empty(), "older numbers belong to another run");
    }
}
