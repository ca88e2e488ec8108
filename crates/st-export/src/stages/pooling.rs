//! Token embeddings to one sentence embedding, inside the graph.
//!
//! The formulas are those of sentence-transformers. Masks may have padding on either side. A text without any
//! token that counts gives zeros, or what the reference gives: its first token for `cls`, minus infinity for
//! `max`.

use st_core::PoolingMode;

use super::Features;
use crate::blocks::Sequence;
use crate::ir::{ElementType, GraphBuilder, ValueId};

/// Smallest divisor of a mean.
const SMALLEST_COUNT: f32 = 1e-9;

/// Pools token embeddings `[batch, sequence, width]` to `[batch, modes · width]`, without those that are not pooled.
pub(super) fn sentence_embedding(
    builder: &mut GraphBuilder,
    modes: &[PoolingMode],
    features: &Features,
) -> ValueId {
    builder.within("pooling", |builder| {
        let Features { sequence, unpooled, total, tokens: (tokens, _), .. } = *features;
        let weights = Sequence { masked: unpooled, ..sequence }.weights(builder);
        let mut pooling = Pooling { sequence, unpooled, tokens, weights, total, sum: None };
        let parts: Vec<ValueId> = modes.iter().map(|&mode| pooling.apply(builder, mode)).collect();
        match parts.as_slice() {
            [only] => *only,
            _ => builder.concat(&parts, -1),
        }
    })
}

/// What the modes share.
struct Pooling {
    sequence: Sequence,
    unpooled: ValueId,
    tokens: ValueId,
    /// 1 or 0, float32 `[batch, sequence]`.
    weights: ValueId,
    /// What to divide by instead of the sum of weights, `[batch, 1]`.
    total: Option<ValueId>,
    /// Sum and count, once a mode has needed them.
    sum: Option<(ValueId, ValueId)>,
}

impl Pooling {
    fn apply(&mut self, builder: &mut GraphBuilder, mode: PoolingMode) -> ValueId {
        builder.within(mode.name(), |builder| match mode {
            PoolingMode::Cls => self.first_token(builder),
            PoolingMode::Max => self.max(builder),
            PoolingMode::Mean => {
                let (sum, count) = self.sum(builder);
                builder.div(sum, count)
            }
            PoolingMode::MeanSqrtLen => {
                let (sum, count) = self.sum(builder);
                let root = builder.sqrt(count);
                builder.div(sum, root)
            }
            PoolingMode::WeightedMean => {
                let weights = self.position_weights(builder);
                let (sum, total) = self.weighted_sum(builder, weights);
                builder.div(sum, total)
            }
            PoolingMode::LastToken => self.last_token(builder),
        })
    }

    fn sum(&mut self, builder: &mut GraphBuilder) -> (ValueId, ValueId) {
        let sum = self.sum.unwrap_or_else(|| self.weighted_sum(builder, self.weights));
        self.sum = Some(sum);
        sum
    }

    /// The sum of the tokens `[batch, hidden]` and what it is divided by, `[batch, 1]`: the sum of the weights. The sum is a product of
    /// matrices, which needs no masked copy of the tokens.
    fn weighted_sum(&self, builder: &mut GraphBuilder, weights: ValueId) -> (ValueId, ValueId) {
        let row = builder.unsqueeze(weights, &[1]);
        let sum = builder.matmul(row, self.tokens);
        let sum = builder.squeeze(sum, &[1]);
        let total = self.total.unwrap_or_else(|| builder.reduce_sum(weights, 1, true));
        let smallest = builder.float32(SMALLEST_COUNT);
        (sum, builder.max(total, smallest))
    }

    /// Positions counted from one at the first real token, zero for padding.
    fn position_weights(&self, builder: &mut GraphBuilder) -> ValueId {
        let length = builder.squeeze(self.sequence.length, &[0]);
        let length = builder.cast(length, ElementType::Float32);
        let one = builder.float32(1.0);
        let limit = builder.add(length, one);
        let positions = builder.range(one, limit, one);
        // From the first real token, whether or not it is pooled.
        let attended = self.sequence.weights(builder);
        let padding = builder.arg_max(attended, false);
        let padding = builder.cast(padding, ElementType::Float32);
        let positions = builder.sub(positions, padding);
        builder.mul(self.weights, positions)
    }

    fn first_token(&self, builder: &mut GraphBuilder) -> ValueId {
        let index = builder.arg_max(self.weights, false);
        builder.pick(self.tokens, index)
    }

    fn last_token(&self, builder: &mut GraphBuilder) -> ValueId {
        let index = builder.arg_max(self.weights, true);
        let token = builder.pick(self.tokens, index);
        // Zeros for a text in which no token counts.
        let any = builder.reduce_max(self.weights, 1, true);
        builder.mul(token, any)
    }

    fn max(&self, builder: &mut GraphBuilder) -> ValueId {
        let masked = builder.unsqueeze(self.unpooled, &[2]);
        let lowest = builder.float32(f32::NEG_INFINITY);
        let tokens = builder.select(masked, lowest, self.tokens);
        builder.reduce_max(tokens, 1, false)
    }
}
