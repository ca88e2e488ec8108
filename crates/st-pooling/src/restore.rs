//! Bytes and bits as numbers again.

use ndarray::{Array2, ArrayView2};
use st_core::{Precision, Ranges, ShapeError, Vectors};

use crate::{Buckets, QuantizeError};

/// Reads vectors of any precision as numbers `[texts, dim]` of the space that they were quantised in.
///
/// A code of eight bits becomes the middle of its bucket, at most half a step from what it was; values that lay outside
/// of the ranges come back at their ends. A bit becomes 1 or −1: what is left of a vector is the side of each axis, and
/// the order of its dot products with a query is that of the reference's rescoring.
///
/// # Errors
///
/// [`QuantizeError::NoRanges`] for the eight-bit precisions without `ranges`, [`QuantizeError::Rows`] and
/// [`QuantizeError::Shape`] if these do not fit, and [`QuantizeError::Bytes`] for packed bits of another `dim`.
///
/// ```
/// use ndarray::array;
/// use st_core::{Precision, Ranges};
/// use st_pooling::{quantize, restore};
///
/// let rows = array![[0.0, 1.0], [0.5, -1.0]];
/// let ranges = Ranges(array![[0.0, -1.0], [0.5, 1.0]]);
/// let codes = quantize(rows.view(), Precision::Uint8, Some(&ranges))?;
/// let back = restore(&codes, Some(&ranges), 2)?;
/// assert!((&back - &rows).iter().all(|error| error.abs() <= 0.5 * 2.0 / 255.0));
///
/// let bits = quantize(rows.view(), Precision::Binary, None)?;
/// assert_eq!(restore(&bits, None, 2)?, array![[-1.0, 1.0], [1.0, -1.0]]);
/// # Ok::<(), st_pooling::QuantizeError>(())
/// ```
pub fn restore(vectors: &Vectors, ranges: Option<&Ranges>, dim: usize) -> Result<Array2<f32>, QuantizeError> {
    match vectors {
        Vectors::Float32(rows) => Ok(rows.clone()),
        Vectors::Int8(rows) => {
            from_codes(rows.view(), Precision::Int8, |code| f32::from(code) + 128.0, ranges)
        }
        Vectors::Uint8(rows) => from_codes(rows.view(), Precision::Uint8, f32::from, ranges),
        Vectors::Binary(rows) => from_bits(rows.view(), |byte| byte.cast_unsigned() ^ 0x80, dim),
        Vectors::Ubinary(rows) => from_bits(rows.view(), |byte| byte, dim),
    }
}

fn from_codes<T: Copy>(
    rows: ArrayView2<'_, T>,
    precision: Precision,
    code: impl Fn(T) -> f32,
    ranges: Option<&Ranges>,
) -> Result<Array2<f32>, QuantizeError> {
    let ranges = ranges.ok_or(QuantizeError::NoRanges { precision })?;
    let buckets = Buckets::new(ranges)?;
    if buckets.dim() != rows.ncols() {
        return Err(ShapeError::Ranges { ranges: buckets.dim(), dim: rows.ncols() }.into());
    }
    let ends = ranges.0.row(1);
    Ok(Array2::from_shape_fn(rows.dim(), |(row, column)| {
        let middle = buckets.starts[column] + (code(rows[(row, column)]) + 0.5) * buckets.steps[column];
        // The last bucket begins where the range ends, and a dimension without extent has one value only.
        middle.min(ends[column])
    }))
}

fn from_bits<T: Copy>(
    rows: ArrayView2<'_, T>,
    byte: impl Fn(T) -> u8,
    dim: usize,
) -> Result<Array2<f32>, QuantizeError> {
    if rows.ncols() != dim.div_ceil(8) {
        return Err(QuantizeError::Bytes { bytes: rows.ncols(), dim });
    }
    Ok(Array2::from_shape_fn((rows.nrows(), dim), |(row, column)| {
        let bit = byte(rows[(row, column / 8)]) << (column % 8) & 0x80;
        if bit == 0 { -1.0 } else { 1.0 }
    }))
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, array};
    use proptest::prelude::*;

    use super::*;
    use crate::quantize;

    fn vectors() -> impl Strategy<Value = Array2<f32>> {
        (2..6_usize, 1..20_usize).prop_flat_map(|(texts, dim)| {
            prop::collection::vec(
                prop_oneof![4 => -2.0_f32..2.0, 1 => Just(0.0), 1 => Just(1.0)],
                texts * dim,
            )
            .prop_map(move |values| Array2::from_shape_vec((texts, dim), values).unwrap())
        })
    }

    proptest! {
        #[test]
        fn codes_come_back_within_half_a_step(rows in vectors()) {
            let fold = |pick: fn(f32, f32) -> f32| rows.fold_axis(Axis(0), f32::NAN, |one, other| pick(*one, *other));
            let (low, high) = (fold(f32::min), fold(f32::max));
            let ranges = Ranges(ndarray::stack![Axis(0), low, high]);
            for precision in [Precision::Int8, Precision::Uint8] {
                let codes = quantize(rows.view(), precision, Some(&ranges)).unwrap();
                let back = restore(&codes, Some(&ranges), rows.ncols()).unwrap();
                for ((at, value), back) in rows.indexed_iter().zip(&back) {
                    let step = (high[at.1] - low[at.1]) / 255.0;
                    prop_assert!((value - back).abs() <= 0.5 * step + 1e-5, "{value} came back as {back}");
                }
            }
        }

        #[test]
        fn bits_come_back_as_signs(rows in vectors()) {
            let expected = rows.mapv(|value| if value > 0.0 { 1.0 } else { -1.0 });
            for precision in [Precision::Binary, Precision::Ubinary] {
                let bits = quantize(rows.view(), precision, None).unwrap();
                prop_assert_eq!(restore(&bits, None, rows.ncols()).unwrap(), expected.clone());
            }
        }
    }

    #[track_caller]
    fn refused(vectors: &Vectors, ranges: Option<Ranges>, dim: usize, expected: &str) {
        assert_eq!(restore(vectors, ranges.as_ref(), dim).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let codes = Vectors::Int8(array![[1, 2]]);
        refused(&codes, None, 2, "int8 vectors cannot be read as numbers without their calibration ranges");
        let wide = Ranges(Array2::zeros((2, 3)));
        refused(&codes, Some(wide), 2, "calibration ranges have 3 columns but the vectors have 2 dimensions");
        refused(&Vectors::Ubinary(array![[1, 2]]), None, 17, "2 bytes a vector do not hold 17 dimensions");
    }
}
