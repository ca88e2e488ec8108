//! What can be wrong with a shape or a name.

/// A failure of another library, with its own words in the source chain.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Two buffers that belong together do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Token embeddings and their mask disagree.
    #[error(
        "attention mask is [{mask_texts} texts, {mask_tokens} tokens] but the embeddings are [{texts} texts, {tokens} tokens, {dim} dims]"
    )]
    Mask {
        /// Rows of the mask.
        mask_texts: usize,
        /// Columns of the mask.
        mask_tokens: usize,
        /// First axis of the embeddings.
        texts: usize,
        /// Second axis of the embeddings.
        tokens: usize,
        /// Third axis of the embeddings.
        dim: usize,
    },
    /// Parts that are no matrix in compressed rows.
    #[error("not a sparse matrix of {dim} dimensions in compressed rows")]
    Sparse {
        /// Width that was promised.
        dim: usize,
    },
    /// Two sets of vectors of different width cannot be compared.
    #[error("vectors of {left} and of {right} dimensions cannot be compared")]
    Width {
        /// Width of the left vectors.
        left: usize,
        /// Width of the right vectors.
        right: usize,
    },
    /// Pairs need as many vectors on the left as on the right.
    #[error("{left} vectors on the left cannot be paired with {right} on the right")]
    Pairs {
        /// Rows on the left.
        left: usize,
        /// Rows on the right.
        right: usize,
    },
    /// Calibration ranges of another width than the vectors.
    #[error("calibration ranges have {ranges} columns but the vectors have {dim} dimensions")]
    Ranges {
        /// Columns of the ranges.
        ranges: usize,
        /// Width of the vectors.
        dim: usize,
    },
}

/// A word that names nothing we know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a known {what}; known are {known}")]
pub struct NameError {
    /// What was looked for, such as `pooling mode`.
    pub what: &'static str,
    /// The word that was given.
    pub name: String,
    /// All known words, in order.
    pub known: String,
}
