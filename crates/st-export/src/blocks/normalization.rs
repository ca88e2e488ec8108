//! Normalisation of each token by itself.

use crate::ir::{GraphBuilder, ValueId};

/// To mean zero and variance one over the last axis, with the weights `{name}.weight` and `{name}.bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LayerNorm {
    /// Width of the last axis.
    pub(crate) width: usize,
    /// Added to the variance.
    pub(crate) epsilon: f32,
    /// Whether there is a bias.
    pub(crate) bias: bool,
}

impl LayerNorm {
    /// With a bias, as most are.
    pub(crate) fn new(width: usize, epsilon: f32) -> Self {
        Self { width, epsilon, bias: true }
    }

    /// Applies it under `name`.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, name: &str, value: ValueId) -> ValueId {
        builder.within(name, |builder| {
            let scale = builder.weight("weight", &[self.width]);
            let bias = self.bias.then(|| builder.weight("bias", &[self.width]));
            builder.layer_normalization(value, scale, bias, self.epsilon)
        })
    }
}

/// To root mean square one over the last axis, without centring, with the weight `{name}.weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RmsNorm {
    /// Width of the last axis.
    pub(crate) width: usize,
    /// Added to the mean of the squares.
    pub(crate) epsilon: f32,
    /// The file holds the scale less one, as Gemma does.
    pub(crate) around_one: bool,
}

impl RmsNorm {
    /// Applies it under `name`.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, name: &str, value: ValueId) -> ValueId {
        builder.within(name, |builder| {
            let mut scale = builder.weight("weight", &[self.width]);
            if self.around_one {
                let one = builder.float32(1.0);
                scale = builder.add(scale, one);
            }
            let squares = builder.mul(value, value);
            let mean = builder.reduce_mean(squares, -1);
            let epsilon = builder.float32(self.epsilon);
            let mean = builder.add(mean, epsilon);
            let root = builder.sqrt(mean);
            let normal = builder.div(value, root);
            builder.mul(normal, scale)
        })
    }
}
