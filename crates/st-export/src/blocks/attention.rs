//! Attention of every token to every token of its text.

use super::{Sequence, linear};
use crate::ir::{GraphBuilder, ValueId};

/// Multi-head attention without a causal order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SelfAttention {
    /// Width of a token.
    pub(crate) hidden: usize,
    /// Heads that share the width.
    pub(crate) heads: usize,
    /// What masks padding, from [`SelfAttention::mask`].
    pub(crate) mask: ValueId,
    /// `[batch, sequence, heads, width of a head]` as a tensor, from [`SelfAttention::split_shape`].
    pub(crate) split_shape: ValueId,
}

impl SelfAttention {
    /// What is added to the scores: 0 for tokens that count, for others the lowest finite number. It is never
    /// minus infinity, which would turn a text without tokens into NaN. Shape `[batch, 1, 1, sequence]`.
    pub(crate) fn mask(builder: &mut GraphBuilder, sequence: &Sequence) -> ValueId {
        let lowest = builder.float32(f32::MIN);
        let zero = builder.float32(0.0);
        let mask = builder.select(sequence.masked, lowest, zero);
        builder.unsqueeze(mask, &[1, 2])
    }

    /// The shape under which the width falls apart into heads.
    pub(crate) fn split_shape(
        builder: &mut GraphBuilder,
        sequence: &Sequence,
        hidden: usize,
        heads: usize,
    ) -> ValueId {
        sequence.with_axes(builder, &[heads, hidden / heads])
    }

    /// `[tokens, hidden]` to the context of every token in the same shape; the output projection is the
    /// caller's.
    ///
    /// `names` are those of the query, key and value projections.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, names: [&str; 3], value: ValueId) -> ValueId {
        let [query, key, val] = names;
        let query = self.heads_of(builder, query, value, &[0, 2, 1, 3]);
        // The key is transposed in the same step, so that the product with it needs none.
        let key = self.heads_of(builder, key, value, &[0, 2, 3, 1]);
        let val = self.heads_of(builder, val, value, &[0, 2, 1, 3]);
        let scores = builder.matmul(query, key);
        let scale = builder.float32(self.scale());
        let scores = builder.div(scores, scale);
        let scores = builder.add(scores, self.mask);
        let attention = builder.softmax(scores);
        let context = builder.matmul(attention, val);
        let context = builder.transpose(context, &[0, 2, 1, 3]);
        Sequence::flatten(builder, context, self.hidden)
    }

    /// One projection, split into heads, with its axes `[batch, sequence, head, width]` put in the order
    /// `perm`.
    fn heads_of(self, builder: &mut GraphBuilder, name: &str, value: ValueId, perm: &[i64]) -> ValueId {
        let projected = linear(builder, name, value, (self.hidden, self.hidden));
        builder.within(name, |builder| {
            let split = builder.reshape(projected, self.split_shape);
            builder.transpose(split, perm)
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a head is far narrower than 2^24")]
    fn scale(self) -> f32 {
        ((self.hidden / self.heads) as f32).sqrt()
    }
}
