//! What our client does in the comparisons with Python's: one task a process, its seconds as JSON.
//!
//! `metrics URI COUNT`, `run URI`, `upload URI ARTIFACT-URI FILE`, `download URI ARTIFACT-URI FOLDER`. `cargo xtask bench` runs
//! it in turn with `fixtures/interop/bench_mlflow.py`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mlflow_client::artifacts::{DownloadOptions, UploadOptions};
use mlflow_client::types::runs::RunStatus;
use mlflow_client::{ActiveRun, Client, RunOptions, Settings};
use serde_json::json;

type Answer = Result<serde_json::Value, Box<dyn Error>>;

/// Values that a program logs at a time.
const BATCH: u32 = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match *words.as_slice() {
        ["metrics", uri, count] => metrics(&connect(uri)?, count.parse()?).await?,
        ["run", uri] => json!({"artifact_uri": start(&connect(uri)?).await?.artifact_uri()}),
        ["upload", uri, artifact, file] => upload(&connect(uri)?, artifact, Path::new(file)).await?,
        ["download", uri, artifact, folder] => download(&connect(uri)?, artifact, Path::new(folder)).await?,
        _ => return Err("metrics, run, upload or download, and what each of them needs".into()),
    };
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}

fn connect(uri: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::connect(&Settings::for_tracking_uri(uri))?)
}

async fn start(client: &Client) -> Result<ActiveRun, Box<dyn Error>> {
    let experiment = client.experiments().get_or_create("bench").await?;
    Ok(ActiveRun::start(Arc::clone(client.tracking()), RunOptions::new(experiment.experiment_id)).await?)
}

/// Until the last value is at the store and the run has ended.
async fn metrics(client: &Client, count: u32) -> Answer {
    let run = start(client).await?;
    let begin = Instant::now();
    for first in (0..count).step_by(BATCH as usize) {
        for step in first..count.min(first + BATCH) {
            run.log_metric("loss", 1.0 / f64::from(step + 1), step.into())?;
        }
    }
    let report = run.end(RunStatus::Finished).await?;
    let seconds = begin.elapsed().as_secs_f64();
    if !report.is_complete() {
        return Err(format!("not everything was sent: {report:?}").into());
    }
    Ok(json!({"seconds": seconds}))
}

async fn upload(client: &Client, artifact: &str, file: &Path) -> Answer {
    let begin = Instant::now();
    client.artifacts().upload_file(file, &artifact.parse()?, None, &UploadOptions::default()).await?;
    Ok(json!({"seconds": begin.elapsed().as_secs_f64()}))
}

async fn download(client: &Client, artifact: &str, folder: &Path) -> Answer {
    let resolved = client.resolve(&artifact.parse()?).await?;
    let begin = Instant::now();
    client.artifacts().download(&resolved, folder, &DownloadOptions::default()).await?;
    Ok(json!({"seconds": begin.elapsed().as_secs_f64()}))
}
