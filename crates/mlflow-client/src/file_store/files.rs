//! Folders and files of the old store, by their names.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mlflow_types::metrics::Metric;

use crate::{Error, Result};

/// A file as text.
pub(super) fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), action: "read", source })
}

/// The folders of a folder that hold a `meta.yaml`, by their names; none if there is no such folder.
pub(super) fn described(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = entries(folder)?;
    Ok(entries.into_iter().filter(|path| path.join("meta.yaml").is_file()).collect())
}

/// Keys and texts: each file below a folder, and its path there.
pub(super) fn keys(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for path in entries(&folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                return Err(damaged(&path, "has a name that is no text"));
            };
            let key = format!("{prefix}{name}");
            if path.is_dir() {
                folders.push((path, format!("{key}/")));
            } else {
                found.push((key, text(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |source| Error::File { path: folder.to_owned(), action: "list", source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(unreadable))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The metrics below a folder: of a run, lines of `time value`, `time value step` or `time value step dataset digest`; of
/// a model the run stands behind the step.
pub(super) fn metrics(folder: &Path, of_model: bool) -> Result<Vec<Metric>> {
    let mut metrics = Vec::new();
    for (key, lines) in keys(folder)? {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let metric = metric(&key, line.trim(), of_model).ok_or_else(|| {
                damaged(&folder.join(&key), &format!("holds no metric in the line {line:?}"))
            })?;
            metrics.push(metric);
        }
    }
    Ok(metrics)
}

fn metric(key: &str, line: &str, of_model: bool) -> Option<Metric> {
    let mut parts = line.splitn(if of_model { 5 } else { 4 }, ' ');
    let timestamp = parts.next()?.parse().ok()?;
    let value = parts.next()?.parse().ok()?;
    let step = parts.next().map_or(Ok(0), str::parse).ok()?;
    let mut metric = Metric::new(key, value, timestamp, step);
    if of_model {
        metric.run_id = Some(parts.next()?.parse().ok()?);
    }
    if let Some(dataset) = parts.next() {
        // The name may hold spaces, the digest does not.
        let (name, digest) = dataset.rsplit_once(' ')?;
        metric.dataset_name = Some(name.to_owned());
        metric.dataset_digest = Some(digest.to_owned());
    }
    Some(metric)
}

/// What is not as MLflow writes it.
pub(super) fn damaged(path: &Path, problem: &str) -> Error {
    Error::Damaged { artifact: path.display().to_string(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, of_model: bool, expected: (f64, i64, i64, Option<&str>, Option<&str>)) {
        let metric = metric("loss", line, of_model).unwrap();
        let (name, digest) = (metric.dataset_name.as_deref(), metric.dataset_digest.as_deref());
        assert_eq!((metric.value, metric.timestamp, metric.step, name, digest), expected);
        assert_eq!(metric.run_id.is_some(), of_model);
    }

    #[test]
    fn lines_of_metrics() {
        check("5 0.1", false, (0.1, 5, 0, None, None));
        check("5 -inf -3", false, (f64::NEG_INFINITY, 5, -3, None, None));
        check("5 1e-3 2 sts 0a", false, (0.001, 5, 2, Some("sts"), Some("0a")));
        check("5 1 2 my sts 0a", false, (1.0, 5, 2, Some("my sts"), Some("0a")));
        check("5 1 2 ab", true, (1.0, 5, 2, None, None));
        check("5 1 2 ab sts 0a", true, (1.0, 5, 2, Some("sts"), Some("0a")));
        for line in ["", "5", "a 1 2", "5 1 2 sts"] {
            assert!(metric("loss", line, false).is_none(), "{line}");
        }
    }
}
