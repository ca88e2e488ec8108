//! A folder of which the caller does not know what it holds.

use std::path::Path;

use crate::spec::ModelKind;
use crate::{
    CrossEncoder, Error, LoadOptions, ModelSpec, MultiVectorEncoder, SentenceTransformer, SparseEncoder,
};

/// A loaded model of the kind that its folder holds.
#[derive(Debug)]
#[non_exhaustive]
pub enum Model {
    /// A text to a vector.
    SentenceTransformer(Box<SentenceTransformer>),
    /// A pair of texts to a score, or to one for each label.
    CrossEncoder(Box<CrossEncoder>),
    /// A text to a vector as wide as a vocabulary, nearly all of it zero.
    SparseEncoder(Box<SparseEncoder>),
    /// A text to a vector for each of its tokens.
    MultiVectorEncoder(Box<MultiVectorEncoder>),
}

impl Model {
    /// Loads a model folder as what it says it is.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let spec = ModelSpec::read(folder)?;
        match spec.kind {
            ModelKind::SentenceTransformer => {
                SentenceTransformer::of_spec(spec, options).map(Box::new).map(Self::SentenceTransformer)
            }
            ModelKind::CrossEncoder => {
                CrossEncoder::of_spec(spec, options).map(Box::new).map(Self::CrossEncoder)
            }
            ModelKind::SparseEncoder => {
                SparseEncoder::of_spec(spec, options).map(Box::new).map(Self::SparseEncoder)
            }
            ModelKind::MultiVectorEncoder => {
                MultiVectorEncoder::of_spec(spec, options).map(Box::new).map(Self::MultiVectorEncoder)
            }
        }
    }

    /// What kind it is.
    pub fn kind(&self) -> ModelKind {
        self.spec().kind
    }

    /// What the folder says of itself.
    pub fn spec(&self) -> &ModelSpec {
        match self {
            Self::SentenceTransformer(model) => model.spec(),
            Self::CrossEncoder(model) => model.spec(),
            Self::SparseEncoder(model) => model.spec(),
            Self::MultiVectorEncoder(model) => model.spec(),
        }
    }
}
