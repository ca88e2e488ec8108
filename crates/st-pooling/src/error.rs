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
    /// Ranges of infinite or no numbers, from which every other vector would get one and the same code.
    #[error(
        "the ranges of dimension {dimension} are not finite: one of the vectors that they come from is none; leave its text out"
    )]
    NotFinite {
        /// The first such dimension.
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
