//! `st search`: the closest texts of a corpus that is read once.

use std::fmt::Write as _;

use ndarray::Array2;
use serde_json::json;
use st_core::{EncodeOptions, Encoder, Task};
use st_pooling::similarity;

use super::Outcome;
use crate::args::SearchArgs;
use crate::input::{Chunk, Source};
use crate::model::{self, Loaded};
use crate::progress::Progress;
use crate::report;
use crate::settings::{self, Settings};

/// A text of the corpus beside its score.
struct Hit {
    score: f32,
    id: String,
    text: String,
}

pub(crate) fn run(args: &SearchArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let columns = settings::columns(args.column.as_ref(), args.id_column.as_ref());
    let mut source = Source::open(&settings::origin(&args.corpus, args.input_format), &columns)?;
    let loaded = model::load(&args.model, settings)?;
    let function = args.function.unwrap_or_else(|| loaded.encoder.similarity());
    let queries: Vec<&str> = args.query.iter().map(String::as_str).collect();
    let (query_rows, _) = encode(&queries, Task::Query, &loaded)?;
    let mut best: Vec<Vec<Hit>> = args.query.iter().map(|_| Vec::new()).collect();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    let (mut texts, mut truncated) = (0, 0);
    while let Some(chunk) = source.next_chunk()? {
        let (rows, cut) = encode(&chunk.as_strs(), Task::Document, &loaded)?;
        let scores = similarity(query_rows.view(), rows.view(), function)?;
        for (hits, scores) in best.iter_mut().zip(scores.outer_iter()) {
            for (row, &score) in scores.iter().enumerate() {
                offer(hits, args.top_k, score, &chunk, row, texts);
            }
        }
        texts += chunk.texts.len();
        truncated += cut;
        progress.add(chunk.texts.len());
    }
    drop(progress);
    report::note_truncated(truncated, texts, loaded.encoder.max_tokens());
    print(&args.query, &best, function.name(), settings)?;
    Ok(Outcome::Done)
}

fn encode(texts: &[&str], task: Task, loaded: &Loaded) -> anyhow::Result<(Array2<f32>, usize)> {
    let options = EncodeOptions::default().with_task(task);
    let encoded = loaded.encoder.encode(texts, &options).map_err(model::encoding)?;
    let rows = encoded.vectors.into_float32();
    let rows = rows.ok_or_else(|| anyhow::anyhow!("the encoder quantised unasked"))?;
    Ok((rows, encoded.truncated))
}

/// Keeps a text if it is among the best; of equal ones the earlier. A score that is no number is the worst.
fn offer(hits: &mut Vec<Hit>, top_k: usize, score: f32, chunk: &Chunk, row: usize, before: usize) {
    let score = if score.is_nan() { f32::NEG_INFINITY } else { score };
    let place = hits.partition_point(|hit| hit.score >= score);
    if place >= top_k {
        return;
    }
    let Some(text) = chunk.texts.get(row) else { return };
    let id = chunk.ids.get(row).cloned().unwrap_or_else(|| (before + row + 1).to_string());
    hits.insert(place, Hit { score, id, text: text.clone() });
    hits.truncate(top_k);
}

fn print(queries: &[String], best: &[Vec<Hit>], function: &str, settings: &Settings) -> anyhow::Result<()> {
    if settings.json {
        let hit = |(rank, hit): (usize, &Hit)| json!({"rank": rank + 1, "score": hit.score, "id": hit.id, "text": hit.text});
        let answers = queries.iter().zip(best).map(|(query, hits)| {
            json!({"query": query, "hits": hits.iter().enumerate().map(hit).collect::<Vec<_>>()})
        });
        let answers: Vec<_> = answers.collect();
        return Ok(report::print_json(&json!({"function": function, "queries": answers}))?);
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
            writeln!(out, "  {:>3}  {:>8.4}  {:<width$}  {text}", rank + 1, hit.score, hit.id)?;
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
        let chunk = Chunk { texts, ids: Vec::new() };
        let mut hits = Vec::new();
        for (row, score) in [0.5, 0.9, f32::NAN, 0.5, 0.7, 0.1].into_iter().enumerate() {
            offer(&mut hits, 3, score, &chunk, row, 100);
        }
        let kept: Vec<_> = hits.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
        assert_eq!(kept, [("102", 0.9), ("105", 0.7), ("101", 0.5)]);
    }
}
