//! `st search`: the closest texts of a corpus that is read once.

use ndarray::Array2;
use st_core::{EncodeOptions, Encoder, Task};
use st_pooling::similarity;

use super::Outcome;
use crate::args::SearchArgs;
use crate::input::Source;
use crate::model::{self, Loaded};
use crate::progress::Progress;
use crate::ranking::{self, Hit};
use crate::report;
use crate::settings::{self, Settings};

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
                ranking::offer(hits, args.top_k, score, &chunk, row, texts);
            }
        }
        texts += chunk.texts.len();
        truncated += cut;
        progress.add(chunk.texts.len());
    }
    drop(progress);
    report::note_truncated(truncated, texts, loaded.encoder.max_tokens());
    ranking::print(&args.query, &best, function.name(), model::mode(&loaded.encoder), settings)?;
    Ok(Outcome::Done)
}

fn encode(texts: &[&str], task: Task, loaded: &Loaded) -> anyhow::Result<(Array2<f32>, usize)> {
    let options = EncodeOptions::default().with_task(task);
    let encoded = loaded.encoder.encode(texts, &options).map_err(model::encoding)?;
    let rows = encoded.vectors.into_float32();
    let rows = rows.ok_or_else(|| anyhow::anyhow!("the encoder quantised unasked"))?;
    Ok((rows, encoded.truncated))
}
