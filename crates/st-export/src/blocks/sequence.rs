//! The batch of token ids that every text encoder starts from.

use crate::ir::{Dim, ElementType, GraphBuilder, ValueId};

/// Ids, mask and their sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    /// Token ids, int64 `[batch, sequence]`.
    pub(crate) input_ids: ValueId,
    /// Where the attention mask is zero, truth values `[batch, sequence]`.
    pub(crate) masked: ValueId,
    /// `[batch, sequence]` as a tensor.
    pub(crate) shape: ValueId,
    /// `[sequence]` as a tensor.
    pub(crate) length: ValueId,
}

/// The axes of ids and mask.
pub(crate) fn batch_by_sequence() -> Vec<Dim> {
    vec![Dim::Symbolic("batch".into()), Dim::Symbolic("sequence".into())]
}

impl Sequence {
    /// Declares the inputs `input_ids` and `attention_mask`.
    pub(crate) fn declare(builder: &mut GraphBuilder) -> Self {
        let input_ids = builder.input("input_ids", ElementType::Int64, batch_by_sequence());
        let attention_mask = builder.input("attention_mask", ElementType::Int64, batch_by_sequence());
        builder.within("sequence", |builder| {
            let zero = builder.int64(0);
            let masked = builder.equal(attention_mask, zero);
            let shape = builder.shape(input_ids, 0, None);
            let length = builder.shape(input_ids, 1, Some(2));
            Self { input_ids, masked, shape, length }
        })
    }

    /// Declares the input `token_type_ids`, int64 `[batch, sequence]`.
    pub(crate) fn declare_token_types(builder: &mut GraphBuilder) -> ValueId {
        builder.input("token_type_ids", ElementType::Int64, batch_by_sequence())
    }

    /// Declares the input `pooling_mask` and says where pooling leaves tokens out, truth values `[batch,
    /// sequence]`: where that mask or the attention mask is zero.
    pub(crate) fn declare_pooling_mask(&self, builder: &mut GraphBuilder) -> ValueId {
        let mask = builder.input("pooling_mask", ElementType::Int64, batch_by_sequence());
        builder.within("pooling", |builder| {
            let zero = builder.int64(0);
            let unpooled = builder.equal(mask, zero);
            builder.or(unpooled, self.masked)
        })
    }

    /// The positions `0, 1, …`, int64 `[sequence]`.
    pub(crate) fn positions(&self, builder: &mut GraphBuilder) -> ValueId {
        let length = builder.squeeze(self.length, &[0]);
        let [zero, one] = [0, 1].map(|number| builder.int64(number));
        builder.range(zero, length, one)
    }

    /// How far the token of a column lies ahead of that of a row, int64 `[sequence, sequence]`.
    pub(crate) fn offsets(&self, builder: &mut GraphBuilder) -> ValueId {
        let positions = self.positions(builder);
        let rows = builder.unsqueeze(positions, &[1]);
        builder.sub(positions, rows)
    }

    /// `[batch, sequence, width]` to `[batch · sequence, width]`.
    pub(crate) fn flatten(builder: &mut GraphBuilder, value: ValueId, width: usize) -> ValueId {
        let shape = builder.int64s(&[-1, signed(width)]);
        builder.reshape(value, shape)
    }

    /// `[batch · sequence, width]` to `[batch, sequence, width]`.
    pub(crate) fn unflatten(&self, builder: &mut GraphBuilder, value: ValueId, width: usize) -> ValueId {
        let shape = self.with_axes(builder, &[width]);
        builder.reshape(value, shape)
    }

    /// `[batch, sequence, …]` as a tensor, with more axes of known size.
    pub(crate) fn with_axes(&self, builder: &mut GraphBuilder, axes: &[usize]) -> ValueId {
        let axes: Vec<i64> = axes.iter().copied().map(signed).collect();
        let axes = builder.int64s(&axes);
        builder.concat(&[self.shape, axes], 0)
    }

    /// `[batch, sequence, width]` with zeros where there is padding.
    pub(crate) fn without_padding(&self, builder: &mut GraphBuilder, value: ValueId) -> ValueId {
        let weights = self.weights(builder);
        let weights = builder.unsqueeze(weights, &[2]);
        builder.mul(value, weights)
    }

    /// The attention mask as 1 for tokens that count and 0 for others, float32 `[batch, sequence]`.
    pub(crate) fn weights(&self, builder: &mut GraphBuilder) -> ValueId {
        let zero = builder.float32(0.0);
        let one = builder.float32(1.0);
        builder.select(self.masked, zero, one)
    }
}

/// A size as ONNX writes it; sizes come from checked configurations, far below the limit.
pub(crate) fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
