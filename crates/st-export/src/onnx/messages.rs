//! From the intermediate representation to protobuf messages; everything but the weights.

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::ir::{Dim, GeluForm, Graph, Initializer, Node, Op, Port, TensorData};

/// Version of the file format; 9 is the first that belongs to operator set 20.
const IR_VERSION: i64 = 9;
/// Version of the operator set: the first with `Gelu`.
const OPERATOR_SET: i64 = 20;

/// ONNX's numbers for kinds of attributes.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const INTS: i32 = 7;

/// ONNX's number for data outside the file.
const EXTERNAL: i32 = 1;

/// Everything of a file but its graph.
pub(super) fn shell() -> ModelProto {
    let opset = OperatorSetIdProto { domain: Some(String::new()), version: Some(OPERATOR_SET) };
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: None,
        opset_import: vec![opset],
    }
}

/// The graph with its constants, without its weights.
pub(super) fn body(graph: &Graph) -> GraphProto {
    let constants = graph.initializers.iter().filter_map(|tensor| constant(graph, tensor));
    GraphProto {
        node: graph.nodes.iter().map(|node| node_message(graph, node)).collect(),
        name: Some(graph.name.clone()),
        initializer: constants.collect(),
        input: graph.inputs.iter().map(|port| port_message(graph, port)).collect(),
        output: graph.outputs.iter().map(|port| port_message(graph, port)).collect(),
    }
}

/// A tensor without its data.
pub(super) fn tensor(graph: &Graph, tensor: &Initializer) -> TensorProto {
    TensorProto {
        // Sizes come from a checked configuration, far below the limit.
        dims: tensor.dims.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect(),
        data_type: Some(tensor.element_type().code()),
        name: Some(graph.value_name(tensor.value).to_owned()),
        ..TensorProto::default()
    }
}

/// A tensor whose data lies in `location`.
pub(super) fn external_tensor(
    graph: &Graph,
    initializer: &Initializer,
    location: &str,
    offset: u64,
    length: u64,
) -> TensorProto {
    let entry =
        |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
    TensorProto {
        external_data: vec![
            entry("location", location.to_owned()),
            entry("offset", offset.to_string()),
            entry("length", length.to_string()),
        ],
        data_location: Some(EXTERNAL),
        ..tensor(graph, initializer)
    }
}

fn constant(graph: &Graph, initializer: &Initializer) -> Option<TensorProto> {
    let raw: Vec<u8> = match &initializer.data {
        TensorData::Float32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        TensorData::Int64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        TensorData::Uint8(values) => values.clone(),
        TensorData::Weight | TensorData::Derived(_) => return None,
    };
    Some(TensorProto { raw_data: Some(raw), ..tensor(graph, initializer) })
}

fn node_message(graph: &Graph, node: &Node) -> NodeProto {
    let names = |values: &[_]| values.iter().map(|&value| graph.value_name(value).to_owned()).collect();
    NodeProto {
        input: names(&node.inputs),
        output: names(&node.outputs),
        name: Some(node.name.clone()),
        op_type: Some(node.op.name().to_owned()),
        attribute: attributes(&node.op),
        domain: None,
    }
}

fn attributes(op: &Op) -> Vec<AttributeProto> {
    match op {
        Op::ArgMax { axis, select_last } => {
            vec![int("axis", *axis), int("keepdims", 1), int("select_last_index", i64::from(*select_last))]
        }
        Op::Cast { to } => vec![int("to", i64::from(to.code()))],
        Op::Concat { axis }
        | Op::DequantizeLinear { axis }
        | Op::Gather { axis }
        | Op::GatherElements { axis }
        | Op::QuantizeLinear { axis }
        | Op::Softmax { axis } => vec![int("axis", *axis)],
        Op::Conv { groups, padding } => vec![int("group", *groups), ints("pads", &[*padding, *padding])],
        Op::GatherNd { batch_dims } => vec![int("batch_dims", *batch_dims)],
        Op::Gelu { form: GeluForm::Exact } => vec![text("approximate", "none")],
        Op::Gelu { form: GeluForm::Tanh } => vec![text("approximate", "tanh")],
        Op::Gemm { trans_b } => vec![int("transB", i64::from(*trans_b))],
        Op::LayerNormalization { axis, epsilon } => vec![int("axis", *axis), float("epsilon", *epsilon)],
        Op::Lstm { hidden, bidirectional } => {
            let direction = if *bidirectional { "bidirectional" } else { "forward" };
            vec![int("hidden_size", *hidden), text("direction", direction)]
        }
        Op::ReduceL2 => vec![int("keepdims", 1)],
        Op::ReduceMax { keep_dims } | Op::ReduceMean { keep_dims } | Op::ReduceSum { keep_dims } => {
            vec![int("keepdims", i64::from(*keep_dims))]
        }
        Op::Shape { start, end } => {
            let mut attributes = vec![int("start", *start)];
            attributes.extend(end.map(|end| int("end", end)));
            attributes
        }
        Op::Transpose { perm } => vec![ints("perm", perm)],
        Op::Abs
        | Op::Add
        | Op::And
        | Op::Cos
        | Op::CumSum
        | Op::Div
        | Op::Equal
        | Op::Expand
        | Op::Greater
        | Op::Less
        | Op::Log
        | Op::MatMul
        | Op::MatMulInteger
        | Op::Max
        | Op::Min
        | Op::Mul
        | Op::Neg
        | Op::Not
        | Op::Or
        | Op::Pow
        | Op::Range
        | Op::Relu
        | Op::Reshape
        | Op::Sigmoid
        | Op::Sin
        | Op::Slice
        | Op::Sqrt
        | Op::Squeeze
        | Op::Sub
        | Op::Tanh
        | Op::Unsqueeze
        | Op::Where => Vec::new(),
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), kind: Some(kind), ..AttributeProto::default() }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, INT) }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, INTS) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, FLOAT) }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..attribute(name, STRING) }
}

fn port_message(graph: &Graph, port: &Port) -> ValueInfoProto {
    let shape = TensorShapeProto { dim: port.dims.iter().map(dimension).collect() };
    let tensor_type = TensorTypeProto { elem_type: Some(port.element_type.code()), shape: Some(shape) };
    ValueInfoProto {
        name: Some(graph.value_name(port.value).to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
    }
}

fn dimension(dim: &Dim) -> DimensionProto {
    match dim {
        Dim::Fixed(size) => {
            DimensionProto { dim_value: Some(i64::try_from(*size).unwrap_or(i64::MAX)), dim_param: None }
        }
        Dim::Symbolic(name) => DimensionProto { dim_value: None, dim_param: Some(name.clone()) },
        Dim::Unknown => DimensionProto::default(),
    }
}
