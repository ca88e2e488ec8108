//! What a caller may ask of one call of [`Encoder::encode`](crate::Encoder::encode).

use ndarray::Array2;

use crate::Precision;

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
    /// Padded tokens in one batch of the runtime; the encoder's measured default if not given.
    pub max_tokens_per_batch: Option<usize>,
}

impl EncodeOptions {
    /// Sets the prompt.
    #[must_use]
    pub fn with_prompt(mut self, prompt: Prompt) -> Self {
        self.prompt = prompt;
        self
    }

    /// Says what the texts are.
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.task = Some(task);
        self
    }

    /// Switches normalisation on or off.
    #[must_use]
    pub fn with_normalize(mut self, normalize: bool) -> Self {
        self.normalize = normalize;
        self
    }

    /// Keeps only the first `dim` dimensions.
    #[must_use]
    pub fn with_truncate_dim(mut self, dim: usize) -> Self {
        self.truncate_dim = Some(dim);
        self
    }

    /// Sets the number format.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets the calibration of the eight-bit precisions.
    #[must_use]
    pub fn with_ranges(mut self, ranges: Ranges) -> Self {
        self.ranges = Some(ranges);
        self
    }

    /// Uses at most `threads` workers.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets the token budget of a batch.
    #[must_use]
    pub fn with_max_tokens_per_batch(mut self, tokens: usize) -> Self {
        self.max_tokens_per_batch = Some(tokens);
        self
    }
}
