//! What a caller may ask of one call of [`Encoder::encode`](crate::Encoder::encode).

use ndarray::Array2;

use crate::Precision;
use crate::setters::setters;

/// Which prompt stands before each text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// The one that the model names as its default, or the one of the [`Task`]; else none.
    #[default]
    Default,
    /// The stored prompt of this name; an error if the model has none of that name.
    Name(String),
    /// This text, literally; an empty one switches the default off.
    Text(String),
}

/// What the texts are, for models that encode questions and answers differently.
///
/// `Query` takes the stored prompt `query`; `Document` the first of `document`, `passage`, `corpus`.
/// An explicit [`Prompt`] wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// `encode_query` of the reference.
    Query,
    /// `encode_document` of the reference.
    Document,
}

/// Smallest and largest value of each dimension, `[2, dim]`, for the eight-bit precisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges(pub Array2<f32>);

/// What happens to a text that is longer than the model's limit.
///
/// A text that fits has the same vector whatever the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongText {
    /// It loses its end, or its beginning if the tokenizer says so; how much is reported. What the reference does.
    #[default]
    Truncate,
    /// The call fails and names the text.
    Error,
    /// It is read in windows, each with the prompt and the special tokens, and gets the mean of their vectors,
    /// weighted by the tokens of the text in each, and scaled to length one if the model does that.
    Chunk {
        /// Tokens of the text that two neighbouring windows share; fewer than a window has.
        overlap: usize,
    },
}

impl LongText {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncate => "truncate",
            Self::Error => "error",
            Self::Chunk { .. } => "chunk",
        }
    }
}

/// Options of one call; the defaults are those of Python's `encode`, but for the batch size.
///
/// ```
/// use st_core::{EncodeOptions, Task};
/// let options = EncodeOptions::default().with_task(Task::Query).with_normalize(true);
/// assert_eq!(options.task, Some(Task::Query));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct EncodeOptions {
    /// Which prompt stands before each text.
    pub prompt: Prompt,
    /// What the texts are.
    pub task: Option<Task>,
    /// Scale each vector to length one, after truncation.
    pub normalize: bool,
    /// Keep only the first dimensions; no effect if larger than the width.
    pub truncate_dim: Option<usize>,
    /// Number format of the answer.
    pub precision: Precision,
    /// Calibration for the eight-bit precisions; without it what the model keeps, else the call's own vectors.
    pub ranges: Option<Ranges>,
    /// Use at most this many of the encoder's workers; all of them by default.
    pub threads: Option<usize>,
    /// What happens to texts that are too long; what the model's folder says if not given, else [`LongText::Truncate`].
    pub long_text: Option<LongText>,
    /// Padded tokens in one batch of the runtime; the encoder's measured default if not given.
    pub max_tokens_per_batch: Option<usize>,
}

impl EncodeOptions {
    setters! {
        /// Sets the prompt.
        with_prompt(prompt: Prompt);
        /// Says what the texts are.
        with_task(task: Task);
        /// Switches normalisation on or off.
        with_normalize(normalize: bool);
        /// Keeps only the first `truncate_dim` dimensions.
        with_truncate_dim(truncate_dim: usize);
        /// Sets the number format.
        with_precision(precision: Precision);
        /// Sets the calibration of the eight-bit precisions.
        with_ranges(ranges: Ranges);
        /// Uses at most `threads` workers.
        with_threads(threads: usize);
        /// Says what happens to texts that are too long.
        with_long_text(long_text: LongText);
        /// Sets the token budget of a batch.
        with_max_tokens_per_batch(max_tokens_per_batch: usize);
    }
}
