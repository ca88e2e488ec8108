//! Our client against Python's: models, metrics and large files, on the same server and the same kind of file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::commands::{Stage, one};
use super::memory;
use super::server::Server;
use super::{Measures, Unit};
use crate::binary::{self, Profile};
use crate::{interop, places, process};

/// Rounds, each with one run of Python and one of ours.
const ROUNDS: usize = 3;
/// Runs of which the median is taken where Python has no part.
const RUNS: usize = 10;
/// Metrics in a run.
const METRICS: &str = "100000";
/// Bytes of the large file.
const LARGE: u64 = 3 << 30;
/// Bytes of the small one, which costs what every program costs.
const SMALL: u64 = 1 << 20;

/// What both sides print of what they did.
#[derive(Debug, Deserialize)]
struct Took {
    seconds: f64,
}

/// What ours prints of a run.
#[derive(Debug, Deserialize)]
struct NewRun {
    artifact_uri: String,
}

/// `log_model` to a server on loopback: whole processes, and Python's call alone against the whole process of `st`. Of the
/// call, most is the server's own time for 91 MB; a file of that size alone says how much.
pub(super) fn log(stage: &Stage) -> Result<Measures> {
    let server = Server::start(&folder(stage, "log-server")?)?;
    let (mut theirs, mut calls, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        eprintln!("bench: Python and st log a model, {round} of {ROUNDS}");
        let begin = Instant::now();
        let call = python(stage, &["log", &server.url(), &stage.model.to_string_lossy()])?;
        let python = begin.elapsed().as_secs_f64();
        let st = timed(st_log(stage)?.args(["--tracking-uri", &server.url(), "--run-name", "bench"]))?;
        // Whoever is first pays for the server's first imports.
        if round > 0 {
            theirs.push(python);
            calls.push(call);
            ours.push(st);
        }
    }
    let mut measures = against("command/log-process", &theirs, &ours);
    measures.extend(against("command/log-call", &calls, &ours));
    measures.extend(weights_alone(stage, &server)?);
    measures.extend(alias(stage, &server)?);
    Ok(measures)
}

/// The largest file of the model, and nothing else: what no client can do without.
fn weights_alone(stage: &Stage, server: &Server) -> Result<Measures> {
    let program = binary::program("benches", "bench-mlflow", Profile::Release)?;
    let uri = artifact_uri(Command::new(&program).args(["run", &server.url()]))?;
    let mut took = Vec::new();
    for _ in 0..RUNS {
        let mut upload = Command::new(&program);
        took.push(seconds(
            upload.args(["upload", &server.url(), &uri]).arg(stage.model.join("model.safetensors")),
        )?);
    }
    Ok(one("command/log-call/weights-alone/seconds", took, Unit::Seconds))
}

/// What the way by the alias costs beyond the folder, when the model is in the cache; and what it costs beside that to
/// compare the model's answers with its certificate, which the folder has none of.
fn alias(stage: &Stage, server: &Server) -> Result<Measures> {
    process::output(st_log(stage)?.args([
        "--tracking-uri",
        &server.url(),
        "--register",
        "encoder",
        "--alias",
        "champion",
    ]))?;
    let encode = |model: &Path, more: &[&str]| -> Result<f64> {
        let mut st = Command::new(&stage.st);
        st.args(["encode", "--tracking-uri", &server.url(), "-m"])
            .arg(model)
            .arg("A man is playing a guitar.")
            .args(more);
        timed(st.env("ORT_DYLIB_PATH", places::runtime()?))
    };
    let (by_alias, by_folder) = (Path::new("models:/encoder@champion"), stage.model.as_path());
    let unchecked = ["--no-certificate-check"];
    // The first downloads, and the second may digest once more.
    for model in [by_alias, by_alias, by_folder] {
        encode(model, &[])?;
    }
    let (mut extra, mut certificate) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let alias = encode(by_alias, &unchecked)?;
        extra.push(alias - encode(by_folder, &unchecked)?);
        certificate.push(encode(by_alias, &[])? - alias);
    }
    let mut measures = one("command/alias/extra", extra, Unit::Seconds);
    measures.extend(one("command/alias/certificate", certificate, Unit::Seconds));
    Ok(measures)
}

/// `st log` into the file of the embedded store, which is there already.
pub(super) fn log_embedded(stage: &Stage) -> Result<Measures> {
    let folder = folder(stage, "log-embedded")?;
    let mut seconds = Vec::new();
    for run in 0..=RUNS {
        let took = timed(st_log(stage)?.current_dir(&folder))?;
        if run > 0 {
            seconds.push(took);
        }
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(one("command/log-embedded/seconds", seconds, Unit::Seconds))
}

/// 100,000 values: both sides into a file of their own, and both to the same server.
pub(super) fn metrics(stage: &Stage) -> Result<Measures> {
    let ours = binary::program("benches", "bench-mlflow", Profile::Release)?;
    let folder = folder(stage, "metrics")?;
    let server = Server::start(&folder)?;
    let file = |name: &str| format!("sqlite:///{}/{name}.db", folder.display());
    let places = [
        ("command/metrics", file("python"), file("rust")),
        ("command/metrics-server", server.url(), server.url()),
    ];
    let mut measures = Measures::new();
    for (id, python_uri, our_uri) in places {
        let (mut theirs, mut mine) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            eprintln!("bench: Python and our client log {METRICS} metrics, {round} of {ROUNDS}");
            theirs.push(python(stage, &["metrics", &python_uri, METRICS])?);
            mine.push(seconds(Command::new(&ours).args(["metrics", &our_uri, METRICS]))?);
        }
        measures.extend(against(id, &theirs, &mine));
    }
    Ok(measures)
}

/// A large file up and down, and the memory that this takes beyond what a small one takes.
pub(super) fn artifact(stage: &Stage) -> Result<Measures> {
    let program = binary::program("benches", "bench-mlflow", Profile::Release)?;
    let folder = folder(stage, "artifact")?;
    let server = Server::start(&folder)?;
    let mut peaks = Vec::new();
    let mut measures = Measures::new();
    for (name, bytes) in [("small", SMALL), ("large", LARGE)] {
        eprintln!("bench: {bytes} bytes up and down");
        let source = folder.join(name);
        File::create(&source)?.set_len(bytes)?;
        let uri = artifact_uri(Command::new(&program).args(["run", &server.url()]))?;
        let mut upload = Command::new(&program);
        let up = memory::run(upload.args(["upload", &server.url(), &uri]).arg(&source))?;
        let target = folder.join(format!("{name}-down"));
        let mut download = Command::new(&program);
        let down = memory::run(download.args(["download", &server.url(), &uri]).arg(&target))?;
        fs::remove_dir_all(&target)?;
        measures.extend(one(&format!("command/artifact-{name}/up-seconds"), vec![up.seconds], Unit::Seconds));
        measures.extend(one(
            &format!("command/artifact-{name}/down-seconds"),
            vec![down.seconds],
            Unit::Seconds,
        ));
        peaks.push((up.megabytes, down.megabytes));
    }
    drop(server);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    if let [(small_up, small_down), (large_up, large_down)] = peaks[..] {
        measures.extend(one("command/artifact/up-extra", vec![large_up - small_up], Unit::Megabytes));
        measures.extend(one("command/artifact/down-extra", vec![large_down - small_down], Unit::Megabytes));
    }
    Ok(measures)
}

fn against(id: &str, theirs: &[f64], ours: &[f64]) -> Measures {
    let ratios = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
    let mut measures = one(&format!("{id}/seconds-of-python"), theirs.to_vec(), Unit::Seconds);
    measures.extend(one(&format!("{id}/seconds"), ours.to_vec(), Unit::Seconds));
    measures.extend(one(&format!("{id}/ratio"), ratios, Unit::Times));
    measures
}

fn st_log(stage: &Stage) -> Result<Command> {
    let mut st = stage.st("log")?;
    st.args(["--name", "minilm"]);
    Ok(st)
}

fn timed(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begin = Instant::now();
    process::output(command)?;
    Ok(begin.elapsed().as_secs_f64())
}

fn python(stage: &Stage, arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new(interop::python()?);
    command.arg(places::workspace().join("fixtures/interop/bench_mlflow.py")).args(arguments);
    command.env("MLFLOW_DISABLE_TELEMETRY", "true").env("GIT_PYTHON_REFRESH", "quiet");
    seconds(interop::environment(&mut command, &stage.st)?)
}

/// Seconds that a program says it took.
fn seconds(command: &mut Command) -> Result<f64> {
    Ok(answer::<Took>(command)?.seconds)
}

fn artifact_uri(command: &mut Command) -> Result<String> {
    Ok(answer::<NewRun>(command)?.artifact_uri)
}

fn answer<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = process::output(command)?;
    let last = text.lines().next_back().unwrap_or_default();
    serde_json::from_str(last)
        .with_context(|| format!("`{}` printed something else", process::shown(command)))
}

fn folder(stage: &Stage, name: &str) -> Result<PathBuf> {
    let folder = stage.file(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
