//! Sentence embeddings in the number format that was asked for.

use ndarray::Array2;

use crate::Precision;

/// Sentence embeddings, one row a text.
///
/// The binary precisions pack eight dimensions into a byte, so their width is `ceil(dim / 8)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Vectors {
    /// [`Precision::Float32`], `[texts, dim]`.
    Float32(Array2<f32>),
    /// [`Precision::Int8`], `[texts, dim]`.
    Int8(Array2<i8>),
    /// [`Precision::Uint8`], `[texts, dim]`.
    Uint8(Array2<u8>),
    /// [`Precision::Binary`], `[texts, ceil(dim / 8)]`.
    Binary(Array2<i8>),
    /// [`Precision::Ubinary`], `[texts, ceil(dim / 8)]`.
    Ubinary(Array2<u8>),
}

impl Vectors {
    /// The number format.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Float32(_) => Precision::Float32,
            Self::Int8(_) => Precision::Int8,
            Self::Uint8(_) => Precision::Uint8,
            Self::Binary(_) => Precision::Binary,
            Self::Ubinary(_) => Precision::Ubinary,
        }
    }

    /// Rows and stored columns.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Float32(rows) => rows.dim(),
            Self::Int8(rows) | Self::Binary(rows) => rows.dim(),
            Self::Uint8(rows) | Self::Ubinary(rows) => rows.dim(),
        }
    }

    /// The rows as computed, if nothing was quantised.
    pub fn as_float32(&self) -> Option<&Array2<f32>> {
        match self {
            Self::Float32(rows) => Some(rows),
            _ => None,
        }
    }

    /// Takes the rows as computed, if nothing was quantised.
    pub fn into_float32(self) -> Option<Array2<f32>> {
        match self {
            Self::Float32(rows) => Some(rows),
            _ => None,
        }
    }
}
