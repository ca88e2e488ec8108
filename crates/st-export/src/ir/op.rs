//! The operators that a graph may use, with their attributes as types.

use std::ops::RangeInclusive;

use super::ElementType;

/// How GELU is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeluForm {
    /// With the error function: `x · Φ(x)`.
    Exact,
    /// With a hyperbolic tangent, as `gelu_new` and `gelu_pytorch_tanh` do.
    Tanh,
}

/// One operator of ONNX's default domain, version 20.
///
/// A pass matches on this. Inputs that are tensors (axes, shapes, bounds) are inputs of the
/// [`Node`](super::Node), as in ONNX; only what ONNX calls an attribute is a field here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Magnitude of each element.
    Abs,
    /// Sum of two, broadcast.
    Add,
    /// Truth: both.
    And,
    /// Index of the largest value along `axis`, which is kept with size one.
    ArgMax {
        /// The axis.
        axis: i64,
        /// Among equals the last one rather than the first.
        select_last: bool,
    },
    /// Change of number format.
    Cast {
        /// The new format.
        to: ElementType,
    },
    /// Any number of tensors behind each other along `axis`.
    Concat {
        /// The axis.
        axis: i64,
    },
    /// Convolution of `[batch, channels, length]` with weights `[filters, channels / groups, width]`, and a bias for each
    /// filter.
    Conv {
        /// Into how many parts the channels are divided, each with filters of its own.
        groups: i64,
        /// Zeros before the first and behind the last element.
        padding: i64,
    },
    /// Whole numbers times the scales of the second input, one for each index along `axis`.
    DequantizeLinear {
        /// The axis.
        axis: i64,
    },
    /// Cosine of an angle in radians.
    Cos,
    /// Sums of all elements up to and including each, along the axis of the second input.
    CumSum,
    /// Quotient of two, broadcast.
    Div,
    /// Equality of two, broadcast.
    Equal,
    /// The first input repeated to fill the shape of the second.
    Expand,
    /// Slices of the first input along `axis` at the indices of the second.
    Gather {
        /// The axis.
        axis: i64,
    },
    /// Slices of the first input at the index tuples of the second.
    GatherNd {
        /// Leading axes that both inputs share.
        batch_dims: i64,
    },
    /// Gaussian error linear unit.
    Gelu {
        /// Which formula.
        form: GeluForm,
    },
    /// From the first input along `axis` the elements at the indices of the second, which has the shape of the result.
    GatherElements {
        /// The axis.
        axis: i64,
    },
    /// `input · weight + bias` over two axes: the linear layer; the bias may be absent.
    Gemm {
        /// Whether the weight is stored `[out, in]`, as PyTorch does.
        trans_b: bool,
    },
    /// Whether the first of two is greater, broadcast.
    Greater,
    /// Normalisation to mean zero and variance one from `axis` on, then scale and bias.
    LayerNormalization {
        /// First axis that is normalised over.
        axis: i64,
        /// Added to the variance.
        epsilon: f32,
    },
    /// Whether the first of two is less, broadcast.
    Less,
    /// Natural logarithm.
    Log,
    /// Long short-term memory over `[sequence, batch, width]`: `[sequence, directions, batch, hidden]`. The other inputs
    /// are weights of input and state, both with gates in the order input, output, forget, cell, their biases, and the
    /// length of each text, 32-bit.
    Lstm {
        /// Width of the state.
        hidden: i64,
        /// Whether a second one reads from the end.
        bidirectional: bool,
    },
    /// Matrix product over the last two axes, broadcast over the others.
    MatMul,
    /// The same of 8-bit numbers, exactly, as 32-bit ones; the third input is what zero is written as in the
    /// first.
    MatMulInteger,
    /// The larger of each pair, broadcast.
    Max,
    /// The smaller of each pair, broadcast.
    Min,
    /// Product of two, broadcast.
    Mul,
    /// Zero less the element.
    Neg,
    /// Truth: the opposite.
    Not,
    /// Truth: either.
    Or,
    /// The first input to the power of the second, broadcast.
    Pow,
    /// Quotient by the scales of the second input, one for each index along `axis`, rounded to even, plus the
    /// zero points of the third; what does not fit their format is cut off at its ends.
    QuantizeLinear {
        /// The axis.
        axis: i64,
    },
    /// Numbers from the first input up to, not including, the second, in steps of the third.
    Range,
    /// Euclidean length along the axes of the second input, which are kept with size one.
    ReduceL2,
    /// Maximum along the axes of the second input.
    ReduceMax {
        /// Whether the axes stay, with size one.
        keep_dims: bool,
    },
    /// Mean along the axes of the second input.
    ReduceMean {
        /// Whether the axes stay, with size one.
        keep_dims: bool,
    },
    /// Sum along the axes of the second input.
    ReduceSum {
        /// Whether the axes stay, with size one.
        keep_dims: bool,
    },
    /// Zero for what is negative.
    Relu,
    /// The same values under the shape of the second input; −1 stands for what remains, 0 for what was there.
    Reshape,
    /// The sizes of the axes from `start` up to, not including, `end`.
    Shape {
        /// First axis.
        start: i64,
        /// One behind the last axis; `None` for all.
        end: Option<i64>,
    },
    /// Logistic function.
    Sigmoid,
    /// Sine of an angle in radians.
    Sin,
    /// Inputs: data, starts, ends, axes.
    Slice,
    /// Exponentials over their sum along `axis`.
    Softmax {
        /// The axis.
        axis: i64,
    },
    /// Square root.
    Sqrt,
    /// Difference of two, broadcast.
    Sub,
    /// Axes without those of size one that the second input names.
    Squeeze,
    /// Hyperbolic tangent.
    Tanh,
    /// Another order of the axes.
    Transpose {
        /// For each new axis the old one.
        perm: Vec<i64>,
    },
    /// New axes of size one where the second input says.
    Unsqueeze,
    /// The second input where the first is true, else the third, broadcast.
    Where,
}

impl Op {
    /// ONNX's name of the operator.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Abs => "Abs",
            Self::Add => "Add",
            Self::And => "And",
            Self::ArgMax { .. } => "ArgMax",
            Self::Cast { .. } => "Cast",
            Self::Concat { .. } => "Concat",
            Self::Conv { .. } => "Conv",
            Self::Cos => "Cos",
            Self::CumSum => "CumSum",
            Self::DequantizeLinear { .. } => "DequantizeLinear",
            Self::Div => "Div",
            Self::Equal => "Equal",
            Self::Expand => "Expand",
            Self::Gather { .. } => "Gather",
            Self::GatherElements { .. } => "GatherElements",
            Self::GatherNd { .. } => "GatherND",
            Self::Gelu { .. } => "Gelu",
            Self::Gemm { .. } => "Gemm",
            Self::Greater => "Greater",
            Self::LayerNormalization { .. } => "LayerNormalization",
            Self::Less => "Less",
            Self::Log => "Log",
            Self::Lstm { .. } => "LSTM",
            Self::MatMul => "MatMul",
            Self::MatMulInteger => "MatMulInteger",
            Self::Max => "Max",
            Self::Min => "Min",
            Self::Mul => "Mul",
            Self::Neg => "Neg",
            Self::Not => "Not",
            Self::Or => "Or",
            Self::Pow => "Pow",
            Self::QuantizeLinear { .. } => "QuantizeLinear",
            Self::Range => "Range",
            Self::ReduceL2 => "ReduceL2",
            Self::ReduceMax { .. } => "ReduceMax",
            Self::ReduceMean { .. } => "ReduceMean",
            Self::ReduceSum { .. } => "ReduceSum",
            Self::Relu => "Relu",
            Self::Reshape => "Reshape",
            Self::Shape { .. } => "Shape",
            Self::Sigmoid => "Sigmoid",
            Self::Sin => "Sin",
            Self::Slice => "Slice",
            Self::Softmax { .. } => "Softmax",
            Self::Sqrt => "Sqrt",
            Self::Squeeze => "Squeeze",
            Self::Sub => "Sub",
            Self::Tanh => "Tanh",
            Self::Transpose { .. } => "Transpose",
            Self::Unsqueeze => "Unsqueeze",
            Self::Where => "Where",
        }
    }

    /// How many inputs the operator takes.
    pub const fn arity(&self) -> RangeInclusive<usize> {
        match self {
            Self::Concat { .. } => 1..=usize::MAX,
            Self::Gemm { .. } | Self::LayerNormalization { .. } => 2..=3,
            Self::Slice => 4..=4,
            Self::Lstm { .. } => 5..=5,
            Self::Conv { .. }
            | Self::MatMulInteger
            | Self::QuantizeLinear { .. }
            | Self::Range
            | Self::Where => 3..=3,
            Self::Add
            | Self::And
            | Self::CumSum
            | Self::DequantizeLinear { .. }
            | Self::Div
            | Self::Equal
            | Self::Expand
            | Self::Gather { .. }
            | Self::GatherElements { .. }
            | Self::GatherNd { .. }
            | Self::Greater
            | Self::Less
            | Self::MatMul
            | Self::Max
            | Self::Min
            | Self::Mul
            | Self::Or
            | Self::Pow
            | Self::ReduceL2
            | Self::ReduceMax { .. }
            | Self::ReduceMean { .. }
            | Self::ReduceSum { .. }
            | Self::Reshape
            | Self::Squeeze
            | Self::Sub
            | Self::Unsqueeze => 2..=2,
            Self::Abs
            | Self::ArgMax { .. }
            | Self::Cast { .. }
            | Self::Cos
            | Self::Gelu { .. }
            | Self::Log
            | Self::Neg
            | Self::Not
            | Self::Relu
            | Self::Shape { .. }
            | Self::Sigmoid
            | Self::Sin
            | Self::Softmax { .. }
            | Self::Sqrt
            | Self::Tanh
            | Self::Transpose { .. } => 1..=1,
        }
    }
}
