//! From a source to a sink, a chunk at a time, so that memory does not grow with the number of texts.

use st_core::{
    BoxError, EncodeOptions, Encoder, MultiVectorEncoder as _, Precision, SparseEncoder as _, SparseOptions,
    TokenEmbeddings, Vectors,
};
use st_model::{
    Calibrated, LateChunk, LateChunking, MultiVectorEncoder, Provenance, RangesFrom, SparseEncoder,
};
use st_pooling::STEADY_ROWS;

use crate::error::Error;
use crate::input::{Chunk, Source};
use crate::long_texts::LongTexts;
use crate::model::{self, Loaded};
use crate::output::{Labels, Sink, SparseSink, TokenSink};
use crate::progress::Progress;
use crate::report;
use crate::settings::Settings;
use crate::spill::Spill;

/// Token embeddings are a hundred times as large as vectors, so fewer texts are in memory at a time.
pub(crate) const TOKEN_CHUNK_TEXTS: usize = 64;

/// What there is to say at the end.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) texts: usize,
    pub(crate) dim: usize,
    pub(crate) tokens: usize,
    /// Vectors, where a text has several.
    pub(crate) chunks: Option<usize>,
    /// Values of sparse vectors that are not zero.
    pub(crate) active: Option<usize>,
    pub(crate) long_texts: LongTexts,
}

/// What is made of the texts.
pub(crate) struct Work<'a> {
    pub(crate) options: &'a EncodeOptions,
    /// The vectors are their own calibration, whatever the model keeps.
    pub(crate) own_ranges: bool,
    /// What stands beside each vector.
    pub(crate) labels: Labels,
}

/// Encodes everything into `sink`; eight-bit vectors without ranges go over the disk.
pub(crate) fn vectors(
    source: Source,
    loaded: &Loaded,
    work: &Work<'_>,
    mut sink: Box<dyn Sink>,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let Work { options, own_ranges, labels } = *work;
    let float = options.clone().with_precision(Precision::Float32);
    let mut provenance = loaded.provenance(if own_ranges { &float } else { options })?;
    provenance.precision = options.precision;
    let eight_bit = matches!(options.precision, Precision::Int8 | Precision::Uint8);
    let counts = if eight_bit && provenance.calibration.is_none() {
        // The ranges are those of all texts, not of the first chunk.
        let mut spill = Spill::new(labels)?;
        let counts = each_chunk(source, loaded, &float, settings, |chunk, vectors| match vectors {
            Vectors::Float32(rows) => spill.write(chunk, &rows),
            _ => Ok(()),
        })?;
        check_calibration(options.precision.name(), spill.rows())?;
        provenance.calibration = spill.ranges().map(|ranges| Calibrated::new(&ranges, RangesFrom::Input));
        sink.describe(&provenance)?;
        spill.quantize_into(options.precision, sink.as_mut())?;
        counts
    } else {
        sink.describe(&provenance)?;
        each_chunk(source, loaded, options, settings, |chunk, vectors| Ok(sink.write(chunk, &vectors)?))?
    };
    sink.finish()?;
    Ok(counts)
}

/// Encodes chunk by chunk and hands each on.
pub(crate) fn each_chunk(
    mut source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    settings: &Settings,
    mut take: impl FnMut(&Chunk, Vectors) -> anyhow::Result<()>,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let encoded = loaded.encoder.encode(&chunk.as_strs(), options);
        let encoded = encoded.map_err(|error| model::encoding_after(counts.texts, error))?;
        counts.long_texts.add(counts.texts, &encoded.overlong);
        counts.texts += chunk.texts.len();
        counts.dim = encoded.vectors.dim().1;
        counts.tokens += encoded.tokens;
        take(&chunk, encoded.vectors)?;
        progress.add(chunk.texts.len());
    }
    Ok(counts)
}

/// Encodes everything into one vector a token.
pub(crate) fn tokens(
    source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    sink: TokenSink,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let mut provenance = loaded.provenance(options)?;
    "token_embeddings".clone_into(&mut provenance.output_value);
    // They are neither truncated nor scaled.
    (provenance.dimension, provenance.normalized) =
        (loaded.encoder.spec().default_route().token_dim(), false);
    let encode = |texts: &[&str]| loaded.encoder.encode_tokens(texts, options);
    each_token(source, &provenance, encode, sink, settings)
}

/// Encodes everything into one vector for each token that counts.
pub(crate) fn multi_vector(
    source: Source,
    loaded: &Loaded<MultiVectorEncoder>,
    options: &EncodeOptions,
    sink: TokenSink,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let provenance = loaded.provenance(options)?;
    let encode = |texts: &[&str]| loaded.encoder.encode(texts, options);
    each_token(source, &provenance, encode, sink, settings)
}

fn each_token(
    mut source: Source,
    provenance: &Provenance,
    encode: impl Fn(&[&str]) -> Result<TokenEmbeddings, BoxError>,
    mut sink: TokenSink,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    sink.describe(provenance)?;
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let tokens = encode(&chunk.as_strs()).map_err(|error| model::encoding_after(counts.texts, error))?;
        counts.long_texts.add(counts.texts, &tokens.overlong);
        counts.texts += chunk.texts.len();
        counts.dim = tokens.texts.first().map_or(0, ndarray::ArrayBase::ncols);
        counts.tokens += tokens.tokens();
        sink.write(&chunk, &tokens)?;
        progress.add(chunk.texts.len());
    }
    sink.finish()?;
    Ok(counts)
}

/// Encodes everything into sparse vectors, with their tokens if those are wanted.
pub(crate) fn sparse(
    mut source: Source,
    loaded: &Loaded<SparseEncoder>,
    options: &SparseOptions,
    with_tokens: bool,
    mut sink: SparseSink,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    sink.describe(&loaded.provenance(options)?)?;
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let encoded = loaded.encoder.encode(&chunk.as_strs(), options);
        let encoded = encoded.map_err(|error| model::encoding_after(counts.texts, error))?;
        counts.long_texts.add(counts.texts, &encoded.overlong);
        counts.texts += chunk.texts.len();
        counts.dim = encoded.vectors.dim();
        counts.tokens += encoded.tokens;
        *counts.active.get_or_insert(0) += encoded.vectors.parts().1.len();
        let tokens = if with_tokens { loaded.encoder.decode(&encoded.vectors, None) } else { Vec::new() };
        sink.write(&chunk, &encoded.vectors, &tokens)?;
        progress.add(chunk.texts.len());
    }
    sink.finish()?;
    Ok(counts)
}

/// Encodes everything into one vector a chunk of each text.
pub(crate) fn late(
    mut source: Source,
    loaded: &Loaded,
    work: &Work<'_>,
    chunking: LateChunking,
    mut sink: Box<dyn Sink>,
    settings: &Settings,
) -> anyhow::Result<Counts> {
    let mut provenance = loaded.provenance(work.options)?;
    let eight_bit = matches!(work.options.precision, Precision::Int8 | Precision::Uint8);
    if eight_bit && (work.own_ranges || provenance.calibration.is_none()) {
        let problem =
            "late chunks have no ranges of their own: `st calibrate` the model, or pass `--ranges FILE.npy`";
        return Err(Error::Usage { problem: problem.to_owned() }.into());
    }
    provenance.long_text = chunking.into();
    sink.describe(&provenance)?;
    let mut counts = Counts::default();
    let mut progress = Progress::new(source.gauge.clone(), settings.progress);
    while let Some(chunk) = source.next_chunk()? {
        let late = loaded.encoder.encode_late(&chunk.as_strs(), chunking, work.options);
        let late = late.map_err(|error| model::encoding_after(counts.texts, error))?;
        counts.long_texts.add(counts.texts, &late.overlong);
        let labels = chunk_labels(&chunk, counts.texts, &late.chunks);
        counts.texts += chunk.texts.len();
        counts.dim = late.vectors.dim().1;
        counts.tokens += late.tokens;
        *counts.chunks.get_or_insert(0) += late.chunks.len();
        sink.write(&labels, &late.vectors)?;
        progress.add(chunk.texts.len());
    }
    sink.finish()?;
    Ok(counts)
}

/// What stands beside the vectors of chunks: the name of the text, or its row, and the number of the chunk in it, from 0.
fn chunk_labels(texts: &Chunk, before: usize, chunks: &[LateChunk]) -> Chunk {
    let mut labels = Chunk::default();
    for chunk in chunks {
        let row = || (before + chunk.text + 1).to_string();
        let id = texts.ids.get(chunk.text).cloned().unwrap_or_else(row);
        labels.ids.push(format!("{id}#{}", chunk.chunk));
        let text = texts.texts.get(chunk.text).map(String::as_str).unwrap_or_default();
        let part = chunk.bytes.clone().and_then(|bytes| text.get(bytes)).unwrap_or_default();
        labels.texts.push(part.to_owned());
        labels.spans.push(chunk.bytes.as_ref().map(|bytes| (bytes.start as u64, bytes.end as u64)));
    }
    labels
}

/// One text is refused, few are warned of, as the reference does.
pub(crate) fn check_calibration(precision: &'static str, rows: usize) -> Result<(), Error> {
    if rows < 2 {
        return Err(Error::OneText { precision });
    }
    if rows < STEADY_ROWS {
        let text = format!(
            "{precision} ranges come from {rows} texts only; {STEADY_ROWS} texts and more make them more stable"
        );
        report::note("warning", &text);
    }
    Ok(())
}
