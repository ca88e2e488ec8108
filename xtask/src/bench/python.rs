//! The yardstick: sentence-transformers in Python on torch.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::sts::{BATCH, THREADS};
use crate::{interop, places, process};

/// What `fixtures/interop/bench_encode.py` prints.
#[derive(Debug, Deserialize)]
struct Answer {
    /// Of `encode` alone, after a first call that is not timed.
    seconds: f64,
}

/// Seconds that Python needs for the sentences of a file, one a line.
pub(super) fn encode(st: &Path, model: &Path, sentences: &Path) -> Result<f64> {
    let script = places::workspace().join("fixtures/interop/bench_encode.py");
    let mut command = Command::new(interop::python()?);
    command.arg(script).arg(model).arg(sentences).args(["--threads", THREADS, "--batch-size", BATCH]);
    let text = process::output(interop::environment(&mut command, st)?)?;
    let last = text.lines().next_back().unwrap_or_default();
    let Answer { seconds } = serde_json::from_str(last).context("bench_encode.py gave no seconds")?;
    Ok(seconds)
}
