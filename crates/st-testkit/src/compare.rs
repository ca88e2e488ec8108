//! Comparison element by element; direction alone would let a missing normalisation pass.

use ndarray::{ArrayView1, ArrayView2};

/// How far a number may be from the wanted one: `abs + rel * |wanted|`.
///
/// Every constant says why it is as wide as it is; a test that needs another one says why beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Allowed difference, in the unit of the numbers.
    pub abs: f64,
    /// Allowed difference as a fraction of the wanted number.
    pub rel: f64,
}

impl Tolerance {
    /// One f32 kernel against its f64 oracle: a few hundred roundings of 6e-8 each.
    pub const POOLING: Self = Self { abs: 1e-6, rel: 1e-6 };
    /// A whole model on another runtime: the order of sums differs in every matrix product.
    /// The relative part is for vectors that are not of length one.
    pub const MODEL: Self = Self { abs: 1e-5, rel: 1e-5 };
    /// Vectors of length one, the promise of the project: no relative part.
    pub const UNIT_VECTOR: Self = Self { abs: 1e-5, rel: 0.0 };
    /// A text alone against the same text in a padded batch: same runtime, other block sizes.
    pub const COMPANY: Self = Self { abs: 1e-6, rel: 1e-6 };
    /// Numbers computed in f64 on both sides.
    pub const SCORE: Self = Self { abs: 1e-9, rel: 1e-9 };
    /// Bit for bit, but that the two zeros are equal.
    pub const EXACT: Self = Self { abs: 0.0, rel: 0.0 };

    /// Whether `got` is near enough to `want`; NaN is near nothing, an infinity only itself.
    #[expect(clippy::float_cmp, reason = "equal infinities have no difference to measure")]
    pub fn accepts(self, got: f64, want: f64) -> bool {
        got == want || (got - want).abs() <= self.abs + self.rel * want.abs() && want.is_finite()
    }
}

/// Compares two sets of vectors `[rows, dims]` element by element.
///
/// # Panics
///
/// If the shapes differ or an element is too far off; the message names row and column, both numbers, how
/// many elements are wrong and how far off the worst is.
#[track_caller]
pub fn assert_rows_close(got: ArrayView2<'_, f32>, want: ArrayView2<'_, f32>, tolerance: Tolerance) {
    let (got_shape, want_shape) = (got.dim(), want.dim());
    assert!(got_shape == want_shape, "shape is {got_shape:?}, wanted {want_shape:?}");
    let wrong: Vec<_> = got
        .indexed_iter()
        .zip(want)
        .map(|((at, got), want)| (at, f64::from(*got), f64::from(*want)))
        .filter(|(_, got, want)| !tolerance.accepts(*got, *want))
        .collect();
    let Some(((row, column), first_got, first_want)) = wrong.first() else { return };
    let worst = wrong.iter().map(|(_, got, want)| (got - want).abs()).fold(0.0, f64::max);
    panic!(
        "row {row}, column {column}: got {first_got}, wanted {first_want}; {} of {} elements are off by more than {} + {} x |wanted|, the worst by {worst:.3e}",
        wrong.len(),
        got.len(),
        tolerance.abs,
        tolerance.rel,
    );
}

/// Compares two single vectors, or two lists of scores.
///
/// # Panics
///
/// As [`assert_rows_close`]; the row is 0.
#[track_caller]
pub fn assert_close(got: ArrayView1<'_, f32>, want: ArrayView1<'_, f32>, tolerance: Tolerance) {
    assert_rows_close(got.insert_axis(ndarray::Axis(0)), want.insert_axis(ndarray::Axis(0)), tolerance);
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn near_numbers_pass_and_the_limit_itself_is_near() {
        let tolerance = Tolerance { abs: 0.5, rel: 0.25 };
        for (got, want, near) in [
            (1.0, 1.0, true),
            (5.5, 4.0, true),
            (5.51, 4.0, false),
            (-2.5, -4.0, true),
            (f64::INFINITY, f64::INFINITY, true),
            (f64::NEG_INFINITY, f64::INFINITY, false),
            (1.0, f64::INFINITY, false),
            (f64::NAN, f64::NAN, false),
            (0.0, f64::NAN, false),
            (f64::NAN, 0.0, false),
        ] {
            assert_eq!(tolerance.accepts(got, want), near, "{got} against {want}");
        }
    }

    #[test]
    fn equal_and_empty_rows_pass() {
        let rows = array![[0.6_f32, 0.8], [f32::NEG_INFINITY, 0.0]];
        assert_rows_close(rows.view(), rows.view(), Tolerance::EXACT);
        let none = Array2::<f32>::zeros((0, 384));
        assert_rows_close(none.view(), none.view(), Tolerance::EXACT);
    }

    #[test]
    #[should_panic(
        expected = "row 1, column 0: got 6, wanted 0.5; 2 of 4 elements are off by more than 0.00001 + 0 x |wanted|, the worst by 7.250e0"
    )]
    fn scale_errors_are_caught() {
        let (got, want) = (array![[0.6_f32, 0.8], [6.0, 8.0]], array![[0.6_f32, 0.8], [0.5, 0.75]]);
        assert_rows_close(got.view(), want.view(), Tolerance::UNIT_VECTOR);
    }

    #[test]
    #[should_panic(expected = "row 0, column 1")]
    fn not_a_number_is_caught() {
        assert_close(array![0.6_f32, f32::NAN].view(), array![0.6_f32, 0.8].view(), Tolerance::MODEL);
    }

    #[test]
    #[should_panic(expected = "shape is (1, 2), wanted (2, 2)")]
    fn a_missing_row_is_caught() {
        let (got, want) = (array![[0.6_f32, 0.8]], array![[0.6_f32, 0.8], [0.6, 0.8]]);
        assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
    }
}
