//! Length and width of vectors.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, Slice};

/// The smallest length that is divided by; a zero vector stays zero.
const MIN_LENGTH: f32 = 1e-12;

/// Scales each row to Euclidean length one; a zero row stays zero.
pub fn normalize(rows: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut out = rows.to_owned();
    normalize_in_place(out.view_mut());
    out
}

/// As [`normalize`], into `out`.
///
/// # Panics
///
/// If `out` has another shape than `rows`.
pub fn normalize_into(rows: ArrayView2<'_, f32>, mut out: ArrayViewMut2<'_, f32>) {
    assert_eq!(out.dim(), rows.dim(), "normalised vectors need a buffer of their own shape");
    out.assign(&rows);
    normalize_in_place(out);
}

/// As [`normalize`], over `rows` themselves.
pub fn normalize_in_place(mut rows: ArrayViewMut2<'_, f32>) {
    for mut row in rows.outer_iter_mut() {
        let length = length(row.view());
        row /= length;
    }
}

/// The Euclidean length, but never so small that a division by it overflows.
pub(crate) fn length(row: ArrayView1<'_, f32>) -> f32 {
    let length = row.dot(&row).sqrt();
    // Not `f32::max`, which would turn the length NaN of a broken vector into a small number.
    if length < MIN_LENGTH { MIN_LENGTH } else { length }
}

/// The first `dim` columns; all of them if there are fewer.
///
/// The rows are not normalised again: the reference does that only where it is asked to.
pub fn truncate(rows: ArrayView2<'_, f32>, dim: usize) -> ArrayView2<'_, f32> {
    let dim = dim.min(rows.ncols());
    rows.slice_axis_move(Axis(1), Slice::from(..dim))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    use super::*;

    fn oracle(rows: &Array2<f32>) -> Array2<f64> {
        let mut rows = rows.mapv(f64::from);
        for mut row in rows.outer_iter_mut() {
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
            row.mapv_inplace(|value| value / length);
        }
        rows
    }

    proptest! {
        #[test]
        fn normalize_matches_its_oracle(
            (texts, dim, values) in (0..4_usize, 0..40_usize)
                .prop_flat_map(|(texts, dim)| (Just(texts), Just(dim), prop::collection::vec(-9.0_f32..9.0, texts * dim))),
            scale in prop_oneof![Just(0.0_f32), Just(1.0), Just(1e6), Just(1e-4)],
        ) {
            let rows = Array2::from_shape_vec((texts, dim), values).unwrap() * scale;
            let mut out = Array2::from_elem((texts, dim), f32::NAN);
            normalize_into(rows.view(), out.view_mut());
            for (&got, &want) in out.iter().zip(&oracle(&rows)) {
                prop_assert!((f64::from(got) - want).abs() <= 1e-6, "{got} is not {want}");
            }
            prop_assert_eq!(normalize(rows.view()), out);
        }
    }

    #[test]
    fn short_and_broken_vectors() {
        assert_eq!(normalize(array![[0.0, -0.0]].view()), array![[0.0, 0.0]]);
        // Shorter than the smallest length: divided by that, as in the reference.
        assert_eq!(normalize(array![[1e-13]].view()), array![[1e-13 / 1e-12]]);
        assert!(normalize(array![[1.0, f32::NAN]].view())[[0, 0]].is_nan());
    }

    #[test]
    fn truncate_keeps_the_first_columns() {
        let rows = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert_eq!(truncate(rows.view(), 2), array![[1.0, 2.0], [4.0, 5.0]]);
        assert_eq!(truncate(rows.view(), 9), rows);
        assert_eq!(truncate(rows.view(), 0).dim(), (2, 0));
    }
}
