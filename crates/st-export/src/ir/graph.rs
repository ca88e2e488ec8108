//! A graph: named values, the nodes that make them, and the tensors that it starts from.

use std::collections::BTreeMap;

use super::{Dim, ElementType, Op, ValueInfo};

/// Handle of a value of one [`Graph`]; of no meaning in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub(super) usize);

/// One application of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands in the model, such as `encoder.layer.0.attention.self/Softmax`.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// What it reads, in the operator's order.
    pub inputs: Vec<ValueId>,
    /// What it makes, in the operator's order.
    pub outputs: Vec<ValueId>,
}

/// A value that callers feed or fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The value.
    pub value: ValueId,
    /// Its number format.
    pub element_type: ElementType,
    /// Its axes.
    pub dims: Vec<Dim>,
}

/// Where the numbers of an [`Initializer`] come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// Constants of the graph.
    Float32(Vec<f32>),
    /// Constants of the graph.
    Int64(Vec<i64>),
    /// Constants of the graph.
    Uint8(Vec<u8>),
    /// The checkpoint's tensor of the initializer's name, as 32-bit floats.
    Weight,
    /// Computed from tensors of the checkpoint when the graph is written.
    Derived(Derived),
}

/// What a quantised linear layer needs of the `weight` `[out, in]` and the `bias` `[out]` that it had.
///
/// The scale of an output channel is the largest magnitude of its weights over 127.
#[derive(Clone, Debug, PartialEq)]
pub enum Derived {
    /// The weights over the scale of their channel, rounded, transposed to `[in, out]`; int8.
    Codes {
        /// Name of the weights in the checkpoint.
        weight: String,
    },
    /// The scale of each channel; float32 `[out]`.
    Scales {
        /// Name of the weights in the checkpoint.
        weight: String,
    },
    /// The bias over the scale of its channel, without what an input that is `shift` too large adds to the
    /// channel; float32 `[out]`.
    Bias {
        /// Name of the weights in the checkpoint.
        weight: String,
        /// Name of the bias in the checkpoint; a layer without one has a bias of zeros.
        bias: Option<String>,
        /// How much larger each element of the input is than it should be.
        shift: f32,
    },
}

/// A tensor that is there before the first node runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Initializer {
    /// The value that it defines; a weight's name is its name in the checkpoint, without prefix.
    pub value: ValueId,
    /// Sizes of its axes.
    pub dims: Vec<usize>,
    /// Its numbers, or where they are.
    pub data: TensorData,
}

impl Initializer {
    /// Its number format.
    pub const fn element_type(&self) -> ElementType {
        match self.data {
            TensorData::Int64(_) => ElementType::Int64,
            TensorData::Uint8(_) => ElementType::Uint8,
            TensorData::Derived(Derived::Codes { .. }) => ElementType::Int8,
            TensorData::Float32(_) | TensorData::Weight | TensorData::Derived(_) => ElementType::Float32,
        }
    }

    /// Number of elements; saturates where it would overflow.
    pub fn elements(&self) -> u64 {
        self.dims.iter().fold(1_u64, |product, &size| product.saturating_mul(size as u64))
    }

    /// Bytes of its numbers.
    pub fn bytes(&self) -> u64 {
        let bits = self.element_type().bits().unwrap_or(0);
        self.elements().saturating_mul(bits / 8)
    }

    /// Whether its numbers are the checkpoint's own.
    pub fn is_weight(&self) -> bool {
        self.data == TensorData::Weight
    }

    /// Whether its numbers come from a checkpoint, as they are or computed.
    pub fn is_of_checkpoint(&self) -> bool {
        matches!(self.data, TensorData::Weight | TensorData::Derived(_))
    }
}

/// A computation as data. Passes edit the lists and call [`validate`](Self::validate) after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What it is called in the file.
    pub name: String,
    /// What callers feed.
    pub inputs: Vec<Port>,
    /// What callers fetch.
    pub outputs: Vec<Port>,
    /// Nodes, each after all that it reads from.
    pub nodes: Vec<Node>,
    /// Tensors.
    pub initializers: Vec<Initializer>,
    pub(super) names: Vec<String>,
}

impl Graph {
    /// Makes a value of that name; a node, an input or an initializer has to define it.
    pub fn add_value(&mut self, name: impl Into<String>) -> ValueId {
        self.names.push(name.into());
        ValueId(self.names.len() - 1)
    }

    /// The name of a value; empty for a handle of another graph.
    pub fn value_name(&self, value: ValueId) -> &str {
        self.names.get(value.0).map_or("", String::as_str)
    }

    /// How often each operator occurs.
    pub fn operators(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for node in &self.nodes {
            *counts.entry(node.op.name().to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// Learnt numbers of all weights.
    pub fn parameters(&self) -> u64 {
        // A scale is no parameter of its own.
        let learnt = |tensor: &&Initializer| {
            tensor.is_of_checkpoint() && !matches!(tensor.data, TensorData::Derived(Derived::Scales { .. }))
        };
        self.initializers.iter().filter(learnt).map(Initializer::elements).sum()
    }

    /// An input or output as callers see it.
    pub fn value_info(&self, port: &Port) -> ValueInfo {
        ValueInfo {
            name: self.value_name(port.value).to_owned(),
            element_type: port.element_type,
            dims: Some(port.dims.clone()),
        }
    }
}
