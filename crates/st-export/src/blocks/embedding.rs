//! Tables that turn numbers into vectors.

use super::Sequence;
use crate::ir::{ElementType, GraphBuilder, Op, ValueId};

/// The rows of the table `{name}.weight` `[rows, width]` at `indices`.
pub(crate) fn lookup(
    builder: &mut GraphBuilder,
    name: &str,
    indices: ValueId,
    [rows, width]: [usize; 2],
) -> ValueId {
    builder.within(name, |builder| {
        let table = builder.weight("weight", &[rows, width]);
        builder.gather(table, indices)
    })
}

/// The same where the table's full name is known and not that of the open scopes.
pub(crate) fn lookup_at(
    builder: &mut GraphBuilder,
    name: &str,
    indices: ValueId,
    [rows, width]: [usize; 2],
) -> ValueId {
    let table = builder.weight_named(name, &[rows, width]);
    builder.gather(table, indices)
}

/// The first row of the table `{name}.weight` `[rows, width]`, for models that never use another: `[width]`.
pub(crate) fn first_row(builder: &mut GraphBuilder, name: &str, dims: [usize; 2]) -> ValueId {
    let zero = builder.int64(0);
    lookup(builder, name, zero, dims)
}

/// The first rows of the table `{name}.weight` `[rows, width]`, one for each position: `[sequence, width]`.
///
/// A sequence longer than the table makes the addition that follows fail in the runtime; nothing is cut
/// silently.
pub(crate) fn absolute_positions(
    builder: &mut GraphBuilder,
    name: &str,
    sequence: &Sequence,
    [rows, width]: [usize; 2],
) -> ValueId {
    builder.within(name, |builder| {
        let table = builder.weight("weight", &[rows, width]);
        builder.first_rows(table, sequence.length)
    })
}

/// The rows of the table `{name}.weight` `[rows, width]` at positions that are counted from `padding + 1` on,
/// padding itself having the position `padding`: `[batch, sequence, width]`.
///
/// What is padding is read off the ids, as the reference does, not off the attention mask: the token `<pad>` in
/// the middle of a text counts as padding, and batches have to be filled up with its id.
pub(crate) fn positions_after_padding(
    builder: &mut GraphBuilder,
    name: &str,
    sequence: &Sequence,
    padding: i64,
    [rows, width]: [usize; 2],
) -> ValueId {
    builder.within(name, |builder| {
        let padding = builder.int64(padding);
        let is_padding = builder.equal(sequence.input_ids, padding);
        let counts = builder.not(is_padding);
        let counts = builder.cast(counts, ElementType::Int64);
        let along = builder.int64(1);
        let positions = builder.apply(Op::CumSum, &[counts, along]);
        let positions = builder.mul(positions, counts);
        let positions = builder.add(positions, padding);
        let table = builder.weight("weight", &[rows, width]);
        builder.gather(table, positions)
    })
}
