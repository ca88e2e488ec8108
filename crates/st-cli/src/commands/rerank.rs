//! `st rerank`: documents for a query, or pairs, scored by a cross-encoder.

use std::path::Path;

use super::Outcome;
use crate::args::{PairArgs, RerankArgs};
use crate::input::{Chunk, Origin, Source};
use crate::label_scores;
use crate::progress::Progress;
use crate::ranking::{self, Hit};
use crate::reranker::{self, Scorer};
use crate::settings::{self, Settings};

/// A pair takes as long as many vectors, so fewer are computed between two looks at the progress.
const CHUNK_TEXTS: usize = 256;

pub(crate) fn run(args: &RerankArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let options = reranker::predict_options(&args.scores);
    if let (Some(left), Some(right)) = (&args.pairs.left, &args.pairs.right) {
        let (left, right) = pairs(left, right, &args.pairs)?;
        let mut scorer = Scorer::load(&args.model, options, settings)?;
        score_pairs(&mut scorer, &left, &right, settings)?;
        scorer.note_truncated();
        return Ok(Outcome::Done);
    }
    let documents = open(args)?;
    let mut scorer = Scorer::load(&args.model, options, settings)?;
    scorer.check_ranks()?;
    let best = rank(&mut scorer, documents, args, settings)?;
    let function = ("activation", scorer.activation().name());
    ranking::print(&args.query, &best, function, scorer.mode(), settings)?;
    scorer.note_truncated();
    Ok(Outcome::Done)
}

fn open(args: &RerankArgs) -> anyhow::Result<Source> {
    let input = &args.input;
    let origin = match &input.input {
        Some(path) => settings::origin(path, input.input_format),
        None if args.documents.is_empty() => Origin::Stdin(input.input_format),
        None => Origin::Inline(args.documents.clone()),
    };
    let columns = settings::columns(input.column.as_ref(), input.id_column.as_ref());
    Ok(Source::open(&origin, &columns)?.with_chunk_texts(CHUNK_TEXTS))
}

fn rank(
    scorer: &mut Scorer,
    mut documents: Source,
    args: &RerankArgs,
    settings: &Settings,
) -> anyhow::Result<Vec<Vec<Hit>>> {
    let top_k = args.top_k.unwrap_or(usize::MAX);
    let mut best: Vec<Vec<Hit>> = args.query.iter().map(|_| Vec::new()).collect();
    let mut progress = Progress::new(documents.gauge.clone(), settings.progress);
    let mut seen = 0;
    while let Some(chunk) = documents.next_chunk()? {
        for (query, hits) in args.query.iter().zip(&mut best) {
            let pairs: Vec<_> = chunk.texts.iter().map(|text| (query.as_str(), text.as_str())).collect();
            for (row, score) in scorer.predict(&pairs)?.into_iter().enumerate() {
                ranking::offer(hits, top_k, score, &chunk, row, seen);
            }
        }
        seen += chunk.texts.len();
        progress.add(chunk.texts.len());
    }
    Ok(best)
}

fn pairs(left: &Path, right: &Path, args: &PairArgs) -> anyhow::Result<(Chunk, Chunk)> {
    let read = |path: &Path, column: Option<&String>| {
        Source::open(&settings::origin(path, None), &settings::columns(column, None))?.read_all()
    };
    let (left, right) = (read(left, args.left_column.as_ref())?, read(right, args.right_column.as_ref())?);
    let (lefts, rights) = (left.texts.len(), right.texts.len());
    anyhow::ensure!(lefts == rights, "{lefts} texts on the left cannot be paired with {rights} on the right");
    Ok((left, right))
}

fn score_pairs(model: &mut Scorer, left: &Chunk, right: &Chunk, settings: &Settings) -> anyhow::Result<()> {
    let gauge = crate::input::Gauge::of_rows(left.texts.len());
    let mut progress = Progress::new(gauge.clone(), settings.progress);
    let (left, right) = (left.as_strs(), right.as_strs());
    let pairs: Vec<_> = left.into_iter().zip(right).collect();
    let mut scores = Vec::new();
    for part in pairs.chunks(CHUNK_TEXTS) {
        scores.extend(model.predict(part)?);
        gauge.add(part.len() as u64);
        progress.add(part.len());
    }
    drop(progress);
    label_scores::print(&scores, &pairs, model, settings)
}
