//! Scores on the screen.

use std::fmt::Write as _;

use ndarray::{ArrayView1, ArrayView2};
use serde_json::json;
use st_core::Similarity;

use crate::report;
use crate::settings::Settings;

/// One score a line, beside its two texts.
pub(crate) fn print_pairs(
    scores: ArrayView1<'_, f32>,
    left: &[String],
    right: &[String],
    function: Similarity,
    mode: &str,
    settings: &Settings,
) -> anyhow::Result<()> {
    if settings.json {
        let answer = json!({"function": function.name(), "mode": mode, "scores": scores.to_vec()});
        return Ok(report::print_json(&answer)?);
    }
    let mut out = String::new();
    for ((score, left), right) in scores.iter().zip(left).zip(right) {
        let (left, right) = (report::snippet(left, 58), report::snippet(right, 58));
        writeln!(out, "{score:>8.4}  {left}  |  {right}")?;
    }
    Ok(report::print_text(&out)?)
}

/// A table with a row for each text on the left.
pub(crate) fn print_matrix(
    scores: &ArrayView2<'_, f32>,
    left: &[String],
    right: &[String],
    function: Similarity,
    mode: &str,
    settings: &Settings,
) -> anyhow::Result<()> {
    if settings.json {
        let rows: Vec<_> = scores.outer_iter().map(|row| row.to_vec()).collect();
        let answer = json!({"function": function.name(), "mode": mode, "scores": rows});
        return Ok(report::print_json(&answer)?);
    }
    let mut out = format!("{:>4}", "");
    for column in 1..=right.len() {
        write!(out, "{column:>9}")?;
    }
    out.push('\n');
    for (index, row) in scores.outer_iter().enumerate() {
        write!(out, "{:>4}", index + 1)?;
        for score in row {
            write!(out, "{score:>9.4}")?;
        }
        let text = left.get(index).map(|text| report::snippet(text, 60)).unwrap_or_default();
        writeln!(out, "  {text}")?;
    }
    Ok(report::print_text(&out)?)
}
