//! The best texts of a corpus that passes by once.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::json;

use crate::input::Chunk;
use crate::report;
use crate::settings::Settings;

/// A text of the corpus beside its score.
pub(crate) struct Hit {
    pub(crate) score: f32,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// The order of two scores, the better first; what is no number is the worst.
pub(crate) fn better(left: f32, right: f32) -> Ordering {
    let known = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
    known(right).partial_cmp(&known(left)).unwrap_or(Ordering::Equal)
}

/// Keeps a text if it is among the best; of equal ones the earlier. A score that is no number is the worst.
pub(crate) fn offer(hits: &mut Vec<Hit>, top_k: usize, score: f32, chunk: &Chunk, row: usize, before: usize) {
    let place = hits.partition_point(|hit| better(hit.score, score) != Ordering::Greater);
    if place >= top_k {
        return;
    }
    let Some(text) = chunk.texts.get(row) else { return };
    let id = chunk.ids.get(row).cloned().unwrap_or_else(|| (before + row + 1).to_string());
    hits.insert(place, Hit { score, id, text: text.clone() });
    hits.truncate(top_k);
}

/// Prints the best texts of each query; `function` is what to call what made the scores, and its name.
pub(crate) fn print(
    queries: &[String],
    best: &[Vec<Hit>],
    (kind, function): (&str, &str),
    mode: &str,
    settings: &Settings,
) -> anyhow::Result<()> {
    if settings.json {
        let hit = |(rank, hit): (usize, &Hit)| json!({"rank": rank + 1, "score": hit.score, "id": hit.id, "text": hit.text});
        let answers = queries.iter().zip(best).map(|(query, hits)| {
            json!({"query": query, "hits": hits.iter().enumerate().map(hit).collect::<Vec<_>>()})
        });
        let answers: Vec<_> = answers.collect();
        return Ok(report::print_json(&json!({kind: function, "mode": mode, "queries": answers}))?);
    }
    let mut out = String::new();
    for (index, (query, hits)) in queries.iter().zip(best).enumerate() {
        if index > 0 {
            out.push('\n');
        }
        writeln!(out, "{query}")?;
        let width = hits.iter().map(|hit| hit.id.chars().count()).max().unwrap_or_default();
        for (rank, hit) in hits.iter().enumerate() {
            let text = report::snippet(&hit.text, 19 + width);
            let line = format!("  {:>3}  {:>8.4}  {:<width$}  {text}", rank + 1, hit.score, hit.id);
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(report::print_text(&out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_in_order_and_ties_go_to_the_earlier() {
        let texts: Vec<String> = (0..6).map(|row| format!("text {row}")).collect();
        let chunk = Chunk { texts, ..Chunk::default() };
        let mut hits = Vec::new();
        for (row, score) in [0.5, 0.9, f32::NAN, 0.5, 0.7, 0.1].into_iter().enumerate() {
            offer(&mut hits, 3, score, &chunk, row, 100);
        }
        let kept: Vec<_> = hits.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
        assert_eq!(kept, [("102", 0.9), ("105", 0.7), ("101", 0.5)]);
    }
}
