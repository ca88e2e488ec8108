//! `st encode`: texts to vectors, a chunk at a time.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use st_core::{EncodeOptions, Encoder};
use st_model::LateChunking;

use super::Outcome;
use crate::args::{EncodeArgs, OutputValue};
use crate::encoding::{self, Counts, TOKEN_CHUNK_TEXTS, Work};
use crate::error::Error;
use crate::input::Source;
use crate::model::{self, Loaded};
use crate::output::{Target, npy};
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
    let options = options(args)?;
    // Each output is opened before the model is loaded: a refusal comes at once.
    let work = Work { options: &options, own_ranges: wants_own(args), labels: target.labels };
    let (counts, loaded, started) = match (args.late_chunking, args.vectors.output_value) {
        (Some(tokens), _) => {
            let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
            let sink = target.open()?;
            let loaded = model::load(&args.model, settings)?;
            let started = Instant::now();
            let chunking = LateChunking::new(tokens).with_overlap(args.long_text.overlap.unwrap_or(0));
            (encoding::late(source, &loaded, &work, chunking, sink, settings)?, loaded, started)
        }
        (None, OutputValue::SentenceEmbedding) => {
            let sink = target.open()?;
            let loaded = model::load(&args.model, settings)?;
            let started = Instant::now();
            let counts = encoding::vectors(source, &loaded, &work, sink, settings)?;
            (counts, loaded, started)
        }
        (None, OutputValue::TokenEmbeddings) => {
            let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
            let sink = target.open_tokens()?;
            let loaded = model::load(&args.model, settings)?;
            let started = Instant::now();
            (encoding::tokens(source, &loaded, &options, sink, settings)?, loaded, started)
        }
    };
    counts.long_texts.note(counts.texts, loaded.encoder.max_tokens());
    let report = summary(&counts, &loaded, started, &target);
    if settings.json {
        let mut report = report;
        report.insert("long_texts".to_owned(), counts.long_texts.rows());
        report::print(&report, settings)?;
    } else if target.path.is_some() {
        report::print_aside(&report);
    }
    Ok(Outcome::Done)
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

fn summary(counts: &Counts, loaded: &Loaded, started: Instant, target: &Target) -> Report {
    Report::from_iter([
        ("texts".to_owned(), json!(counts.texts)),
        ("dim".to_owned(), json!(counts.dim)),
        ("chunks".to_owned(), json!(counts.chunks)),
        ("truncated".to_owned(), json!(counts.long_texts.cut())),
        ("tokens".to_owned(), json!(counts.tokens)),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
        ("load_seconds".to_owned(), json!(loaded.took.as_secs_f64())),
        ("mode".to_owned(), json!(model::mode(&loaded.encoder))),
        ("output".to_owned(), json!(target.name())),
    ])
}
