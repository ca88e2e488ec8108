//! What a model answers.

use std::fmt;

use ndarray::Array2;
use st_core::{SparseVectors, TokenEmbeddings, Vectors};

/// The answer of [`PyFunc::predict`](crate::PyFunc::predict).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The vectors, in the form that Python gives them.
    pub prediction: Prediction,
    /// What Python's MLflow would have warned of.
    pub warnings: Vec<Warning>,
    /// How many texts, or pairs of them, were longer than the model's limit and lost their end.
    pub truncated: usize,
}

/// Vectors in one of the forms of Python's `predict`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// `[texts, dim]`.
    Matrix(Vectors),
    /// `[dim]`: one text to a model without a signature. Holds one row.
    Vector(Vectors),
    /// `[0]`: no texts.
    Empty,
    /// The answer of a model with the task `llm/v1/embeddings`.
    Envelope {
        /// `[texts, dim]`.
        vectors: Vectors,
        /// Tokens of all texts, special tokens included, nothing cut off.
        prompt_tokens: usize,
    },
    /// The embeddings of each token: with the parameter `output_value: token_embeddings`, and of a late-interaction
    /// model.
    Tokens(TokenEmbeddings),
    /// `[pairs, labels]`: the scores of a cross-encoder; one label stands for itself, several are a list for each pair.
    Scores(Array2<f32>),
    /// A table with the columns `indices` and `values`: what a sparse encoder answers.
    Sparse(SparseVectors),
}

/// Something that Python's MLflow would have logged as a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// MLflow's words.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}
