//! The function between the two linear layers of a feed-forward block.

use serde::{Deserialize, Serialize};

use crate::ir::{GeluForm, GraphBuilder, Op, ValueId};

/// An activation under the names that `config.json` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activation {
    Gelu,
    GeluNew,
    GeluPytorchTanh,
    /// The tanh form again, with its constant rounded to ten digits.
    GeluFast,
    QuickGelu,
    Relu,
    Sigmoid,
    Silu,
    Swish,
    Tanh,
}

impl Activation {
    /// Every name, for an error that lists them.
    pub(crate) const NAMES: &str =
        "gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, relu, sigmoid, silu, swish or tanh";

    /// The activation of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }

    /// Applies it to every element.
    pub(crate) fn apply(self, builder: &mut GraphBuilder, value: ValueId) -> ValueId {
        match self {
            Self::Gelu => builder.gelu(value, GeluForm::Exact),
            Self::GeluNew | Self::GeluPytorchTanh | Self::GeluFast => builder.gelu(value, GeluForm::Tanh),
            Self::Relu => builder.apply(Op::Relu, &[value]),
            Self::Sigmoid => builder.apply(Op::Sigmoid, &[value]),
            Self::Tanh => builder.apply(Op::Tanh, &[value]),
            Self::Silu | Self::Swish => {
                let gate = builder.apply(Op::Sigmoid, &[value]);
                builder.mul(value, gate)
            }
            Self::QuickGelu => {
                let slope = builder.float32(1.702);
                let steep = builder.mul(value, slope);
                let gate = builder.apply(Op::Sigmoid, &[steep]);
                builder.mul(value, gate)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_known() {
        for name in Activation::NAMES.split([',', ' ']).filter(|word| !word.is_empty() && *word != "or") {
            assert!(Activation::from_name(name).is_some(), "{name}");
        }
        assert_eq!(Activation::from_name("mish"), None);
    }
}
