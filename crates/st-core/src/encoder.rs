//! The seam between models and everything that uses them.

use std::fmt;

use ndarray::{Array2, Axis};

use crate::{BoxError, EncodeOptions, Similarity, Vectors};

/// The answer of [`Encoder::encode`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Encoded {
    /// One row a text, in the order of the texts.
    pub vectors: Vectors,
    /// How many texts were longer than the model's limit and lost their end.
    pub truncated: usize,
    /// Tokens that the model read, special tokens included, padding not.
    pub tokens: usize,
    /// The texts that were longer than the model's limit, in order.
    pub overlong: Vec<Overlong>,
}

/// A text that is longer than the model's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlong {
    /// Its position in the call, from 0.
    pub text: usize,
    /// Its tokens, prompt and special tokens included.
    pub tokens: usize,
    /// Tokens that nobody read.
    pub lost: usize,
    /// Windows in which it was read.
    pub windows: usize,
}

impl Encoded {
    /// Joins the parts.
    pub fn new(vectors: Vectors, truncated: usize, tokens: usize) -> Self {
        Self { vectors, truncated, tokens, overlong: Vec::new() }
    }

    /// Adds which texts were too long.
    #[must_use]
    pub fn with_overlong(mut self, overlong: Vec<Overlong>) -> Self {
        self.overlong = overlong;
        self
    }
}

/// The answer of [`Encoder::encode_tokens`]: the embeddings of each token instead of a pooled vector.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TokenEmbeddings {
    /// For each text `[its tokens, width]`, padding removed.
    pub texts: Vec<Array2<f32>>,
    /// How many texts were longer than the model's limit and lost their end.
    pub truncated: usize,
    /// The texts that were longer than the model's limit, in order.
    pub overlong: Vec<Overlong>,
}

impl TokenEmbeddings {
    /// Joins the parts.
    pub fn new(texts: Vec<Array2<f32>>, truncated: usize) -> Self {
        Self { texts, truncated, overlong: Vec::new() }
    }

    /// Adds which texts were too long.
    #[must_use]
    pub fn with_overlong(mut self, overlong: Vec<Overlong>) -> Self {
        self.overlong = overlong;
        self
    }

    /// Tokens in all texts together.
    pub fn tokens(&self) -> usize {
        self.texts.iter().map(|text| text.len_of(Axis(0))).sum()
    }
}

/// Turns texts into vectors; the only thing that evaluation, search and the MLflow flavor know of a model.
///
/// Takes `&self`: whoever needs exclusive access to a session hides a pool behind it. The vector of a text
/// does not depend on the other texts of the call, within 1e-6.
pub trait Encoder: fmt::Debug + Send + Sync {
    /// Width of the vectors before any truncation.
    fn dim(&self) -> usize;

    /// Longest text in tokens, special tokens included; the rest is cut off and counted.
    fn max_tokens(&self) -> Option<usize>;

    /// How vectors of this model are meant to be compared.
    fn similarity(&self) -> Similarity;

    /// Encodes `texts`; no texts give an empty `[0, dim]`.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, such as an unknown prompt name, and whatever the backend
    /// reports; the source chain keeps its own words.
    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<Encoded, BoxError>;

    /// Encodes `texts` without pooling them: the output value `token_embeddings` of the reference.
    ///
    /// Normalisation, truncation of dimensions and precision do not apply.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    fn encode_tokens(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError>;

    /// Tokens of each text, special tokens included and nothing cut off: what MLflow reports as usage.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer reports.
    fn count_tokens(&self, texts: &[&str]) -> Result<Vec<usize>, BoxError>;
}
