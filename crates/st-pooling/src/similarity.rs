//! How alike vectors are; larger is always more alike.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Zip};
use st_core::{ShapeError, Similarity};

use crate::normalize::length;

/// Right-hand rows that are worked on together, so that they stay in cache while the left ones pass.
const BLOCK: usize = 64;

/// Partial sums of a distance, enough to fill the vector registers.
const LANES: usize = 16;

/// Compares every row of `left` with every row of `right`, `[left, right]`.
///
/// # Errors
///
/// [`ShapeError::Width`] if the widths differ.
pub fn similarity(
    left: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
    kind: Similarity,
) -> Result<Array2<f32>, ShapeError> {
    let mut out = Array2::zeros((left.nrows(), right.nrows()));
    similarity_into(left, right, kind, out.view_mut()).map(|()| out)
}

/// As [`similarity`], into `out`.
///
/// # Errors
///
/// As [`similarity`].
///
/// # Panics
///
/// If `out` is not `[left, right]`.
pub fn similarity_into(
    left: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
    kind: Similarity,
    mut out: ArrayViewMut2<'_, f32>,
) -> Result<(), ShapeError> {
    same_width(left, right)?;
    assert_eq!(out.dim(), (left.nrows(), right.nrows()), "scores need a buffer of [left, right]");
    match kind {
        Similarity::Dot => general_mat_mul(1.0, &left, &right.t(), 0.0, &mut out),
        Similarity::Cosine => {
            general_mat_mul(1.0, &left, &right.t(), 0.0, &mut out);
            divide_by_lengths(left, right, out);
        }
        Similarity::Euclidean => each_pair(left, right, euclidean, out),
        Similarity::Manhattan => each_pair(left, right, manhattan, out),
    }
    Ok(())
}

/// Compares the first row of `left` with the first of `right`, the second with the second, and so on.
///
/// # Errors
///
/// [`ShapeError::Width`] if the widths differ, [`ShapeError::Pairs`] if the numbers of rows do.
pub fn similarity_pairwise(
    left: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
    kind: Similarity,
) -> Result<Array1<f32>, ShapeError> {
    let mut out = Array1::zeros(left.nrows());
    similarity_pairwise_into(left, right, kind, out.view_mut()).map(|()| out)
}

/// As [`similarity_pairwise`], into `out`.
///
/// # Errors
///
/// As [`similarity_pairwise`].
///
/// # Panics
///
/// If `out` is not as long as there are pairs.
pub fn similarity_pairwise_into(
    left: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
    kind: Similarity,
    out: ArrayViewMut1<'_, f32>,
) -> Result<(), ShapeError> {
    same_width(left, right)?;
    if left.nrows() != right.nrows() {
        return Err(ShapeError::Pairs { left: left.nrows(), right: right.nrows() });
    }
    let score = match kind {
        Similarity::Cosine => cosine,
        Similarity::Dot => |left: ArrayView1<'_, f32>, right: ArrayView1<'_, f32>| left.dot(&right),
        Similarity::Euclidean => euclidean,
        Similarity::Manhattan => manhattan,
    };
    Zip::from(out).and(left.rows()).and(right.rows()).for_each(|out, left, right| *out = score(left, right));
    Ok(())
}

fn same_width(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>) -> Result<(), ShapeError> {
    let (left, right) = (left.ncols(), right.ncols());
    if left == right { Ok(()) } else { Err(ShapeError::Width { left, right }) }
}

/// Makes dot products cosines, without room for the lengths of more than a block.
fn divide_by_lengths(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, mut out: ArrayViewMut2<'_, f32>) {
    for (mut scores, row) in out.outer_iter_mut().zip(left.outer_iter()) {
        scores /= length(row);
    }
    let blocks = out.axis_chunks_iter_mut(Axis(1), BLOCK);
    for (mut scores, right) in blocks.zip(right.axis_chunks_iter(Axis(0), BLOCK)) {
        let mut lengths = [1.0; BLOCK];
        for (slot, row) in lengths.iter_mut().zip(right.outer_iter()) {
            *slot = length(row);
        }
        for mut scores in scores.outer_iter_mut() {
            for (score, length) in scores.iter_mut().zip(&lengths) {
                *score /= length;
            }
        }
    }
}

fn each_pair(
    left: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
    score: impl Fn(ArrayView1<'_, f32>, ArrayView1<'_, f32>) -> f32,
    mut out: ArrayViewMut2<'_, f32>,
) {
    let blocks = out.axis_chunks_iter_mut(Axis(1), BLOCK);
    for (mut scores, right) in blocks.zip(right.axis_chunks_iter(Axis(0), BLOCK)) {
        for (mut scores, left) in scores.outer_iter_mut().zip(left.outer_iter()) {
            for (out, right) in scores.iter_mut().zip(right.outer_iter()) {
                *out = score(left, right);
            }
        }
    }
}

fn cosine(left: ArrayView1<'_, f32>, right: ArrayView1<'_, f32>) -> f32 {
    left.dot(&right) / length(left) / length(right)
}

/// From the differences, not from `|a|² + |b|² − 2ab`, which loses near neighbours to rounding.
fn euclidean(left: ArrayView1<'_, f32>, right: ArrayView1<'_, f32>) -> f32 {
    -sum_of_differences(left, right, |difference| difference * difference).sqrt()
}

fn manhattan(left: ArrayView1<'_, f32>, right: ArrayView1<'_, f32>) -> f32 {
    -sum_of_differences(left, right, f32::abs)
}

fn sum_of_differences(
    left: ArrayView1<'_, f32>,
    right: ArrayView1<'_, f32>,
    term: impl Fn(f32) -> f32,
) -> f32 {
    let (Some(left), Some(right)) = (left.as_slice(), right.as_slice()) else {
        return Zip::from(left).and(right).fold(0.0, |sum, left, right| sum + term(left - right));
    };
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += term(left - right);
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| term(left - right)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use ndarray::{ShapeBuilder, array};
    use proptest::prelude::*;

    use super::*;

    fn oracle(left: ArrayView1<'_, f32>, right: ArrayView1<'_, f32>, kind: Similarity) -> f64 {
        let pairs: Vec<(f64, f64)> =
            left.iter().zip(right).map(|(&left, &right)| (left.into(), right.into())).collect();
        let sum = |term: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(a, b)| term(a, b)).sum::<f64>();
        let dot = sum(&|a, b| a * b);
        match kind {
            Similarity::Cosine => {
                dot / sum(&|a, _| a * a).sqrt().max(1e-12) / sum(&|_, b| b * b).sqrt().max(1e-12)
            }
            Similarity::Dot => dot,
            Similarity::Euclidean => -sum(&|a, b| (a - b) * (a - b)).sqrt(),
            Similarity::Manhattan => -sum(&|a, b| (a - b).abs()),
        }
    }

    fn vectors() -> impl Strategy<Value = (Array2<f32>, Array2<f32>)> {
        // Past one block of rows and past one set of lanes.
        (0..4_usize, 0..70_usize, 0..40_usize).prop_flat_map(|(left, right, dim)| {
            let rows = move |rows: usize| {
                prop::collection::vec(prop_oneof![9 => -1.0_f32..1.0, 1 => Just(0.0)], rows * dim)
                    .prop_map(move |values| Array2::from_shape_vec((rows, dim), values).unwrap())
            };
            (rows(left), rows(right))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn all_pairs_match_their_oracle((left, right) in vectors()) {
            for &kind in Similarity::ALL {
                let mut scores = Array2::from_elem((left.nrows(), right.nrows()), f32::NAN);
                similarity_into(left.view(), right.view(), kind, scores.view_mut()).unwrap();
                for ((row, column), &score) in scores.indexed_iter() {
                    let want = oracle(left.row(row), right.row(column), kind);
                    // Widths of up to 40: 1e-6 of the largest partial sum.
                    prop_assert!((f64::from(score) - want).abs() <= 1e-5, "{kind}: {score} is not {want}");
                }
            }
        }

        #[test]
        fn a_score_does_not_depend_on_the_other_rows((left, right) in vectors()) {
            for &kind in Similarity::ALL {
                let scores = similarity(left.view(), right.view(), kind).unwrap();
                for (row, column) in [(0, 0), (2, 65), (1, 3)] {
                    let Some(&score) = scores.get([row, column]) else { continue };
                    let (left, right) = (left.row(row).insert_axis(Axis(0)), right.row(column).insert_axis(Axis(0)));
                    prop_assert_eq!(similarity(left, right, kind).unwrap()[[0, 0]].to_bits(), score.to_bits());
                }
            }
        }

        #[test]
        fn pairs_match_the_diagonal_and_any_layout((left, right) in vectors()) {
            let rows = left.nrows().min(right.nrows());
            let (left, right) = (left.view().split_at(Axis(0), rows).0, right.view().split_at(Axis(0), rows).0);
            let mut columns = Array2::zeros(right.dim().f());
            columns.assign(&right);
            for &kind in Similarity::ALL {
                let all = similarity(left, right, kind).unwrap();
                for right in [right, columns.view()] {
                    let pairs = similarity_pairwise(left, right, kind).unwrap();
                    for (pair, one) in pairs.iter().zip(all.diag()) {
                        prop_assert!((pair - one).abs() <= 1e-5, "{kind}: {pair} is not {one}");
                    }
                }
            }
        }
    }

    #[test]
    fn near_neighbours_keep_their_distance() {
        let (left, right) = (Array2::from_elem((1, 64), 100.0), Array2::from_elem((1, 64), 100.001));
        let want = oracle(left.row(0), right.row(0), Similarity::Euclidean);
        let got = similarity(left.view(), right.view(), Similarity::Euclidean).unwrap()[[0, 0]];
        assert!((f64::from(got) / want - 1.0).abs() < 1e-6, "{got} is not {want}");
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let (two, three) = (Array2::zeros((4, 2)), Array2::zeros((5, 3)));
        let error = similarity(two.view(), three.view(), Similarity::Cosine).unwrap_err();
        assert_eq!(error.to_string(), "vectors of 2 and of 3 dimensions cannot be compared");
        let error = similarity_pairwise(two.view(), array![[1.0, 2.0]].view(), Similarity::Dot).unwrap_err();
        assert_eq!(error.to_string(), "4 vectors on the left cannot be paired with 1 on the right");
    }
}
