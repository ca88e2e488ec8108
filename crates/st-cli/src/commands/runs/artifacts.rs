//! `st runs artifacts`: what a run made.

use std::time::Instant;

use anyhow::Context;
use mlflow_client::artifacts::{ArtifactPath, DownloadOptions, FileInfo};
use mlflow_client::types::RunId;
use serde_json::{Value, json};

use crate::args::{DownloadArtifactsArgs, ListArtifactsArgs};
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::table::{self, Column};

const COLUMNS: [Column<'static>; 2] = [Column::elastic("path", 20), Column::whole("size")];

pub(crate) fn list(args: &ListArtifactsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let uri = uri(&args.run_id, args.path.as_ref());
    let resolved = mlflow.resolve(&uri)?;
    let store = mlflow.client.artifacts().open_resolved(&resolved)?;
    let found = mlflow.wait(store.list(resolved.path.as_ref()));
    let found = found.with_context(|| format!("cannot list {uri}"))?;
    if settings.json {
        report::print_json(&found.iter().map(value).collect::<Vec<_>>())?;
    } else if found.is_empty() {
        report::note("note", &format!("{uri} has nothing in it"));
    } else {
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        report::print_text(&table::lines(&COLUMNS, &rows))?;
    }
    Ok(Outcome::Done)
}

pub(crate) fn download(args: &DownloadArtifactsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mlflow = Mlflow::open(settings)?;
    let uri = uri(&args.run_id, args.path.as_ref());
    let resolved = mlflow.resolve(&uri)?;
    let options = DownloadOptions::default();
    let download = mlflow.client.artifacts().download(&resolved, &args.output, &options);
    let downloaded = mlflow.wait(download).with_context(|| format!("cannot download {uri}"))?;
    let report = Report::from_iter([
        ("downloaded".to_owned(), json!(downloaded.path.display().to_string())),
        ("from".to_owned(), json!(resolved.artifact_uri.to_string())),
        ("files".to_owned(), json!(downloaded.files.len())),
        ("bytes".to_owned(), json!(downloaded.bytes())),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

fn uri(run_id: &RunId, path: Option<&ArtifactPath>) -> String {
    path.map_or_else(|| format!("runs:/{run_id}"), |path| format!("runs:/{run_id}/{path}"))
}

/// With the names of MLflow's protocol.
fn value(info: &FileInfo) -> Value {
    json!({"path": info.path.to_string(), "is_dir": info.is_dir, "file_size": info.file_size})
}

fn row(info: &FileInfo) -> Vec<String> {
    #[expect(clippy::cast_precision_loss, reason = "a size for the eye")]
    let size = info.file_size.map_or_else(String::new, |size| report::bytes(size as f64));
    vec![format!("{}{}", info.path, if info.is_dir { "/" } else { "" }), size]
}
