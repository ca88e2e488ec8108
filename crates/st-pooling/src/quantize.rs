//! Vectors as bytes and as bits.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Zip};
use st_core::{Precision, Ranges, Vectors};

use crate::calibrate::own_ranges;
use crate::{Buckets, QuantizeError};

/// Quantises `rows`, bit for bit as the reference does.
///
/// The eight-bit precisions take `ranges`, or else those of `rows` themselves; vectors of different calls
/// are comparable only with the same ranges. The binary precisions set a bit where a value is above zero.
///
/// # Errors
///
/// For the eight-bit precisions only: [`QuantizeError::Shape`] if the ranges have another width,
/// [`QuantizeError::Rows`] if they are not two rows, [`QuantizeError::SingleVector`] if there are none and
/// only one vector to take them from, [`QuantizeError::NotFinite`] if they are no numbers.
pub fn quantize(
    rows: ArrayView2<'_, f32>,
    precision: Precision,
    ranges: Option<&Ranges>,
) -> Result<Vectors, QuantizeError> {
    let (texts, dim) = rows.dim();
    let shape = (texts, dim);
    let packed = (texts, dim.div_ceil(8));
    Ok(match precision {
        Precision::Float32 => Vectors::Float32(rows.to_owned()),
        Precision::Int8 => {
            let buckets = buckets(rows, precision, ranges)?;
            Vectors::Int8(filled(shape, |out| int8_into(rows, &buckets, out)))
        }
        Precision::Uint8 => {
            let buckets = buckets(rows, precision, ranges)?;
            Vectors::Uint8(filled(shape, |out| uint8_into(rows, &buckets, out)))
        }
        Precision::Binary => Vectors::Binary(filled(packed, |out| binary_into(rows, out))),
        Precision::Ubinary => Vectors::Ubinary(filled(packed, |out| ubinary_into(rows, out))),
    })
}

fn filled<T: Clone + Default>(shape: (usize, usize), fill: impl FnOnce(ArrayViewMut2<'_, T>)) -> Array2<T> {
    let mut out = Array2::default(shape);
    fill(out.view_mut());
    out
}

fn buckets(
    rows: ArrayView2<'_, f32>,
    precision: Precision,
    ranges: Option<&Ranges>,
) -> Result<Buckets, QuantizeError> {
    match (ranges, rows.nrows()) {
        (Some(ranges), _) => Buckets::for_width(ranges, rows.ncols()),
        (None, 1) => Err(QuantizeError::SingleVector { precision }),
        // No rows give no ranges, and need none.
        (None, _) => {
            Buckets::new(&own_ranges(rows)?.unwrap_or_else(|| Ranges(Array2::zeros((2, rows.ncols())))))
        }
    }
}

/// Writes −128 to 127 for each value of `rows`: the bucket it falls into, the outer ones open-ended.
///
/// # Panics
///
/// If `out` has another shape than `rows`, or `buckets` another width.
pub fn int8_into(rows: ArrayView2<'_, f32>, buckets: &Buckets, out: ArrayViewMut2<'_, i8>) {
    codes_into(rows, buckets, signed, out);
}

/// Writes 0 to 255 for each value of `rows`: the bucket it falls into, the outer ones open-ended.
///
/// # Panics
///
/// As [`int8_into`].
pub fn uint8_into(rows: ArrayView2<'_, f32>, buckets: &Buckets, out: ArrayViewMut2<'_, u8>) {
    codes_into(rows, buckets, |code| code, out);
}

/// As [`ubinary_into`], each byte minus 128.
///
/// # Panics
///
/// As [`ubinary_into`].
pub fn binary_into(rows: ArrayView2<'_, f32>, out: ArrayViewMut2<'_, i8>) {
    bits_into(rows, signed, out);
}

/// Writes one bit for each value of `rows`, set if it is above zero, most significant bit first.
///
/// The last byte of a row is filled up with zero bits.
///
/// # Panics
///
/// If `out` is not `[texts, ceil(dim / 8)]`.
pub fn ubinary_into(rows: ArrayView2<'_, f32>, out: ArrayViewMut2<'_, u8>) {
    bits_into(rows, |byte| byte, out);
}

/// The byte minus 128.
fn signed(byte: u8) -> i8 {
    (byte ^ 0x80).cast_signed()
}

fn codes_into<T>(
    rows: ArrayView2<'_, f32>,
    buckets: &Buckets,
    encode: impl Fn(u8) -> T,
    mut out: ArrayViewMut2<'_, T>,
) {
    assert_eq!(out.dim(), rows.dim(), "codes need a buffer of the shape of their vectors");
    for (row, out) in rows.outer_iter().zip(out.outer_iter_mut()) {
        Zip::from(out).and(row).and(&buckets.starts).and(&buckets.steps).for_each(
            |out, &value, &start, &step| {
                *out = encode(code((value - start) / step));
            },
        );
    }
}

/// `clip(floor(steps), 0, 255)`; all arithmetic is `f32`, as NumPy's is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and between its ends it floors"
)]
fn code(steps: f32) -> u8 {
    steps as u8
}

fn bits_into<T>(rows: ArrayView2<'_, f32>, encode: impl Fn(u8) -> T, mut out: ArrayViewMut2<'_, T>) {
    let (texts, dim) = rows.dim();
    assert_eq!(out.dim(), (texts, dim.div_ceil(8)), "bits need a buffer of [texts, ceil(dim / 8)]");
    for (row, mut out) in rows.outer_iter().zip(out.outer_iter_mut()) {
        for (values, out) in row.axis_chunks_iter(Axis(0), 8).zip(&mut out) {
            let bits = values.iter().zip([128, 64, 32, 16, 8, 4, 2, 1_u8]);
            *out = encode(bits.map(|(&value, bit)| if value > 0.0 { bit } else { 0 }).sum());
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use proptest::prelude::*;
    use st_core::ShapeError;

    use super::*;

    /// Such as a text without a known word, under the largest of its words.
    #[test]
    fn one_vector_without_numbers_does_not_spoil_the_others() {
        let rows = array![[1.0, f32::NEG_INFINITY], [2.0, 3.0]];
        for precision in [Precision::Int8, Precision::Uint8] {
            let error = quantize(rows.view(), precision, None).unwrap_err();
            assert_eq!(error, QuantizeError::NotFinite { dimension: 1 });
        }
        let ranges = Ranges(array![[0.0, 0.0], [2.0, 4.0]]);
        assert!(quantize(rows.view(), Precision::Int8, Some(&ranges)).is_ok());
    }

    /// The formula of the reference, with its own steps: subtract, divide, floor, clip, cast.
    fn oracle(rows: &Array2<f32>, ranges: &Array2<f32>) -> Array2<u8> {
        Array2::from_shape_fn(rows.dim(), |(text, column)| {
            let (low, high) = (ranges[[0, column]], ranges[[1, column]]);
            let step = match (high - low) / 255.0 {
                0.0 => 1.0,
                step => step,
            };
            let steps = f64::from((rows[[text, column]] - low) / step).floor().clamp(0.0, 255.0);
            (0..=u8::MAX).find(|&code| f64::from(code) >= steps).unwrap()
        })
    }

    fn oracle_bits(rows: &Array2<f32>) -> Array2<u8> {
        Array2::from_shape_fn((rows.nrows(), rows.ncols().div_ceil(8)), |(text, byte)| {
            let mut bits = String::new();
            for column in 8 * byte..8 * byte + 8 {
                bits.push(if rows.get([text, column]).is_some_and(|&value| value > 0.0) { '1' } else { '0' });
            }
            u8::from_str_radix(&bits, 2).unwrap()
        })
    }

    fn vectors() -> impl Strategy<Value = Array2<f32>> {
        let value = prop_oneof![4 => -2.0_f32..2.0, 1 => Just(0.0), 1 => Just(-0.0), 1 => Just(1.0)];
        (2..6_usize, 0..20_usize).prop_flat_map(move |(texts, dim)| {
            prop::collection::vec(value.clone(), texts * dim)
                .prop_map(move |values| Array2::from_shape_vec((texts, dim), values).unwrap())
        })
    }

    fn minus_128(bytes: &Array2<u8>) -> Array2<i8> {
        bytes.mapv(|byte| i8::try_from(i16::from(byte) - 128).unwrap())
    }

    proptest! {
        #[test]
        fn every_precision_matches_its_oracle(rows in vectors(), calibration in vectors()) {
            let width = rows.ncols().min(calibration.ncols());
            let rows = crate::truncate(rows.view(), width).to_owned();
            let ranges = own_ranges(crate::truncate(calibration.view(), width)).unwrap().unwrap();
            let codes = oracle(&rows, &ranges.0);
            let bits = oracle_bits(&rows);
            let check = |precision| quantize(rows.view(), precision, Some(&ranges)).unwrap();
            prop_assert_eq!(check(Precision::Int8), Vectors::Int8(minus_128(&codes)));
            prop_assert_eq!(check(Precision::Uint8), Vectors::Uint8(codes));
            prop_assert_eq!(check(Precision::Binary), Vectors::Binary(minus_128(&bits)));
            prop_assert_eq!(check(Precision::Ubinary), Vectors::Ubinary(bits));
            prop_assert_eq!(check(Precision::Float32), Vectors::Float32(rows.clone()));
        }

        #[test]
        fn chunks_with_shared_ranges_equal_one_call(rows in vectors(), cut in 0..6_usize) {
            let (first, second) = rows.view().split_at(Axis(0), cut.min(rows.nrows()));
            let ranges = own_ranges(rows.view()).unwrap();
            let whole = quantize(rows.view(), Precision::Uint8, None).unwrap();
            let mut parts = Vec::new();
            for part in [first, second] {
                match quantize(part, Precision::Uint8, ranges.as_ref()).unwrap() {
                    Vectors::Uint8(codes) => parts.push(codes),
                    other => prop_assert!(false, "{other:?} is not uint8"),
                }
            }
            let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
            prop_assert_eq!(whole, Vectors::Uint8(ndarray::concatenate(Axis(0), &parts).unwrap()));
        }
    }

    #[track_caller]
    fn check_refused(rows: &Array2<f32>, ranges: Option<Array2<f32>>, want: &QuantizeError, text: &str) {
        let ranges = ranges.map(Ranges);
        let error = quantize(rows.view(), Precision::Int8, ranges.as_ref()).unwrap_err();
        assert_eq!(&error, want);
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn what_cannot_be_quantised_says_why() {
        let rows = array![[1.0, 2.0]];
        let single = QuantizeError::SingleVector { precision: Precision::Int8 };
        check_refused(
            &rows,
            None,
            &single,
            "a single vector cannot be quantised to int8 without calibration ranges",
        );
        let shape = QuantizeError::Shape(ShapeError::Ranges { ranges: 3, dim: 2 });
        let text = "calibration ranges have 3 columns but the vectors have 2 dimensions";
        check_refused(&rows, Some(Array2::zeros((2, 3))), &shape, text);
        let text = "calibration ranges have 3 rows but need one of minima and one of maxima";
        check_refused(&rows, Some(Array2::zeros((3, 2))), &QuantizeError::Rows { rows: 3 }, text);
    }

    #[test]
    fn no_vectors_need_no_ranges() {
        let rows = Array2::zeros((0, 9));
        for (precision, width) in [(Precision::Int8, 9), (Precision::Uint8, 9), (Precision::Ubinary, 2)] {
            assert_eq!(quantize(rows.view(), precision, None).unwrap().dim(), (0, width));
        }
    }
}
