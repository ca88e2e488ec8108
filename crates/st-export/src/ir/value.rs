//! What flows along an edge of a graph: element type and dimensions.

use std::fmt;

/// The number format of a tensor, as ONNX numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit float.
    Float32,
    /// Unsigned 8-bit integer.
    Uint8,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// Text.
    String,
    /// Truth value, one byte.
    Bool,
    /// 16-bit float of IEEE 754.
    Float16,
    /// 64-bit float.
    Float64,
    /// 16-bit float with the exponent of a 32-bit one.
    Bfloat16,
    /// Any other number of ONNX's list.
    Other(i32),
}

impl ElementType {
    /// The number that ONNX files use.
    pub const fn code(self) -> i32 {
        match self {
            Self::Float32 => 1,
            Self::Uint8 => 2,
            Self::Int8 => 3,
            Self::Int32 => 6,
            Self::Int64 => 7,
            Self::String => 8,
            Self::Bool => 9,
            Self::Float16 => 10,
            Self::Float64 => 11,
            Self::Bfloat16 => 16,
            Self::Other(code) => code,
        }
    }

    /// The type of a number of ONNX's list.
    pub const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Float32,
            2 => Self::Uint8,
            3 => Self::Int8,
            6 => Self::Int32,
            7 => Self::Int64,
            8 => Self::String,
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Float64,
            16 => Self::Bfloat16,
            other => Self::Other(other),
        }
    }

    /// Bits that one element takes in a file; `None` for text and for what ONNX does not define.
    pub const fn bits(self) -> Option<u64> {
        match self {
            // The last group is ONNX's float8 variants and float8e8m0.
            Self::Uint8 | Self::Int8 | Self::Bool | Self::Other(17..=20 | 24) => Some(8),
            Self::Float16 | Self::Bfloat16 | Self::Other(4 | 5) => Some(16),
            Self::Float32 | Self::Int32 | Self::Other(12) => Some(32),
            Self::Float64 | Self::Int64 | Self::Other(13 | 14) => Some(64),
            Self::Other(15) => Some(128),
            Self::Other(21..=23) => Some(4),
            Self::Other(25 | 26) => Some(2),
            Self::String | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Float32 => "float32",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Float16 => "float16",
            Self::Float64 => "float64",
            Self::Bfloat16 => "bfloat16",
            Self::Other(code) => return write!(f, "type {code}"),
        })
    }
}

/// One axis of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// A known size.
    Fixed(u64),
    /// A size that every run chooses, with its name, such as `batch`.
    Symbolic(String),
    /// A size about which the graph says nothing.
    Unknown,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Symbolic(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// An input or an output of a graph; prints as `input_ids: int64[batch, sequence]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ValueInfo {
    /// The name under which callers feed or fetch it.
    pub name: String,
    /// Its number format.
    pub element_type: ElementType,
    /// Its axes; `None` when the graph does not even say how many.
    pub dims: Option<Vec<Dim>>,
}

impl ValueInfo {
    /// Number of axes, when the graph says.
    pub fn rank(&self) -> Option<usize> {
        self.dims.as_ref().map(Vec::len)
    }
}

impl fmt::Display for ValueInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.element_type)?;
        let Some(dims) = &self.dims else { return f.write_str("[…]") };
        let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
        write!(f, "[{}]", dims.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in -1..30 {
            assert_eq!(ElementType::from_code(code).code(), code);
        }
    }

    #[test]
    fn a_value_prints_as_people_write_it() {
        let dims = Some(vec![Dim::Symbolic("batch".into()), Dim::Fixed(384), Dim::Unknown]);
        let value = ValueInfo { name: "out".into(), element_type: ElementType::Float32, dims };
        assert_eq!(value.to_string(), "out: float32[batch, 384, ?]");
        assert_eq!(value.rank(), Some(3));
    }
}
