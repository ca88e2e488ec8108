//! `st models download`.

use std::time::Instant;

use anyhow::Context;
use mlflow_client::artifacts::DownloadOptions;
use mlflow_flavor::download_model;
use serde_json::json;

use crate::args::DownloadArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &DownloadArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mlflow = Mlflow::open(settings)?;
    let resolved = mlflow.resolve(&args.model)?;
    let options = DownloadOptions::default();
    let download = download_model(&mlflow.client, &resolved, &args.output, &options);
    let downloaded = mlflow.wait(download).with_context(|| format!("cannot download {}", args.model))?;
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
