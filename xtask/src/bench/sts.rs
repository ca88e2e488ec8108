//! Python against both modes of `st`, on the sentences of the STS test: how fast, and how good.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::commands::{Stage, one};
use super::{Measure, Measures, Unit, python};
use crate::quickstart::{spearman, sts};
use crate::{places, process};

/// Rounds, each with one run of Python and one of each mode.
const ROUNDS: usize = 3;
/// All sides get as many.
pub(super) const THREADS: &str = "2";
/// The batch size of Python; its own default.
pub(super) const BATCH: &str = "32";

/// The modes of `st` and how the ids of their measures start; exact is what ids without a mode mean.
const MODES: [(&str, &str); 2] = [("exact", "command/sts"), ("fast", "command/sts/fast")];

/// What `st encode --json` reports, as far as we need it.
#[derive(Debug, Deserialize)]
struct Summary {
    /// Of encoding alone, without loading.
    seconds: f64,
    /// In which numbers it computed.
    mode: String,
}

/// Python and both modes in turn, so that all meet the same neighbours on the machine.
pub(super) fn against_python(stage: &Stage) -> Result<Measures> {
    let sentences = sentences()?;
    let input = stage.file("sts.txt");
    fs::write(&input, sentences.join("\n") + "\n")?;
    // A new graph is made outside of the rounds.
    for (mode, _) in MODES {
        encode(stage, mode, &input)?;
    }
    let mut theirs = Vec::new();
    let mut ours = MODES.map(|_| Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("bench: Python and st on {} sentences, {round} of {ROUNDS}", sentences.len());
        theirs.push(python::encode(&stage.st, &stage.model, &input)?);
        for ((mode, _), seconds) in MODES.iter().zip(&mut ours) {
            seconds.push(encode(stage, mode, &input)?);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousand sentences")]
    let rate = |seconds: &[f64]| seconds.iter().map(|seconds| sentences.len() as f64 / seconds).collect();
    let mut measures = one("command/sts/rate-of-python", rate(&theirs), Unit::Rate);
    for ((mode, id), seconds) in MODES.iter().zip(&ours) {
        let ratios = theirs.iter().zip(seconds).map(|(theirs, ours)| theirs / ours).collect();
        measures.extend(one(&format!("{id}/rate"), rate(seconds), Unit::Rate));
        measures.extend(one(&format!("{id}/ratio"), ratios, Unit::Times));
        let quality = correlation(&fs::read(vectors(stage, mode))?)?;
        measures.extend(one(&format!("{id}/spearman"), vec![quality], Unit::Correlation));
    }
    for line in summary(&measures) {
        println!("{line}");
    }
    Ok(measures)
}

/// Seconds that a mode needs for the sentences of a file.
fn encode(stage: &Stage, mode: &str, input: &Path) -> Result<f64> {
    let mut st = stage.st("encode")?;
    st.args(["--json", "--mode", mode, "--threads", THREADS, "--force", "-i"]).arg(input).arg("-o");
    let text = process::output(st.arg(vectors(stage, mode)))?;
    let found: Summary = serde_json::from_str(&text).context("st encode --json gave no seconds and mode")?;
    if found.mode != mode {
        bail!("st encode ran in the mode {:?}, not {mode:?}", found.mode);
    }
    Ok(found.seconds)
}

fn vectors(stage: &Stage, mode: &str) -> std::path::PathBuf {
    stage.file(&format!("sts-{mode}.npy"))
}

/// One line a mode, with the price of the fast one.
fn summary(measures: &Measures) -> Vec<String> {
    let of =
        |id: &str, what: &str| measures.get(&format!("{id}/{what}")).map(|&Measure { median, .. }| median);
    let exact = of("command/sts", "spearman");
    let line = |(mode, id): (&str, &str)| {
        let (ratio, quality) = (of(id, "ratio")?, of(id, "spearman")?);
        let line = format!(
            "{mode} mode: {ratio:.2} times Python (torch f32, {THREADS} threads, batch {BATCH}) \
             on the STS sentences; Spearman {quality:.4}"
        );
        Some(match exact.filter(|_| mode != "exact") {
            Some(exact) => format!("{line}, {:+.4} against exact", quality - exact),
            None => line,
        })
    };
    MODES.into_iter().filter_map(line).collect()
}

/// Spearman's correlation of the cosines of neighbouring vectors in an `.npy` file with people's scores.
fn correlation(npy: &[u8]) -> Result<f64> {
    let gold = sts::scores(&fs::read_to_string(table())?)?;
    let rows = rows(npy, 2 * gold.len()).context("st encode wrote another format than .npy in float32")?;
    let (pairs, _) = rows.as_chunks::<2>();
    let found: Vec<f64> = pairs.iter().map(|[left, right]| sts::cosine(left, right)).collect();
    spearman::correlation(&gold, &found).context("the scores do not vary")
}

/// The vectors of an `.npy` file with a header of version 1, as `st` writes it.
fn rows(npy: &[u8], count: usize) -> Option<Vec<Vec<f32>>> {
    let header = usize::from(u16::from_le_bytes(*npy.get(8..)?.first_chunk()?));
    let (numbers, _) = npy.get(10 + header..)?.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|&number| f32::from_le_bytes(number)).collect();
    let dim = numbers.len().checked_div(count).filter(|dim| *dim > 0)?;
    Some(numbers.chunks_exact(dim).map(<[f32]>::to_vec).collect())
}

/// The sentences of both columns, those of one pair behind each other.
pub(super) fn sentences() -> Result<Vec<String>> {
    let path = table();
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let rows = text.lines().skip(1);
    let sentences: Vec<String> =
        rows.flat_map(|row| row.split('\t').skip(6).take(2)).map(str::to_owned).collect();
    if sentences.is_empty() {
        bail!("{} has no sentences", path.display());
    }
    Ok(sentences)
}

fn table() -> std::path::PathBuf {
    places::workspace().join("fixtures/sts/sts-test.tsv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_are_those_of_both_columns() {
        assert_eq!(sentences().unwrap().len(), 2 * 879);
    }

    #[test]
    fn each_mode_is_named_and_the_fast_one_has_a_price() {
        let mut measures = Measures::new();
        for (id, ratio, quality) in [("command/sts", 2.0, 0.81), ("command/sts/fast", 4.5, 0.8075)] {
            measures.extend(one(&format!("{id}/ratio"), vec![ratio], Unit::Times));
            measures.extend(one(&format!("{id}/spearman"), vec![quality], Unit::Correlation));
        }
        assert_eq!(
            summary(&measures),
            [
                "exact mode: 2.00 times Python (torch f32, 2 threads, batch 32) on the STS sentences; \
                 Spearman 0.8100",
                "fast mode: 4.50 times Python (torch f32, 2 threads, batch 32) on the STS sentences; \
                 Spearman 0.8075, -0.0025 against exact",
            ]
        );
    }

    #[test]
    fn vectors_are_found_behind_the_header() {
        let mut npy = b"\x93NUMPY\x01\x00\x04\x00{}  ".to_vec();
        npy.extend([1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|number| number.to_le_bytes()));
        assert_eq!(rows(&npy, 2), Some(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
        assert_eq!(rows(&npy[..9], 2), None);
        assert_eq!(rows(&npy, 9), None);
    }
}
