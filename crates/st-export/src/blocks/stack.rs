//! Layers behind each other.

use crate::ir::{GraphBuilder, ValueId};

/// What was embedded, and what each of the layers `{scope}.0`, `{scope}.1`, … makes of the one before.
pub(crate) fn stack(
    builder: &mut GraphBuilder,
    scope: &str,
    layers: usize,
    embedded: ValueId,
    mut layer: impl FnMut(&mut GraphBuilder, usize, ValueId) -> ValueId,
) -> Vec<ValueId> {
    let mut values = Vec::with_capacity(layers + 1);
    values.push(embedded);
    let mut hidden = embedded;
    for place in 0..layers {
        hidden = builder.within(&format!("{scope}.{place}"), |builder| layer(builder, place, hidden));
        values.push(hidden);
    }
    values
}

/// The same values with the last one replaced by what `norm` makes of it: models that normalise before each block do
/// so once more at the end.
pub(crate) fn with_last(mut values: Vec<ValueId>, norm: impl FnOnce(ValueId) -> ValueId) -> Vec<ValueId> {
    if let Some(last) = values.last_mut() {
        *last = norm(*last);
    }
    values
}
