//! `st encode`: texts to vectors, a chunk at a time.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use st_core::{EncodeOptions, Encoder, SparseEncoder as _};
use st_model::LateChunking;

use super::Outcome;
use crate::args::{EncodeArgs, OutputValue};
use crate::encoding::{self, Counts, TOKEN_CHUNK_TEXTS, Work};
use crate::error::Error;
use crate::input::Source;
use crate::model::{self, Loaded};
use crate::output::{Labels, Target, npy};
use crate::report::{self, Report};
use crate::settings::{self, Settings};

pub(crate) fn run(args: &EncodeArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let target = settings::target(args);
    if settings.json && target.path.is_none() {
        let problem = "`--json` prints a summary on standard output, where the vectors go: add `-o FILE`";
        return Err(Error::Usage { problem: problem.to_owned() }.into());
    }
    let columns = settings::columns(args.input.column.as_ref(), args.input.id_column.as_ref());
    let source = Source::open(&settings::texts_or_file(&args.texts, &args.input), &columns)?;
    // Each output is opened before the model is loaded: a refusal comes at once.
    let Done { counts, run } = match (args.kind.sparse, args.kind.multi_vector) {
        (true, _) => sparse(args, source, &target, settings)?,
        (false, true) => multi_vector(args, source, &target, settings)?,
        (false, false) => dense(args, source, &target, settings)?,
    };
    counts.long_texts.note(counts.texts, run.max_tokens);
    let report = summary(&counts, &run, &target);
    if settings.json {
        let mut report = report;
        report.insert("long_texts".to_owned(), counts.long_texts.rows());
        report::print(&report, settings)?;
    } else if target.path.is_some() {
        report::print_aside(&report);
    }
    Ok(Outcome::Done)
}

/// What was done, and with what.
struct Done {
    counts: Counts,
    run: Run,
}

/// A model at work.
struct Run {
    started: Instant,
    load: Duration,
    mode: &'static str,
    max_tokens: Option<usize>,
}

fn dense(args: &EncodeArgs, source: Source, target: &Target, settings: &Settings) -> anyhow::Result<Done> {
    let options = options(args)?;
    let work = Work { options: &options, own_ranges: wants_own(args), labels: target.labels };
    let load = || -> anyhow::Result<(Loaded, Run)> {
        let loaded = model::load(&args.model, settings)?;
        let run = Run {
            started: Instant::now(),
            load: loaded.took,
            mode: model::mode(&loaded.encoder),
            max_tokens: loaded.encoder.max_tokens(),
        };
        Ok((loaded, run))
    };
    let (counts, run) = match (args.late_chunking, args.vectors.output_value) {
        (Some(tokens), _) => {
            let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
            let sink = target.open()?;
            let (loaded, run) = load()?;
            let chunking = LateChunking::new(tokens).with_overlap(args.long_text.overlap.unwrap_or(0));
            (encoding::late(source, &loaded, &work, chunking, sink, settings)?, run)
        }
        (None, OutputValue::SentenceEmbedding) => {
            let sink = target.open()?;
            let (loaded, run) = load()?;
            (encoding::vectors(source, &loaded, &work, sink, settings)?, run)
        }
        (None, OutputValue::TokenEmbeddings) => {
            let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
            let sink = target.open_tokens(false)?;
            let (loaded, run) = load()?;
            (encoding::tokens(source, &loaded, &options, sink, settings)?, run)
        }
    };
    Ok(Done { counts, run })
}

fn sparse(args: &EncodeArgs, source: Source, target: &Target, settings: &Settings) -> anyhow::Result<Done> {
    let mut options = settings::sparse_options(&args.prompt, &args.kind);
    options.max_tokens_per_batch = args.vectors.max_tokens_per_batch;
    let sink = target.open_sparse()?;
    let located = model::locate_for(&args.model, settings)?;
    let loaded = model::load_sparse(&located, &settings.load_options(&args.model))?;
    let run = Run {
        started: Instant::now(),
        load: loaded.took,
        mode: model::mode_name(loaded.encoder.mode()),
        max_tokens: loaded.encoder.max_tokens(),
    };
    let Labels { tokens, .. } = target.labels;
    Ok(Done { counts: encoding::sparse(source, &loaded, &options, tokens, sink, settings)?, run })
}

fn multi_vector(
    args: &EncodeArgs,
    source: Source,
    target: &Target,
    settings: &Settings,
) -> anyhow::Result<Done> {
    let options = options(args)?;
    let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
    let sink = target.open_tokens(true)?;
    let located = model::locate_for(&args.model, settings)?;
    let loaded = model::load_multi_vector(&located, &settings.load_options(&args.model))?;
    let run = Run {
        started: Instant::now(),
        load: loaded.took,
        mode: model::mode_name(loaded.encoder.mode()),
        max_tokens: loaded.encoder.limit(options.task),
    };
    Ok(Done { counts: encoding::multi_vector(source, &loaded, &options, sink, settings)?, run })
}

fn options(args: &EncodeArgs) -> Result<EncodeOptions, Error> {
    let vectors = &args.vectors;
    let mut options = settings::encode_options(&args.prompt)
        .with_normalize(vectors.normalize)
        .with_precision(vectors.precision);
    options.truncate_dim = vectors.truncate_dim;
    if args.late_chunking.is_none() {
        options.long_text = settings::long_text(args.long_text.long_text, args.long_text.overlap)?;
    }
    options.max_tokens_per_batch = vectors.max_tokens_per_batch;
    if !wants_own(args) {
        options.ranges = vectors.ranges.as_deref().map(npy::read_ranges).transpose()?;
    }
    Ok(options)
}

/// Whether the vectors of the input are their own calibration, whatever the model keeps.
fn wants_own(args: &EncodeArgs) -> bool {
    args.vectors.ranges.as_deref() == Some(Path::new("input"))
}

fn summary(counts: &Counts, run: &Run, target: &Target) -> Report {
    let mut report = Report::from_iter([
        ("texts".to_owned(), json!(counts.texts)),
        ("dim".to_owned(), json!(counts.dim)),
        ("chunks".to_owned(), json!(counts.chunks)),
    ]);
    if let Some(active) = counts.active {
        report.extend(sparsity(active, counts.texts, counts.dim));
    }
    report.extend([
        ("truncated".to_owned(), json!(counts.long_texts.cut())),
        ("tokens".to_owned(), json!(counts.tokens)),
        ("seconds".to_owned(), json!(run.started.elapsed().as_secs_f64())),
        ("load_seconds".to_owned(), json!(run.load.as_secs_f64())),
        ("mode".to_owned(), json!(run.mode)),
        ("output".to_owned(), json!(target.name())),
    ]);
    report
}

/// What Python's `SparseEncoder.sparsity` tells: values of a vector that are not zero in the mean, and the share of those
/// that are.
#[expect(clippy::cast_precision_loss, reason = "for people; nobody has 2^53 values")]
fn sparsity(active: usize, texts: usize, dim: usize) -> Report {
    let mean = active as f64 / texts.max(1) as f64;
    let ratio = 1.0 - mean / dim.max(1) as f64;
    let round = |value: f64, digits: i32| (value * 10_f64.powi(digits)).round() / 10_f64.powi(digits);
    Report::from_iter([
        ("active_dims".to_owned(), json!(round(mean, 2))),
        ("sparsity_ratio".to_owned(), json!(round(ratio, 6))),
    ])
}
