//! Why vectors cannot be quantised.

use st_core::{Precision, ShapeError};

/// A refusal of [`quantize()`](crate::quantize()).
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
}
