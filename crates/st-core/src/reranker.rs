//! The seam between models that read two texts at once and everything that uses them.

use std::fmt;

use ndarray::Array2;

use crate::setters::setters;
use crate::{Activation, BoxError, Prompt};

/// Options of one call of [`Reranker::predict`]; the defaults are those of Python's `predict`, but for the batch
/// size.
///
/// ```
/// use st_core::{Activation, PredictOptions};
/// let options = PredictOptions::default().with_activation(Activation::Identity);
/// assert_eq!(options.activation, Some(Activation::Identity));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PredictOptions {
    /// What stands before the first text of each pair; the second never has a prompt.
    pub prompt: Prompt,
    /// What is done to the numbers of the head; what the model says if not given.
    pub activation: Option<Activation>,
    /// Make shares of all labels of a row, after the activation; no effect with one label.
    pub apply_softmax: bool,
    /// Use at most this many of the model's workers; all of them by default.
    pub threads: Option<usize>,
    /// Padded tokens in one batch of the runtime; the model's measured default if not given.
    pub max_tokens_per_batch: Option<usize>,
    /// Cut pairs to this many tokens, special tokens included, instead of the model's own limit, which it cannot
    /// exceed.
    pub max_tokens: Option<usize>,
}

impl PredictOptions {
    setters! {
        /// Sets the prompt.
        with_prompt(prompt: Prompt);
        /// Sets what is done to the numbers of the head.
        with_activation(activation: Activation);
        /// Switches shares of all labels on or off.
        with_apply_softmax(apply_softmax: bool);
        /// Uses at most `threads` workers.
        with_threads(threads: usize);
        /// Sets the token budget of a batch.
        with_max_tokens_per_batch(max_tokens_per_batch: usize);
        /// Sets the longest pair in tokens.
        with_max_tokens(max_tokens: usize);
    }
}

/// Options of one call of [`Reranker::rank`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RankOptions {
    /// How many documents are handed out; all of them if not given.
    pub top_k: Option<usize>,
    /// How pairs are scored.
    pub predict: PredictOptions,
}

impl RankOptions {
    setters! {
        /// Sets how many documents are handed out.
        with_top_k(top_k: usize);
        /// Sets how pairs are scored.
        with_predict(predict: PredictOptions);
    }
}

/// The answer of [`Reranker::predict`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// `[pairs, labels]`, in the order of the pairs.
    pub values: Array2<f32>,
    /// How many pairs were longer than the limit and lost tokens.
    pub truncated: usize,
    /// Tokens that the model read, special tokens included, padding not.
    pub tokens: usize,
}

impl Scores {
    /// Joins the parts.
    pub fn new(values: Array2<f32>, truncated: usize, tokens: usize) -> Self {
        Self { values, truncated, tokens }
    }
}

/// A document in the answer of [`Reranker::rank`], with the names of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Place of the document in the call, from 0.
    pub corpus_id: usize,
    /// Its score; larger is more relevant.
    pub score: f32,
}

/// Reads two texts at once and answers a score, or one for each label; the reference calls it a cross-encoder.
///
/// Takes `&self`: whoever needs exclusive access to a session hides a pool behind it. The scores of a pair do not
/// depend on the other pairs of the call, within 1e-6.
pub trait Reranker: fmt::Debug + Send + Sync {
    /// Scores for each pair, at least 1; more where the model sorts pairs into classes.
    fn labels(&self) -> usize;

    /// Longest pair in tokens, special tokens included; the rest is cut off, the longer text first, and counted.
    fn max_tokens(&self) -> Option<usize>;

    /// Scores `pairs`; no pairs give an empty `[0, labels]`.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, such as an unknown prompt name, and whatever the backend reports;
    /// the source chain keeps its own words.
    fn predict(&self, pairs: &[(&str, &str)], options: &PredictOptions) -> Result<Scores, BoxError>;

    /// Scores `query` with each of `documents` and sorts them, the best first, of equal ones the earlier; a score
    /// that is no number is last.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict), and a model of more than one label, which says nothing of an order.
    fn rank(&self, query: &str, documents: &[&str], options: &RankOptions) -> Result<Vec<Ranked>, BoxError>;

    /// Tokens of each pair, special tokens included and nothing cut off, no prompt.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer reports.
    fn count_pair_tokens(&self, pairs: &[(&str, &str)]) -> Result<Vec<usize>, BoxError>;
}
