//! `st search`: the closest texts of a corpus that is read once.

use std::path::Path;

use ndarray::Array2;
use st_core::{EncodeOptions, Similarity, Task};

use super::Outcome;
use crate::args::SearchArgs;
use crate::encoding::TOKEN_CHUNK_TEXTS;
use crate::error::Error;
use crate::input::{Chunk, Gauge, Source};
use crate::long_texts::LongTexts;
use crate::model;
use crate::progress::Progress;
use crate::ranking::{self, Hit};
use crate::reranker::Scorer;
use crate::saved_corpus::SavedCorpus;
use crate::searcher::{Rows, Searcher};
use crate::settings::{self, Settings};

pub(crate) fn run(args: &SearchArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let corpus = args.corpus.as_deref().map(|path| open(path, args)).transpose()?;
    let saved = SavedCorpus::open(&args.vectors, args.trust_vectors)?;
    let searcher = Searcher::load(&model::locate_for(&args.model, settings)?, args, settings)?;
    let reranker = args.rerank.as_deref();
    let reranker = reranker.map(|path| Scorer::load_beside(path, &args.model, settings)).transpose()?;
    let queries: Vec<&str> = args.query.iter().map(String::as_str).collect();
    let long_text = settings::long_text(args.long_text.long_text, args.long_text.overlap)?;
    let mut plain = EncodeOptions::default();
    plain.long_text = long_text;
    let mut options = plain.clone().with_task(Task::Query);
    if let (Some(saved), Searcher::Dense(loaded)) = (&saved, &searcher) {
        options = saved.fit(options, loaded)?;
    }
    let (queries, _) = searcher.encode(&queries, &options).map_err(model::encoding)?;
    let top_k = reranker.as_ref().map_or(args.top_k, |_| args.candidates.max(args.top_k));
    let ranks =
        Ranks { searcher: &searcher, queries, asked: args.function, top_k, best: Vec::new(), seen: 0 };
    let mut best = match (saved, corpus) {
        (Some(saved), corpus) => rank_saved(saved, corpus, ranks, settings)?,
        (None, Some(corpus)) => rank_texts(corpus, ranks, &plain.with_task(Task::Document), settings)?,
        (None, None) => Vec::new(),
    };
    let Some(mut reranker) = reranker else {
        let name = ("function", searcher.function(args.function));
        ranking::print(&args.query, &best, name, searcher.mode(), settings)?;
        return Ok(Outcome::Done);
    };
    if args.corpus.is_none() && best.iter().flatten().any(|hit| hit.text.is_empty()) {
        return Err(Error::NoTexts.into());
    }
    reranker.sort(&args.query, &mut best, args.top_k)?;
    let name = ("activation", reranker.activation().name());
    ranking::print(&args.query, &best, name, reranker.mode(), settings)?;
    reranker.note_truncated();
    Ok(Outcome::Done)
}

fn open(path: &Path, args: &SearchArgs) -> anyhow::Result<Source> {
    let columns = settings::columns(args.column.as_ref(), args.id_column.as_ref());
    Ok(Source::open(&settings::origin(path, args.input_format), &columns)?)
}

/// The best texts so far.
struct Ranks<'a> {
    searcher: &'a Searcher,
    queries: Rows,
    /// How to compare, where it was said.
    asked: Option<Similarity>,
    top_k: usize,
    /// For each query.
    best: Vec<Vec<Hit>>,
    seen: usize,
}

impl Ranks<'_> {
    /// Compares the queries with some more texts, whose labels are in `chunk`.
    fn offer(&mut self, rows: &Rows, chunk: &Chunk) -> anyhow::Result<()> {
        let scores: Array2<f32> = self.searcher.scores(&self.queries, rows, self.asked)?;
        self.best.resize_with(scores.nrows(), Vec::new);
        for (hits, scores) in self.best.iter_mut().zip(scores.outer_iter()) {
            for (row, &score) in scores.iter().enumerate() {
                ranking::offer(hits, self.top_k, score, chunk, row, self.seen);
            }
        }
        self.seen += scores.ncols();
        Ok(())
    }
}

fn rank_texts(
    mut corpus: Source,
    mut ranks: Ranks<'_>,
    options: &EncodeOptions,
    settings: &Settings,
) -> anyhow::Result<Vec<Vec<Hit>>> {
    let searcher = ranks.searcher;
    if matches!(searcher, Searcher::Late(_)) {
        corpus = corpus.with_chunk_texts(TOKEN_CHUNK_TEXTS);
    }
    let mut progress = Progress::new(corpus.gauge.clone(), settings.progress);
    let mut long_texts = LongTexts::default();
    while let Some(chunk) = corpus.next_chunk()? {
        let encoded = searcher.encode(&chunk.as_strs(), options);
        let (rows, overlong) = encoded.map_err(|error| model::encoding_after(ranks.seen, error))?;
        long_texts.add(ranks.seen, &overlong);
        ranks.offer(&rows, &chunk)?;
        progress.add(chunk.texts.len());
    }
    drop(progress);
    long_texts.note(ranks.seen, searcher.max_tokens());
    Ok(ranks.best)
}

fn rank_saved(
    saved: SavedCorpus,
    corpus: Option<Source>,
    mut ranks: Ranks<'_>,
    settings: &Settings,
) -> anyhow::Result<Vec<Vec<Hit>>> {
    let gauge = Gauge::of_rows(saved.rows());
    let mut progress = Progress::new(gauge.clone(), settings.progress);
    saved.each(corpus, |rows, chunk| {
        let count = rows.nrows();
        ranks.offer(&Rows::Dense(rows), chunk)?;
        gauge.add(count as u64);
        progress.add(count);
        Ok(())
    })?;
    Ok(ranks.best)
}
