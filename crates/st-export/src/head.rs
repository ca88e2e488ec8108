//! What stands on top of the transformer inside the graph.

use st_core::PoolingMode;

/// Pooling and normalisation that become part of the graph, so that only `[batch, dim]` leaves the runtime.
///
/// ```
/// use st_core::PoolingMode;
/// use st_export::Head;
///
/// let head = Head::new([PoolingMode::Mean]).with_normalize(true);
/// assert_eq!(head.dim(384), 384);
/// assert_eq!(Head::new([PoolingMode::Cls, PoolingMode::Max]).dim(384), 768);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Head {
    /// Pooling modes, concatenated in this order; at least one.
    pub pooling: Vec<PoolingMode>,
    /// Whether the concatenation is divided by its Euclidean length.
    pub normalize: bool,
}

impl Head {
    /// A head that pools and does not normalise.
    pub fn new(pooling: impl Into<Vec<PoolingMode>>) -> Self {
        Self { pooling: pooling.into(), normalize: false }
    }

    /// Sets whether the result is normalised.
    #[must_use]
    pub fn with_normalize(mut self, normalize: bool) -> Self {
        self.normalize = normalize;
        self
    }

    /// Width of the sentence embedding over token embeddings of `hidden` dimensions.
    pub fn dim(&self, hidden: usize) -> usize {
        self.pooling.len() * hidden
    }
}
