//! Layer normalisation.

use crate::ir::{GraphBuilder, ValueId};

/// Normalisation over the last axis, with the weights `{name}.weight` and `{name}.bias`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerNorm {
    /// Width of the last axis.
    pub(crate) width: usize,
    /// Added to the variance.
    pub(crate) epsilon: f32,
}

impl LayerNorm {
    /// Applies it under `name`.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, name: &str, value: ValueId) -> ValueId {
        builder.within(name, |builder| {
            let scale = builder.weight("weight", &[self.width]);
            let bias = builder.weight("bias", &[self.width]);
            builder.layer_normalization(value, scale, bias, self.epsilon)
        })
    }
}
