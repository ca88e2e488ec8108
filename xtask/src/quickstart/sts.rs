//! The STS test: how well cosine similarity orders pairs of sentences, against people.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Line, Scene, fixture, kept, spearman};
use crate::quickstart::story::Story;

/// What Python sentence-transformers reaches on the same rows with the same weights.
const REFERENCE: f64 = 0.8099;
const TOLERANCE: f64 = 0.0005;

/// Encodes both columns and compares the order of the cosines with that of the human scores.
pub(super) fn correlate(scene: &Scene, story: &mut Story) -> Result<()> {
    let table = fixture("sts/sts-test.tsv")?;
    let gold = scores(&fs::read_to_string(&table)?)?;
    let left = vectors(scene, story, &table, "sentence1")?;
    let right = vectors(scene, story, &table, "sentence2")?;
    let found: Vec<f64> = left.iter().zip(&right).map(|(a, b)| cosine(a, b)).collect();
    if found.len() != gold.len() {
        bail!("{} pairs were encoded, not {}", found.len(), gold.len());
    }
    let correlation = spearman::correlation(&gold, &found).context("the scores do not vary")?;
    story.say(&format!("Spearman {correlation:.4} on {} pairs; Python reaches {REFERENCE:.4}", gold.len()));
    if (correlation - REFERENCE).abs() > TOLERANCE {
        bail!("the Spearman correlation is {correlation:.4}, not {REFERENCE:.4}");
    }
    Ok(())
}

/// The column `score`.
pub(crate) fn scores(table: &str) -> Result<Vec<f64>> {
    let mut lines = table.lines();
    let header = lines.next().context("the table is empty")?;
    let column =
        header.split('\t').position(|name| name == "score").context("the table has no column score")?;
    let score = |line: &str| line.split('\t').nth(column)?.parse().ok();
    lines.map(|line| score(line).with_context(|| format!("no score in {line:?}"))).collect()
}

/// Vectors of a column, as `st encode` prints them.
fn vectors(scene: &Scene, story: &Story, table: &Path, column: &str) -> Result<Vec<Vec<f32>>> {
    let mut st = scene.st_with_model("encode")?;
    st.arg("-i").arg(table).args(["--column", column]);
    let text = kept::answer(scene, story, &mut st, table)?;
    let line = |line: &str| serde_json::from_str(line).map(|Line { embedding }| embedding);
    text.lines().map(|text| line(text).context("st encode wrote another format")).collect()
}

/// The cosine of the angle between two vectors.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_from_their_column() {
        assert_eq!(scores("row\tscore\ttext\n1\t2.5\ta b\n2\t0\tc\n").unwrap(), [2.5, 0.0]);
        assert_eq!(scores("row\ttext\n").unwrap_err().to_string(), "the table has no column score");
        assert_eq!(scores("score\nhigh\n").unwrap_err().to_string(), "no score in \"high\"");
    }

    #[test]
    fn cosine_ignores_length() {
        assert!((cosine(&[3.0, 4.0], &[30.0, 40.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[1.0, 0.0], &[0.0, 2.0]).abs() < 1e-12);
    }
}
