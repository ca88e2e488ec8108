//! Which tokens a token may attend to.

use super::Sequence;
use crate::ir::{GraphBuilder, ValueId};

/// How far attention reaches from a token, padding aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Only backwards, the token itself included.
    pub(crate) causal: bool,
    /// The largest distance in tokens; `None` for any.
    pub(crate) distance: Option<usize>,
}

impl Reach {
    /// Every token to every token.
    pub(crate) const FULL: Self = Self { causal: false, distance: None };

    /// What is added to the scores: 0 where attention is allowed, elsewhere the lowest finite number. It is
    /// never minus infinity, which would turn a row without allowed tokens into NaN.
    ///
    /// Shape `[batch, 1, 1, sequence]`, or `[batch, 1, sequence, sequence]` where the reach is limited.
    pub(crate) fn mask(self, builder: &mut GraphBuilder, sequence: &Sequence) -> ValueId {
        builder.within("mask", |builder| {
            let padding = builder.unsqueeze(sequence.masked, &[1, 2]);
            let masked = match self.forbidden(builder, sequence) {
                Some(forbidden) => builder.or(padding, forbidden),
                None => padding,
            };
            let lowest = builder.float32(f32::MIN);
            let zero = builder.float32(0.0);
            builder.select(masked, lowest, zero)
        })
    }

    /// Truth values `[sequence, sequence]`: where a token, by row, must not attend to another, by column.
    fn forbidden(self, builder: &mut GraphBuilder, sequence: &Sequence) -> Option<ValueId> {
        let ahead = |builder: &mut GraphBuilder| {
            let offsets = sequence.offsets(builder);
            let zero = builder.int64(0);
            builder.greater(offsets, zero)
        };
        let beyond = |builder: &mut GraphBuilder, distance: usize| {
            let offsets = sequence.offsets(builder);
            let distances = builder.abs(offsets);
            let distance = builder.int64(super::sequence::signed(distance));
            builder.greater(distances, distance)
        };
        match (self.causal, self.distance) {
            (false, None) => None,
            (true, None) => Some(ahead(builder)),
            (false, Some(distance)) => Some(beyond(builder, distance)),
            (true, Some(distance)) => {
                let (ahead, beyond) = (ahead(builder), beyond(builder, distance));
                Some(builder.or(ahead, beyond))
            }
        }
    }
}
