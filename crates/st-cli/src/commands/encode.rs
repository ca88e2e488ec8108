//! `st encode`: texts to vectors, a chunk at a time.

use std::time::Instant;

use serde_json::json;
use st_core::{EncodeOptions, Encoder, Precision, Vectors};
use st_pooling::STEADY_ROWS;

use super::Outcome;
use crate::args::{EncodeArgs, OutputValue};
use crate::error::Error;
use crate::input::Source;
use crate::model::{self, Loaded, encoding};
use crate::output::{Labels, Sink, Target, npy};
use crate::progress::Progress;
use crate::report::{self, Report};
use crate::settings::{self, Settings};
use crate::spill::Spill;

/// Token embeddings are a hundred times as large as vectors, so fewer texts are in memory at a time.
const TOKEN_CHUNK_TEXTS: usize = 64;

/// What there is to say at the end.
#[derive(Default)]
struct Counts {
    texts: usize,
    dim: usize,
    truncated: usize,
    tokens: usize,
}

pub(crate) fn run(args: &EncodeArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let target = target(args);
    if settings.json && target.path.is_none() {
        let problem = "`--json` prints a summary on standard output, where the vectors go: add `-o FILE`";
        return Err(Error::Usage { problem: problem.to_owned() }.into());
    }
    let columns = settings::columns(args.input.column.as_ref(), args.input.id_column.as_ref());
    let source = Source::open(&settings::texts_or_file(&args.texts, &args.input), &columns)?;
    let options = options(args)?;
    let (counts, loaded, started) = match args.vectors.output_value {
        OutputValue::SentenceEmbedding => {
            let sink = target.open()?;
            let loaded = model::load(&args.model, settings)?;
            let started = Instant::now();
            (vectors(source, &loaded, &options, &target, sink, settings)?, loaded, started)
        }
        OutputValue::TokenEmbeddings => {
            let source = source.with_chunk_texts(TOKEN_CHUNK_TEXTS);
            let sink = target.open_tokens()?;
            let loaded = model::load(&args.model, settings)?;
            let started = Instant::now();
            (tokens(source, &loaded, &options, sink, settings)?, loaded, started)
        }
    };
    report::note_truncated(counts.truncated, counts.texts, loaded.encoder.max_tokens());
    let report = summary(&counts, &loaded, started, &target);
    if settings.json {
        report::print(&report, settings)?;
    } else if target.path.is_some() {
        report::print_aside(&report);
    }
    Ok(Outcome::Done)
}

fn target(args: &EncodeArgs) -> Target {
    Target {
        path: settings::file(&args.output.output),
        format: args.output.output_format,
        force: args.output.force,
        labels: Labels { text: args.output.with_text, id: args.input.id_column.is_some() },
    }
}

fn options(args: &EncodeArgs) -> Result<EncodeOptions, Error> {
    let vectors = &args.vectors;
    let mut options = settings::encode_options(&args.prompt)
        .with_normalize(vectors.normalize)
        .with_precision(vectors.precision);
    options.truncate_dim = vectors.truncate_dim;
    options.max_tokens_per_batch = vectors.max_tokens_per_batch;
    options.ranges = vectors.ranges.as_deref().map(npy::read_ranges).transpose()?;
    Ok(options)
}

fn vectors(
    source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    target: &Target,
    mut sink: Box<dyn Sink>,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let eight_bit = matches!(options.precision, Precision::Int8 | Precision::Uint8);
    let counts = if eight_bit && options.ranges.is_none() {
        // The ranges are those of all texts, not of the first chunk.
        let mut spill = Spill::new(target.labels)?;
        let float = options.clone().with_precision(Precision::Float32);
        let counts = each_chunk(source, loaded, &float, settings, |chunk, vectors| match vectors {
            Vectors::Float32(rows) => spill.write(chunk, &rows),
            _ => Ok(()),
        })?;
        check_calibration(options.precision, spill.rows())?;
        spill.quantize_into(options.precision, sink.as_mut())?;
        counts
    } else {
        each_chunk(source, loaded, options, settings, |chunk, vectors| Ok(sink.write(chunk, &vectors)?))?
    };
    sink.finish()?;
    Ok(counts)
}

/// Encodes chunk by chunk and hands each on.
fn each_chunk(
    mut source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    settings: &Settings,
    mut take: impl FnMut(&crate::input::Chunk, Vectors) -> anyhow::Result<()>,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let encoded = loaded.encoder.encode(&chunk.as_strs(), options).map_err(encoding)?;
        counts.texts += chunk.texts.len();
        counts.dim = encoded.vectors.dim().1;
        counts.truncated += encoded.truncated;
        counts.tokens += encoded.tokens;
        take(&chunk, encoded.vectors)?;
        progress.add(chunk.texts.len());
    }
    Ok(counts)
}

fn tokens(
    mut source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    mut sink: crate::output::TokenSink,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let tokens = loaded.encoder.encode_tokens(&chunk.as_strs(), options).map_err(encoding)?;
        counts.texts += chunk.texts.len();
        counts.dim = tokens.texts.first().map_or(0, ndarray::ArrayBase::ncols);
        counts.truncated += tokens.truncated;
        counts.tokens += tokens.tokens();
        sink.write(&chunk, &tokens)?;
        progress.add(chunk.texts.len());
    }
    sink.finish()?;
    Ok(counts)
}

/// One text is refused, few are warned of, as the reference does.
fn check_calibration(precision: Precision, rows: usize) -> Result<(), Error> {
    if rows < 2 {
        return Err(Error::OneText { precision });
    }
    if rows < STEADY_ROWS {
        let text = format!(
            "{precision} ranges come from {rows} texts only; `--ranges`, or {STEADY_ROWS} texts and more, \
             make them more stable"
        );
        report::note("warning", &text);
    }
    Ok(())
}

fn summary(counts: &Counts, loaded: &Loaded, started: Instant, target: &Target) -> Report {
    Report::from_iter([
        ("texts".to_owned(), json!(counts.texts)),
        ("dim".to_owned(), json!(counts.dim)),
        ("truncated".to_owned(), json!(counts.truncated)),
        ("tokens".to_owned(), json!(counts.tokens)),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
        ("load_seconds".to_owned(), json!(loaded.took.as_secs_f64())),
        ("output".to_owned(), json!(target.name())),
    ])
}
