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

/// The same without a bias.
pub(crate) fn project(
    builder: &mut GraphBuilder,
    name: &str,
    value: ValueId,
    (from, to): (usize, usize),
) -> ValueId {
    builder.within(name, |builder| {
        let weight = builder.weight("weight", &[to, from]);
        builder.project(value, weight)
    })
}

/// `[rows, parts · width]` to its parts, each `[rows, width]`: what one matrix computed for several purposes.
pub(crate) fn split<const PARTS: usize>(
    builder: &mut GraphBuilder,
    value: ValueId,
    width: usize,
) -> [ValueId; PARTS] {
    std::array::from_fn(|part| {
        let [start, end] = [part * width, (part + 1) * width].map(super::sequence::signed);
        builder.slice(value, 1, start, end)
    })
}
