//! Tables that turn numbers into vectors.

use super::Sequence;
use crate::ir::{GraphBuilder, ValueId};

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
