//! Where vectors come from: what has to be known of them before they may be compared with others.

mod kinds;
pub(crate) mod named;

use serde::{Deserialize, Serialize};
use st_core::{EncodeOptions, LongText, Mode, PoolingMode, Precision, Ranges, Similarity, Task};

use crate::{Error, LateChunking, SentenceTransformer, finish, prompt};

/// The newest version of the format that is read, and the one that is written.
const FORMAT_VERSION: u32 = 1;

/// What is said to have made vectors.
const MADE_BY: &str = concat!("st ", env!("CARGO_PKG_VERSION"));

/// What made a set of vectors, kept beside them wherever they are written.
///
/// Two sets can be compared if [`space_difference`](Self::space_difference) finds none. The prompt is told and not
/// compared: queries and documents of one model have different ones on purpose. Nor are the limit and the policy for
/// long texts: they decide how much of a text was read, not in which space its vector lies.
///
/// ```
/// use st_model::Provenance;
///
/// let text = r#"{"format_version": 1, "made_by": "st 0.1.0", "model": {"name": "minilm", "digest": "blake3:3f"},
///     "dimension": 384, "mode": "exact", "pooling": ["mean"], "normalized": true, "similarity": "cosine",
///     "precision": "float32", "output_value": "sentence_embedding", "prompt": {"name": "query", "text": "q: "},
///     "max_tokens": 256}"#;
/// let query = Provenance::from_json(text)?;
/// let document = Provenance::from_json(&text.replace("q: ", "d: "))?;
/// assert_eq!(query.space_difference(&document), None);
///
/// let other = Provenance::from_json(&text.replace("exact", "fast"))?;
/// let difference = query.space_difference(&other).map(|difference| difference.to_string());
/// assert_eq!(difference.as_deref(), Some("mode is exact on one side and fast on the other"));
/// # Ok::<(), st_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provenance {
    /// Version of this format.
    pub format_version: u32,
    /// Program and version.
    pub made_by: String,
    /// Which model.
    pub model: ModelIdentity,
    /// Dimensions of a vector; the binary precisions store eight in a byte.
    pub dimension: usize,
    /// In which numbers the model computed; none where that was the decision of whoever made the graph.
    #[serde(with = "named::option")]
    pub mode: Option<Mode>,
    /// How tokens were pooled.
    #[serde(with = "named::list")]
    pub pooling: Vec<PoolingMode>,
    /// Whether each vector has length one, before any quantisation.
    pub normalized: bool,
    /// How vectors of the model are meant to be compared.
    #[serde(with = "named")]
    pub similarity: Similarity,
    /// Number format.
    #[serde(with = "named")]
    pub precision: Precision,
    /// Where the values of the eight-bit precisions lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibrated>,
    /// One vector a text, one a token, or a sparse one a text: `sentence_embedding`, `token_embeddings`,
    /// `sparse_embedding`.
    pub output_value: String,
    /// Values of a sparse vector that were kept at most; all of them if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active_dims: Option<usize>,
    /// What stood before each text.
    pub prompt: PromptUsed,
    /// Tokens of a text that the model read at most, special tokens included.
    pub max_tokens: Option<usize>,
    /// What happened to longer texts.
    #[serde(default)]
    pub long_text: LongTextUsed,
}

/// What happened to texts that are longer than the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LongTextUsed {
    /// `truncate`, `error`, `chunk`, or `late` for one vector a chunk of each text.
    pub policy: String,
    /// Tokens that neighbouring windows share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<usize>,
    /// Tokens of a late chunk at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_tokens: Option<usize>,
}

impl Default for LongTextUsed {
    fn default() -> Self {
        LongText::Truncate.into()
    }
}

impl From<LongText> for LongTextUsed {
    fn from(policy: LongText) -> Self {
        let overlap = match policy {
            LongText::Chunk { overlap } => Some(overlap),
            _ => None,
        };
        Self { policy: policy.name().to_owned(), overlap, chunk_tokens: None }
    }
}

impl From<LateChunking> for LongTextUsed {
    fn from(LateChunking { tokens, overlap }: LateChunking) -> Self {
        Self { policy: "late".to_owned(), overlap: Some(overlap), chunk_tokens: Some(tokens) }
    }
}

/// Which model made vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelIdentity {
    /// What people call it: a folder's own name, or a URI. For messages only.
    #[serde(default)]
    pub name: Option<String>,
    /// ID of the logged model in MLflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Digest of everything in its folder that decides its vectors.
    pub digest: String,
}

/// What stood before each text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptUsed {
    /// `query` or `document`, if the texts were said to be that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Name under which the model keeps it; none if it was given as text, or if there was none.
    #[serde(default)]
    pub name: Option<String>,
    /// The text itself.
    pub text: String,
}

/// The ranges of the eight-bit precisions, so that their codes can be read as numbers again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calibrated {
    /// Digest of the two rows.
    pub digest: String,
    /// Where they come from.
    pub source: RangesFrom,
    /// Smallest value of each dimension.
    pub minima: Vec<f32>,
    /// Largest value of each dimension.
    pub maxima: Vec<f32>,
}

/// Where calibration ranges come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangesFrom {
    /// A file that was named.
    File,
    /// What the model folder keeps.
    Model,
    /// The vectors themselves.
    Input,
}

impl Calibrated {
    /// Notes ranges `[2, dim]`; other shapes give empty rows.
    pub fn new(ranges: &Ranges, source: RangesFrom) -> Self {
        let row = |row: usize| -> Vec<f32> {
            if row < ranges.0.nrows() { ranges.0.row(row).to_vec() } else { Vec::new() }
        };
        Self { digest: ranges_digest(ranges), source, minima: row(0), maxima: row(1) }
    }
}

/// Digest of calibration ranges: of the bytes of all minima, then all maxima.
pub(crate) fn ranges_digest(Ranges(ranges): &Ranges) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in ranges {
        hasher.update(&value.to_le_bytes());
    }
    format!("blake3:{}", hasher.finalize().to_hex())
}

/// Why two sets of vectors cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {left} on one side and {right} on the other")]
#[non_exhaustive]
pub struct SpaceDifference {
    /// What differs, such as `mode`.
    pub what: &'static str,
    /// What it is on the side that was asked.
    pub left: String,
    /// What it is on the side that it was compared with.
    pub right: String,
}

impl Provenance {
    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Provenance`] if it is something else, or of a format that is not known here.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let fail = |source: serde_json::Error| Error::Provenance { source: source.into() };
        let Version { format_version } = serde_json::from_str(text).map_err(fail)?;
        if format_version > FORMAT_VERSION {
            let newer = format!("its format is {format_version}, and {FORMAT_VERSION} is the newest known");
            return Err(Error::Provenance { source: newer.into() });
        }
        let provenance: Self = serde_json::from_str(text).map_err(fail)?;
        let ranges =
            provenance.calibration.iter().flat_map(|ranges| ranges.minima.iter().chain(&ranges.maxima));
        // Whether the parser itself takes 1e300 for an f32 depends on features that others switch on.
        if ranges.into_iter().all(|value| value.is_finite()) {
            return Ok(provenance);
        }
        Err(Error::Provenance { source: "a calibration range is too large".into() })
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // Names and finite numbers only; a range that is none becomes `null`, which is refused when it is read.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Why vectors of the two must not be compared, whatever their number formats; none if they may.
    pub fn space_difference(&self, other: &Self) -> Option<SpaceDifference> {
        let normalized = |normalized: bool| if normalized { "done" } else { "not done" };
        let mode = |mode: Option<Mode>| mode.map_or("that of a given graph", Mode::name);
        let pairs = [
            ("the model", self.model.shown(), other.model.shown(), self.model.digest == other.model.digest),
            pair("mode", mode(self.mode), mode(other.mode)),
            pair("dimension", self.dimension, other.dimension),
            pair("normalisation", normalized(self.normalized), normalized(other.normalized)),
            pair("output value", &self.output_value, &other.output_value),
        ];
        first_difference(pairs)
    }

    /// Why stored vectors of the two must not be compared as they are: their spaces, or their number formats.
    pub fn difference(&self, other: &Self) -> Option<SpaceDifference> {
        let ranges =
            |side: &Self| side.calibration.as_ref().map_or("none", |ranges| &ranges.digest).to_owned();
        self.space_difference(other).or_else(|| {
            first_difference([
                pair("precision", self.precision, other.precision),
                pair("the calibration", short(&ranges(self)), short(&ranges(other))),
            ])
        })
    }
}

type Pair = (&'static str, String, String, bool);

fn pair(what: &'static str, left: impl ToString, right: impl ToString) -> Pair {
    let (left, right) = (left.to_string(), right.to_string());
    let equal = left == right;
    (what, left, right, equal)
}

fn first_difference(pairs: impl IntoIterator<Item = Pair>) -> Option<SpaceDifference> {
    let different = pairs.into_iter().find(|(_, _, _, equal)| !equal);
    different.map(|(what, left, right, _)| SpaceDifference { what, left, right })
}

impl ModelIdentity {
    /// Its name and the start of its digest.
    pub fn shown(&self) -> String {
        let name = self.name.as_deref().or(self.id.as_deref()).unwrap_or("a model without a name");
        format!("{name} ({})", short(&self.digest))
    }
}

/// Enough of a digest to tell two apart.
pub(crate) fn short(digest: &str) -> String {
    const SHOWN: usize = 12;
    match digest.split_once(':') {
        Some((_, digits)) if digits.len() > SHOWN => digits.chars().take(SHOWN).collect(),
        Some((_, digits)) => digits.to_owned(),
        None => digest.to_owned(),
    }
}

/// What a task is called where it is noted.
fn task_name(task: Task) -> String {
    match task {
        Task::Query => "query",
        Task::Document => "document",
    }
    .to_owned()
}

impl SentenceTransformer {
    /// What made the vectors of a call with these options, but for the name of the model, which only the caller knows.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and files of its folder that cannot be read.
    pub fn provenance(&self, options: &EncodeOptions) -> Result<Provenance, Error> {
        let spec = self.spec();
        let (name, text) = prompt::named(&spec.sentence, options)?;
        let (dimension, normalized) = self.vector_kind(options)?;
        Ok(Provenance {
            format_version: FORMAT_VERSION,
            made_by: MADE_BY.to_owned(),
            model: ModelIdentity { name: None, id: None, digest: self.digest()?.to_owned() },
            dimension,
            mode: self.mode(),
            pooling: spec.routes[spec.route_for(options.task)?].pooling_modes().to_vec(),
            normalized,
            similarity: spec.similarity(),
            precision: options.precision,
            calibration: self.note_calibration(options)?,
            output_value: "sentence_embedding".to_owned(),
            max_active_dims: None,
            prompt: PromptUsed {
                task: options.task.map(task_name),
                name: name.map(str::to_owned),
                text: text.to_owned(),
            },
            max_tokens: st_core::Encoder::max_tokens(self),
            long_text: self.long_text(options).into(),
        })
    }

    /// Width of the vectors of a call before any quantisation, and whether they have length one.
    pub(crate) fn vector_kind(&self, options: &EncodeOptions) -> Result<(usize, bool), Error> {
        let spec = self.spec();
        let dimension = finish::truncate_dim(spec, options)?;
        Ok((dimension, options.normalize || spec.normalizes() && dimension == spec.dim()))
    }
}

#[cfg(test)]
mod tests;
