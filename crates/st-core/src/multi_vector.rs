//! A vector for each token of a text, compared late.

use std::fmt;

use crate::{BoxError, EncodeOptions, TokenEmbeddings};

/// How a question and a document of many vectors each are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LateInteraction {
    /// For each token of the question its largest dot product with a token of the document, summed.
    #[default]
    MaxSim,
    /// The same, over the number of tokens of the question.
    MeanMaxSim,
}

impl LateInteraction {
    /// The reference's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaxSim => "maxsim",
            Self::MeanMaxSim => "meanmaxsim",
        }
    }
}

/// Turns texts into a vector for each of their tokens.
///
/// Questions and documents are read differently: whoever does not say which in
/// [`EncodeOptions::task`] gets documents, as in the reference.
pub trait MultiVectorEncoder: fmt::Debug + Send + Sync {
    /// Width of the vectors.
    fn dim(&self) -> usize;

    /// Longest text in tokens, special tokens included, unless its task has a limit of its own.
    fn max_tokens(&self) -> Option<usize>;

    /// How questions and documents of this model are meant to be compared.
    fn interaction(&self) -> LateInteraction;

    /// Encodes `texts`: for each `[tokens that count, dim]`.
    ///
    /// Of the options, prompt, task, normalisation, workers and batch size apply.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and whatever the backend reports.
    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError>;
}
