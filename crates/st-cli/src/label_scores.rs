//! Scores of pairs on the screen: one, or one for each label.

use std::fmt::Write as _;

use serde_json::json;

use crate::report;
use crate::reranker::Scorer;
use crate::settings::Settings;

/// Columns of the narrowest label.
const LEAST: usize = 8;

/// A pair a line; with several labels a column for each, under its name.
pub(crate) fn print(
    scores: &[f32],
    pairs: &[(&str, &str)],
    model: &Scorer,
    settings: &Settings,
) -> anyhow::Result<()> {
    let labels = model.model.label_names();
    let rows = scores.chunks(labels.len().max(1));
    if settings.json {
        let answer = json!({
            "activation": model.activation().name(),
            "mode": model.mode(),
            "labels": labels,
            "scores": rows.collect::<Vec<_>>(),
        });
        return Ok(report::print_json(&answer)?);
    }
    Ok(report::print_text(&lines(rows, pairs, labels)?)?)
}

fn lines<'a>(
    rows: impl Iterator<Item = &'a [f32]>,
    pairs: &[(&str, &str)],
    labels: &[String],
) -> Result<String, std::fmt::Error> {
    let names: Vec<_> = labels.iter().map(|label| label.replace(char::is_control, "\u{fffd}")).collect();
    let widths: Vec<_> = names.iter().map(|name| name.chars().count().max(LEAST)).collect();
    let mut out = String::new();
    if names.len() > 1 {
        for (name, width) in names.iter().zip(&widths) {
            write!(out, "{name:>width$}  ")?;
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    let used: usize = widths.iter().map(|width| width + 2).sum::<usize>() + 5;
    // Half of what the line has left for either text.
    let used = 100 - 100_usize.saturating_sub(used) / 2;
    for (scores, (left, right)) in rows.zip(pairs) {
        for (score, width) in scores.iter().zip(&widths) {
            write!(out, "{score:>width$.4}  ")?;
        }
        let (left, right) = (report::snippet(left, used), report::snippet(right, used));
        writeln!(out, "{}", format!("{left}  |  {right}").trim_end())?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], scores: &[f32], expected: &str) {
        let labels: Vec<_> = labels.iter().map(|&label| label.to_owned()).collect();
        let pairs = [("a  man", "b"), ("", "c")];
        assert_eq!(lines(scores.chunks(labels.len()), &pairs, &labels).unwrap(), expected);
    }

    #[test]
    fn one_label_needs_no_heading_and_several_stand_under_theirs() {
        check(&["LABEL_0"], &[0.5, -11.25], "  0.5000  a man  |  b\n-11.2500    |  c\n");
        check(
            &["contradiction", "no\u{1b}"],
            &[1.0, 0.0, 0.25, -2.0],
            "contradiction       no\u{fffd}\n       1.0000    0.0000  a man  |  b\n       0.2500   -2.0000    |  c\n",
        );
    }
}
