//! The linear layer.

use crate::ir::{GraphBuilder, ValueId};

/// `[rows, from]` to `[rows, to]` with the weights `{name}.weight` `[to, from]` and `{name}.bias` `[to]`.
pub(crate) fn linear(
    builder: &mut GraphBuilder,
    name: &str,
    value: ValueId,
    (from, to): (usize, usize),
) -> ValueId {
    builder.within(name, |builder| {
        let weight = builder.weight("weight", &[to, from]);
        let bias = builder.weight("bias", &[to]);
        builder.linear(value, weight, bias)
    })
}
