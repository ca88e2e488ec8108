//! Why vectors cannot be quantised.

use st_core::{Precision, ShapeError};

/// A refusal of [`quantize()`](crate::quantize()) or [`restore()`](crate::restore()).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// Ranges and vectors differ in width.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Ranges are a row of minima and a row of maxima, nothing else.
    #[error("calibration ranges have {rows} rows but need one of minima and one of maxima")]
    Rows {
        /// Rows that were given.
        rows: usize,
    },
    /// No ranges were given and the only vector cannot be its own.
    #[error("a single vector cannot be quantised to {precision} without calibration ranges")]
    SingleVector {
        /// The precision that was asked for.
        precision: Precision,
    },
    /// Ranges cannot be taken from vectors that are no numbers.
    #[error(
        "vector {row} is not finite in dimension {dimension}, so these vectors have no ranges; give some, or leave it out"
    )]
    NotFinite {
        /// The first such vector, from 0.
        row: usize,
        /// Its first such dimension.
        dimension: usize,
    },
    /// Codes say nothing without the ranges that they were made with.
    #[error("{precision} vectors cannot be read as numbers without their calibration ranges")]
    NoRanges {
        /// The precision of the vectors.
        precision: Precision,
    },
    /// Packed bits hold another number of dimensions.
    #[error("{bytes} bytes a vector do not hold {dim} dimensions")]
    Bytes {
        /// Bytes of a vector.
        bytes: usize,
        /// Dimensions that were asked for.
        dim: usize,
    },
}
