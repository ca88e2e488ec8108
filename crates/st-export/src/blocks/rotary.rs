//! Rotary positions: queries and keys turned by an angle that grows with the position.

use super::Sequence;
use super::sequence::signed;
use crate::ir::{ElementType, GraphBuilder, Op, ValueId};

/// The turns of every position, each `[sequence, 1, width]` for heads of that width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotary {
    cos: ValueId,
    sin: ValueId,
    width: usize,
}

/// `base^(−2i / width)` for each pair of dimensions, in single precision as the reference computes it.
#[expect(clippy::cast_precision_loss, reason = "a head is far narrower than 2^24")]
pub(crate) fn inverse_frequencies(base: f32, width: usize) -> Vec<f32> {
    (0..width).step_by(2).map(|place| 1.0 / base.powf(place as f32 / width as f32)).collect()
}

impl Rotary {
    /// Positions are counted from the first column: only distances matter, so padding on either side changes
    /// nothing.
    pub(crate) fn new(
        builder: &mut GraphBuilder,
        sequence: &Sequence,
        name: &str,
        frequencies: Vec<f32>,
    ) -> Self {
        builder.within(name, |builder| {
            let half = frequencies.len();
            let frequencies = builder.float32_tensor(&format!("{name} frequencies"), &[1, half], frequencies);
            let positions = sequence.positions(builder);
            let positions = builder.cast(positions, ElementType::Float32);
            let positions = builder.unsqueeze(positions, &[1]);
            let angles = builder.mul(positions, frequencies);
            let angles = builder.concat(&[angles, angles], -1);
            let angles = builder.unsqueeze(angles, &[1]);
            let cos = builder.apply(Op::Cos, &[angles]);
            let sin = builder.apply(Op::Sin, &[angles]);
            Self { cos, sin, width: 2 * half }
        })
    }

    /// Turns `[batch, sequence, heads, width]`, the first half of each head against the second.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, value: ValueId) -> ValueId {
        builder.within("rotary", |builder| {
            let [middle, end] = [self.width / 2, self.width].map(signed);
            let first = builder.slice(value, 3, 0, middle);
            let second = builder.slice(value, 3, middle, end);
            let second = builder.neg(second);
            let turned = builder.concat(&[second, first], -1);
            let along = builder.mul(value, self.cos);
            let across = builder.mul(turned, self.sin);
            builder.add(along, across)
        })
    }
}
