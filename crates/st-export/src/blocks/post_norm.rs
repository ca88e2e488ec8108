//! The layer of BERT and its relatives: normalisation after each residual.

use super::{Attention, FeedForward, LayerNorm, linear};
use crate::ir::{GraphBuilder, ValueId};

/// What a family calls the parts of its layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostNormNames {
    /// Query, key and value projections.
    pub(crate) projections: [&'static str; 3],
    /// Projection of the context.
    pub(crate) output: &'static str,
    /// Normalisation after attention.
    pub(crate) attention_norm: &'static str,
    /// The two linear layers of the feed-forward block.
    pub(crate) feed_forward: [&'static str; 2],
    /// Normalisation after the feed-forward block.
    pub(crate) norm: &'static str,
}

impl PostNormNames {
    /// BERT's own, which most relatives keep.
    pub(crate) const BERT: Self = Self {
        projections: ["attention.self.query", "attention.self.key", "attention.self.value"],
        output: "attention.output.dense",
        attention_norm: "attention.output.LayerNorm",
        feed_forward: ["intermediate.dense", "output.dense"],
        norm: "output.LayerNorm",
    };
}

/// `h = LN(x + O(attention(x)))`, then `LN(h + feed_forward(h))`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostNormLayer {
    /// What the parts are called.
    pub(crate) names: PostNormNames,
    /// Attention.
    pub(crate) attention: Attention,
    /// Feed-forward block.
    pub(crate) feed_forward: FeedForward,
    /// Normalisation, twice.
    pub(crate) norm: LayerNorm,
}

impl PostNormLayer {
    /// `[tokens, hidden]` to the same shape.
    pub(crate) fn apply(&self, builder: &mut GraphBuilder, hidden: ValueId) -> ValueId {
        let names = self.names;
        let width = self.feed_forward.hidden;
        let projections = names.projections.map(|name| linear(builder, name, hidden, (width, width)));
        let context = builder.within("attention", |builder| self.attention.apply(builder, projections));
        let projected = linear(builder, names.output, context, (width, width));
        let sum = builder.add(projected, hidden);
        let attended = self.norm.apply(builder, names.attention_norm, sum);
        let changed = self.feed_forward.apply(builder, names.feed_forward, attended);
        let sum = builder.add(changed, attended);
        self.norm.apply(builder, names.norm, sum)
    }
}
