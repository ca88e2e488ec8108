//! Whole commands, from a cold process, on the release build of `st` and the real model.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::memory::{self, Cost};
use super::{Measure, Measures, Unit, median, mlflow, sts};
use crate::binary::{self, Profile};
use crate::{places, process};

/// Runs of which the median is taken.
const RUNS: usize = 10;

/// What the promises are, in the unit of the measure; a median above (for `Times`: below) misses it.
const PROMISES: [(&str, f64); 14] = [
    ("command/encode-one/seconds", 0.25),
    ("command/save/seconds", 0.5),
    ("command/save/peak", 80.0),
    ("command/encode-10k/peak", 400.0),
    ("command/encode-100k/peak", 400.0),
    ("command/sts/fast/ratio", 2.5),
    ("command/log-process/ratio", 5.0),
    ("command/log-call/ratio", 5.0),
    ("command/log-embedded/seconds", 0.6),
    ("command/metrics/ratio", 5.0),
    ("command/metrics-server/ratio", 5.0),
    ("command/artifact/up-extra", 64.0),
    ("command/artifact/down-extra", 64.0),
    ("command/alias/extra", 0.05),
];

/// Something that is measured.
type Measurement = fn(&Stage) -> Result<Measures>;

/// What is measured with MLflow's server and stores.
const MLFLOW: [(&str, Measurement); 4] = [
    ("command/log-process/log-call/alias", mlflow::log),
    ("command/log-embedded", mlflow::log_embedded),
    ("command/metrics", mlflow::metrics),
    ("command/artifact", mlflow::artifact),
];

pub(super) struct Stage {
    pub(super) st: PathBuf,
    pub(super) model: PathBuf,
    scratch: TempDir,
}

/// Each measurement whose id contains the filter.
pub(super) fn measure(filter: Option<&str>) -> Result<Measures> {
    let stage = Stage {
        st: binary::st(Profile::Release)?,
        model: places::model("all-MiniLM-L6-v2")?,
        scratch: tempfile::tempdir_in(places::target())?,
    };
    let wanted = |name: &str| filter.is_none_or(|part| name.contains(part));
    let mut measures = Measures::new();
    if wanted("command/encode-one") {
        measures.extend(encode_one(&stage)?);
    }
    if wanted("command/save") {
        measures.extend(save(&stage)?);
    }
    for (name, count) in [("command/encode-10k", 10_000), ("command/encode-100k", 100_000)] {
        if wanted(name) {
            measures.extend(encode_many(&stage, name, count)?);
        }
    }
    if wanted("command/sts") {
        measures.extend(sts::against_python(&stage)?);
    }
    for (name, measure) in MLFLOW {
        if wanted(name) {
            measures.extend(measure(&stage)?);
        }
    }
    print_promises(&measures);
    Ok(measures)
}

impl Stage {
    pub(super) fn st(&self, command: &str) -> Result<Command> {
        let mut st = Command::new(&self.st);
        st.arg(command).arg("-m").arg(&self.model).env("ORT_DYLIB_PATH", places::runtime()?);
        Ok(st)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

/// One sentence; the graph is in the cache and the files are in memory, as for somebody at work.
fn encode_one(stage: &Stage) -> Result<Measures> {
    let mut seconds = Vec::new();
    for run in 0..=RUNS {
        let mut st = stage.st("encode")?;
        st.arg("A man is playing a guitar on stage.").stdin(Stdio::null()).stdout(Stdio::null());
        let begin = Instant::now();
        process::run(&mut st)?;
        if run > 0 {
            seconds.push(begin.elapsed().as_secs_f64());
        }
    }
    Ok(one("command/encode-one/seconds", seconds, Unit::Seconds))
}

fn save(stage: &Stage) -> Result<Measures> {
    let mut costs = Vec::new();
    for run in 0..RUNS {
        let output = stage.file(&format!("saved-{run}"));
        costs.push(memory::run(stage.st("save")?.arg("-o").arg(&output))?);
        fs::remove_dir_all(&output).with_context(|| format!("cannot remove {}", output.display()))?;
    }
    Ok(costs_of("command/save", &costs))
}

/// The sentences of the STS test again and again, each time with another number, so that no text comes twice.
fn encode_many(stage: &Stage, name: &str, count: usize) -> Result<Measures> {
    eprintln!("bench: encoding {count} sentences");
    let input = stage.file("sentences.txt");
    let sentences = sts::sentences()?;
    let numbered =
        (1..).flat_map(|round| sentences.iter().map(move |sentence| format!("{sentence} {round}\n")));
    fs::write(&input, numbered.take(count).collect::<String>())?;
    let output = stage.file("vectors.npy");
    let mut st = stage.st("encode")?;
    let cost = memory::run(st.arg("-i").arg(&input).arg("-o").arg(&output))?;
    fs::remove_file(&output).with_context(|| format!("cannot remove {}", output.display()))?;
    Ok(costs_of(name, &[cost]))
}

fn costs_of(name: &str, costs: &[Cost]) -> Measures {
    let seconds = costs.iter().map(|cost| cost.seconds).collect();
    let peaks = costs.iter().map(|cost| cost.megabytes).collect();
    let mut measures = one(&format!("{name}/seconds"), seconds, Unit::Seconds);
    measures.extend(one(&format!("{name}/peak"), peaks, Unit::Megabytes));
    measures
}

pub(super) fn one(id: &str, values: Vec<f64>, unit: Unit) -> Measures {
    median(values).map(|median| (id.to_owned(), Measure { median, unit })).into_iter().collect()
}

fn print_promises(measures: &Measures) {
    for (id, limit) in PROMISES {
        if let Some(measure) = measures.get(id) {
            println!("promise {id}: {}", verdict(*measure, limit));
        }
    }
}

fn verdict(measure: Measure, limit: f64) -> String {
    let at_least = measure.unit == Unit::Times;
    let kept = if at_least { measure.median >= limit } else { measure.median <= limit };
    let bound = if at_least { "at least" } else { "at most" };
    format!("{:.3}, {bound} {limit}: {}", measure.median, if kept { "kept" } else { "MISSED" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_must_be_large_and_a_cost_small() {
        let measure = |median, unit| Measure { median, unit };
        assert_eq!(verdict(measure(0.2, Unit::Seconds), 0.25), "0.200, at most 0.25: kept");
        assert_eq!(verdict(measure(0.3, Unit::Seconds), 0.25), "0.300, at most 0.25: MISSED");
        assert_eq!(verdict(measure(3.0, Unit::Times), 2.5), "3.000, at least 2.5: kept");
        assert_eq!(verdict(measure(2.0, Unit::Times), 2.5), "2.000, at least 2.5: MISSED");
    }
}
