//! The layers that every token passes alone.

use super::{Activation, linear};
use crate::ir::{GraphBuilder, ValueId};

/// Two linear layers with a function between them; residual and normalisation belong to the architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeedForward {
    /// Width of a token.
    pub(crate) hidden: usize,
    /// Width between the two layers.
    pub(crate) intermediate: usize,
    /// Function between the two layers.
    pub(crate) activation: Activation,
}

impl FeedForward {
    /// `[tokens, hidden]` to the same shape, with the two layers under `names`.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, names: [&str; 2], value: ValueId) -> ValueId {
        let [expand, contract] = names;
        let wide = linear(builder, expand, value, (self.hidden, self.intermediate));
        let wide = builder.within(expand, |builder| self.activation.apply(builder, wide));
        linear(builder, contract, wide, (self.intermediate, self.hidden))
    }
}

/// `activation(gate) · up`. Which projection is the gate differs from family to family.
pub(crate) fn gated(
    builder: &mut GraphBuilder,
    activation: Activation,
    gate: ValueId,
    up: ValueId,
) -> ValueId {
    let gate = activation.apply(builder, gate);
    builder.mul(gate, up)
}
