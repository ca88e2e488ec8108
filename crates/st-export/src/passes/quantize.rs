//! Linear layers in eight bits.
//!
//! `x · Wᵀ + b` becomes a product of whole numbers. The weights have one scale for each output channel, made
//! when the graph is written. The activations have one scale for each row, that is for each token, found in
//! the graph: with one scale for all rows, as dynamic quantisation usually has it, the vector of a text would
//! depend on the texts beside it.
//!
//! ```text
//! scale   = max |row| / 127                             one for each row
//! codes   = round(x / scale) + 128                      uint8
//! y       = ((codes − 128) · W') · scale + b / scale'   W' is int8; DequantizeLinear is the product with scale
//! y       = y · scale'                                  one for each output channel
//! ```
//!
//! What comes out of GELU is never below −0.17, so there the codes start at that minimum instead of being
//! symmetric, which doubles their resolution; the bias takes the shift back.
//!
//! Only standard operators are used: the runtime's own fused product of the kind is no faster (measured, within
//! 1 %). The bias comes before the channel's scale because `Add` before `Gelu` would be fused into one operator
//! that is slower than both (2 %).
//!
//! The projection of attention's values stays in floats. On all-MiniLM-L6-v2 that costs 10 % of the speed and
//! takes away half of the error, more than any other layer: its error goes into the sum unsoftened, where those
//! of queries and keys pass a softmax.

use std::collections::{HashMap, HashSet};
use std::mem;

use crate::ir::{Derived, Graph, Initializer, Node, Op, TensorData, ValueId};

/// A little below GELU's minimum, −0.16997 in the exact form and −0.17004 with tanh, so that a row which lies
/// at the minimum everywhere still has a scale above zero.
const GELU_SHIFT: f32 = 0.1701;
/// Stands in for the largest magnitude of a row of zeros, whose scale must not be zero.
const LEAST_MAXIMUM: f32 = 1e-30;

/// Rewrites every linear layer but the projections of attention's values.
pub(crate) fn quantize_linears(mut graph: Graph) -> Graph {
    let nodes = mem::take(&mut graph.nodes);
    let kept = attention_values(&nodes);
    let gelus = nodes.iter().filter(|node| matches!(node.op, Op::Gelu { .. }));
    let mut rewriter = Rewriter {
        gelus: gelus.flat_map(|node| &node.outputs).copied().collect(),
        graph,
        inputs: HashMap::new(),
    };
    for node in nodes {
        match rewriter.linear(&node) {
            Some(linear) if !kept.contains(&linear.output) => rewriter.quantize(&linear),
            _ => rewriter.graph.nodes.push(node),
        }
    }
    let mut graph = rewriter.graph;
    let read: HashSet<ValueId> = graph.nodes.iter().flat_map(|node| &node.inputs).copied().collect();
    graph.initializers.retain(|tensor| read.contains(&tensor.value));
    graph
}

/// The linear layers whose output, split into heads, is weighed by a softmax.
fn attention_values(nodes: &[Node]) -> HashSet<ValueId> {
    let makers: HashMap<ValueId, &Node> =
        nodes.iter().flat_map(|node| node.outputs.iter().map(move |&output| (output, node))).collect();
    let weighed = nodes.iter().filter_map(|node| match (&node.op, node.inputs.as_slice()) {
        (Op::MatMul, &[left, right]) => matches!(makers.get(&left)?.op, Op::Softmax { .. }).then_some(right),
        _ => None,
    });
    let origin = |mut value: ValueId| {
        // What splits a fused projection, and what repeats heads that share their keys and values, is on the way.
        while let Some(Node {
            op: Op::Reshape | Op::Transpose { .. } | Op::Slice | Op::Unsqueeze | Op::Expand,
            inputs,
            ..
        }) = makers.get(&value)
        {
            let Some(&input) = inputs.first() else { break };
            value = input;
        }
        value
    };
    weighed.map(origin).collect()
}

/// A linear layer of the checkpoint.
struct Linear {
    /// Where it stands in the model.
    scope: String,
    input: ValueId,
    weight: String,
    /// `[out, in]`.
    dims: [usize; 2],
    bias: Option<String>,
    output: ValueId,
}

/// Activations as codes.
#[derive(Clone, Copy)]
struct Activations {
    codes: ValueId,
    /// One for each row.
    scales: ValueId,
    zero_point: ValueId,
    shift: f32,
}

struct Rewriter {
    graph: Graph,
    /// Values that GELU made.
    gelus: HashSet<ValueId>,
    /// Queries and keys read the same activations, which are quantised once.
    inputs: HashMap<ValueId, Activations>,
}

impl Rewriter {
    fn linear(&self, node: &Node) -> Option<Linear> {
        let (Op::Gemm { trans_b: true }, &[input, weight, ref bias @ ..], &[output]) =
            (&node.op, node.inputs.as_slice(), node.outputs.as_slice())
        else {
            return None;
        };
        let bias = bias.first().copied();
        let weight_of =
            |value| self.graph.initializers.iter().find(|tensor| tensor.value == value && tensor.is_weight());
        let dims = weight_of(weight)?.dims.as_slice().try_into().ok()?;
        if let Some(bias) = bias {
            weight_of(bias)?;
        }
        let name = |value| self.graph.value_name(value).to_owned();
        let scope = node.name.strip_suffix("/Gemm").unwrap_or(&node.name).to_owned();
        Some(Linear { scope, input, weight: name(weight), dims, bias: bias.map(name), output })
    }

    fn quantize(&mut self, linear: &Linear) {
        let Activations { codes, scales, zero_point, shift } = self.activations(linear.input);
        let Linear { scope, weight, bias, dims: [out, width], .. } = linear;
        let weights =
            self.derived(weight, "codes", vec![*width, *out], Derived::Codes { weight: weight.clone() });
        let channels = self.derived(weight, "scales", vec![*out], Derived::Scales { weight: weight.clone() });
        let derived = Derived::Bias { weight: weight.clone(), bias: bias.clone(), shift };
        let of = bias.as_ref().unwrap_or(weight);
        let bias = self.derived(of, "scaled", vec![*out], derived);
        let product = self.apply(scope, Op::MatMulInteger, &[codes, weights, zero_point]);
        let product = self.apply(scope, Op::DequantizeLinear { axis: 0 }, &[product, scales]);
        let sum = self.apply(scope, Op::Add, &[product, bias]);
        let name = format!("{scope}/int8/{}", Op::Mul.name());
        let inputs = vec![sum, channels];
        self.graph.nodes.push(Node { name, op: Op::Mul, inputs, outputs: vec![linear.output] });
    }

    /// Quantises activations `[rows, width]`, each row by itself.
    fn activations(&mut self, input: ValueId) -> Activations {
        if let Some(&known) = self.inputs.get(&input) {
            return known;
        }
        let scope = self.graph.value_name(input).to_owned();
        let last = self.constant("int64 [-1]", vec![1], TensorData::Int64(vec![-1]));
        let reduce = Op::ReduceMax { keep_dims: false };
        let (values, maxima, shift, zero_point, steps) = if self.gelus.contains(&input) {
            let shift = self.float32(GELU_SHIFT);
            let shifted = self.apply(&scope, Op::Add, &[input, shift]);
            let maxima = self.apply(&scope, reduce, &[shifted, last]);
            (shifted, maxima, GELU_SHIFT, 0, 255.0)
        } else {
            let magnitudes = self.apply(&scope, Op::Abs, &[input]);
            let maxima = self.apply(&scope, reduce, &[magnitudes, last]);
            let floor = self.float32(LEAST_MAXIMUM);
            let maxima = self.apply(&scope, Op::Max, &[maxima, floor]);
            (input, maxima, 0.0, 128, 127.0)
        };
        let unit = self.float32(1.0 / steps);
        let scales = self.apply(&scope, Op::Mul, &[maxima, unit]);
        let data = TensorData::Uint8(vec![zero_point]);
        let zero_point = self.constant(&format!("uint8 {zero_point}"), Vec::new(), data);
        // The operator wants as many zero points as scales.
        let rows = self.apply(&scope, Op::Shape { start: 0, end: None }, &[scales]);
        let zero_points = self.apply(&scope, Op::Expand, &[zero_point, rows]);
        let codes = self.apply(&scope, Op::QuantizeLinear { axis: 0 }, &[values, scales, zero_points]);
        let activations = Activations { codes, scales, zero_point, shift };
        self.inputs.insert(input, activations);
        activations
    }

    fn apply(&mut self, scope: &str, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = format!("{scope}/int8/{}", op.name());
        let value = self.graph.add_value(name.clone());
        self.graph.nodes.push(Node { name, op, inputs: inputs.to_vec(), outputs: vec![value] });
        value
    }

    fn derived(&mut self, of: &str, what: &str, dims: Vec<usize>, derived: Derived) -> ValueId {
        let name = format!("{of}/int8/{what}");
        if let Some(known) = self.initializer(&name) {
            return known; // layers may share their weights
        }
        let value = self.graph.add_value(name);
        self.graph.initializers.push(Initializer { value, dims, data: TensorData::Derived(derived) });
        value
    }

    fn initializer(&self, name: &str) -> Option<ValueId> {
        let mut tensors = self.graph.initializers.iter();
        tensors.find(|tensor| self.graph.value_name(tensor.value) == name).map(|tensor| tensor.value)
    }

    fn float32(&mut self, number: f32) -> ValueId {
        self.constant(&format!("float32 {number:?}"), Vec::new(), TensorData::Float32(vec![number]))
    }

    /// Under the name that the builder would give it, so that equal constants stay one tensor.
    fn constant(&mut self, name: &str, dims: Vec<usize>, data: TensorData) -> ValueId {
        let name = format!("constant/{name}");
        if let Some(known) = self.initializer(&name) {
            return known;
        }
        let value = self.graph.add_value(name);
        self.graph.initializers.push(Initializer { value, dims, data });
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Dim, ElementType, GeluForm, GraphBuilder};

    /// A block with one head: queries, keys and values, then a feed-forward layer behind GELU.
    fn block() -> Graph {
        let mut builder = GraphBuilder::new("test");
        let dims = vec![Dim::Symbolic("rows".into()), Dim::Fixed(4)];
        let input = builder.input("input", ElementType::Float32, dims.clone());
        let linear = |builder: &mut GraphBuilder, name: &str, value| {
            builder.within(name, |builder| {
                let weight = builder.weight("weight", &[4, 4]);
                let bias = builder.weight("bias", &[4]);
                builder.linear(value, weight, bias)
            })
        };
        let query = linear(&mut builder, "query", input);
        let key = linear(&mut builder, "key", input);
        let value = linear(&mut builder, "value", input);
        let key = builder.transpose(key, &[1, 0]);
        let scores = builder.matmul(query, key);
        let attention = builder.softmax(scores);
        let value = builder.transpose(value, &[0, 1]);
        let context = builder.matmul(attention, value);
        let wide = linear(&mut builder, "wide", context);
        let wide = builder.gelu(wide, GeluForm::Exact);
        let narrow = linear(&mut builder, "narrow", wide);
        builder.output("output", narrow, ElementType::Float32, dims);
        builder.finish()
    }

    #[test]
    fn every_linear_layer_but_the_values_counts_in_whole_numbers() {
        let before = block();
        let after = quantize_linears(before.clone());
        assert_eq!(after.validate(), Ok(()));
        let floats: Vec<&str> = after
            .nodes
            .iter()
            .filter(|node| matches!(node.op, Op::Gemm { .. }))
            .map(|node| node.name.as_str())
            .collect();
        assert_eq!(floats, ["value/Gemm"]);
        let operators = after.operators();
        assert_eq!(["MatMulInteger", "DequantizeLinear"].map(|name| operators[name]), [4, 4]);
        // Queries and keys share the first; only what GELU made is shifted instead of being symmetric.
        assert_eq!(["QuantizeLinear", "Abs", "Max"].map(|name| operators[name]), [3, 2, 2]);
        assert_eq!((&after.inputs, &after.outputs), (&before.inputs, &before.outputs));
        assert_eq!(after.parameters(), before.parameters());
    }

    #[test]
    fn nothing_of_the_floats_stays_behind() {
        let graph = quantize_linears(block());
        let names: Vec<&str> = graph
            .initializers
            .iter()
            .filter(|tensor| tensor.is_of_checkpoint())
            .map(|tensor| graph.value_name(tensor.value))
            .collect();
        let codes = |name: &str| {
            ["weight/int8/codes", "weight/int8/scales", "bias/int8/scaled"].map(|end| format!("{name}.{end}"))
        };
        let mut expected = vec!["value.weight".to_owned(), "value.bias".to_owned()];
        expected.extend(["query", "key", "wide", "narrow"].iter().flat_map(|name| codes(name)));
        assert_eq!(names, expected);
    }

    #[test]
    fn a_graph_without_linear_layers_stays_as_it_is() {
        let mut builder = GraphBuilder::new("test");
        let input = builder.input("input", ElementType::Float32, vec![Dim::Fixed(2)]);
        let root = builder.apply(Op::Sqrt, &[input]);
        builder.output("output", root, ElementType::Float32, vec![Dim::Fixed(2)]);
        let graph = builder.finish();
        assert_eq!(quantize_linears(graph.clone()), graph);
    }
}
