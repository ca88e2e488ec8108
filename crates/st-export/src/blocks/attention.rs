//! Attention of the tokens of a text to each other.

use super::{RmsNorm, Rotary, Sequence};
use crate::ir::{GraphBuilder, ValueId};

/// Multi-head attention between projections that the caller makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    /// Heads of the queries.
    pub(crate) heads: usize,
    /// Heads of keys and values, of which several heads of queries may share one.
    pub(crate) shared_heads: usize,
    /// Width of a head.
    pub(crate) width: usize,
    /// What scores are divided by; `None` where they are not scaled.
    pub(crate) divisor: Option<f32>,
    /// What is added to the scores, of a shape that fits `[batch, heads, sequence, sequence]`.
    pub(crate) mask: ValueId,
    /// Rotary positions of queries and keys.
    pub(crate) rotary: Option<Rotary>,
    /// Normalisation of every head of queries and keys.
    pub(crate) norms: Option<HeadNorms>,
    /// The batch.
    pub(crate) sequence: Sequence,
}

/// Normalisation of every head before its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadNorms {
    /// The formula.
    pub(crate) norm: RmsNorm,
    /// Names of its weights for queries and for keys.
    pub(crate) names: [&'static str; 2],
}

impl Attention {
    /// `heads` heads that share a token's width, scaled by the root of theirs, without positions.
    pub(crate) fn new(sequence: &Sequence, heads: usize, width: usize, mask: ValueId) -> Self {
        Self {
            heads,
            shared_heads: heads,
            width,
            divisor: Some(root(width)),
            mask,
            rotary: None,
            norms: None,
            sequence: *sequence,
        }
    }

    /// Projections `[tokens, heads · width]` to the context of every token in the same shape.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, [query, key, value]: [ValueId; 3]) -> ValueId {
        let query = self.turned(builder, query, self.heads, 0);
        let query = builder.transpose(query, &[0, 2, 1, 3]);
        let key = self.turned(builder, key, self.shared_heads, 1);
        let key = self.repeated(builder, key);
        // The key is transposed in the same step, so that the product with it needs none.
        let key = builder.transpose(key, &[0, 2, 3, 1]);
        let value = self.split(builder, value, self.shared_heads);
        let value = self.repeated(builder, value);
        let value = builder.transpose(value, &[0, 2, 1, 3]);
        let mut scores = builder.matmul(query, key);
        if let Some(divisor) = self.divisor {
            let divisor = builder.float32(divisor);
            scores = builder.div(scores, divisor);
        }
        let scores = builder.add(scores, self.mask);
        self.context(builder, scores, value)
    }

    /// Scores `[batch, heads, sequence, sequence]` and values `[batch, heads, sequence, width]` to the context
    /// of every token, `[tokens, heads · width]`.
    pub(crate) fn context(self, builder: &mut GraphBuilder, scores: ValueId, value: ValueId) -> ValueId {
        let attention = builder.softmax(scores);
        let context = builder.matmul(attention, value);
        let context = builder.transpose(context, &[0, 2, 1, 3]);
        Sequence::flatten(builder, context, self.heads * self.width)
    }

    /// `[tokens, heads · width]` to `[batch, sequence, heads, width]`.
    pub(crate) fn split(self, builder: &mut GraphBuilder, value: ValueId, heads: usize) -> ValueId {
        let shape = self.sequence.with_axes(builder, &[heads, self.width]);
        builder.reshape(value, shape)
    }

    /// The same, normalised and turned where the model does so; `which` is 0 for queries and 1 for keys.
    fn turned(self, builder: &mut GraphBuilder, value: ValueId, heads: usize, which: usize) -> ValueId {
        let mut value = self.split(builder, value, heads);
        if let Some(norms) = self.norms {
            value = norms.norm.apply(builder, norms.names[which], value);
        }
        match self.rotary {
            Some(rotary) => rotary.apply(builder, value),
            None => value,
        }
    }

    /// Each of the shared heads once for every head that shares it.
    fn repeated(self, builder: &mut GraphBuilder, value: ValueId) -> ValueId {
        if self.shared_heads == self.heads {
            return value;
        }
        let copies = self.heads / self.shared_heads;
        let value = builder.unsqueeze(value, &[3]);
        let shape = self.sequence.with_axes(builder, &[self.shared_heads, copies, self.width]);
        let value = builder.apply(crate::ir::Op::Expand, &[value, shape]);
        let shape = self.sequence.with_axes(builder, &[self.heads, self.width]);
        builder.reshape(value, shape)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a head is far narrower than 2^24")]
fn root(width: usize) -> f32 {
    (width as f32).sqrt()
}
