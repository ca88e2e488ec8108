//! Comparing sparse vectors, and taking them out of rows that are mostly zero.

use ndarray::{Array2, ArrayView1};
use st_core::{ShapeError, Similarity, SparseVectors};

/// The entries of a row that are not zero; with a limit the largest by magnitude, among equals the first.
pub fn sparse_entries(row: ArrayView1<'_, f32>, max_active_dims: Option<usize>) -> Vec<(u32, f32)> {
    let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let entries = row.iter().enumerate().filter(|(_, value)| **value != 0.0);
    let mut entries: Vec<(u32, f32)> = entries.map(|(at, value)| (place(at), *value)).collect();
    if let Some(limit) = max_active_dims.filter(|limit| *limit < entries.len()) {
        entries.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()));
        entries.truncate(limit);
        entries.sort_unstable_by_key(|(dimension, _)| *dimension);
    }
    entries
}

/// Scores of every row of `left` against every row of `right`, `[left, right]`, in the sense of
/// [`similarity`](crate::similarity()).
///
/// # Errors
///
/// [`ShapeError::Width`] if the widths differ.
pub fn sparse_similarity(
    left: &SparseVectors,
    right: &SparseVectors,
    function: Similarity,
) -> Result<Array2<f32>, ShapeError> {
    if left.dim() != right.dim() {
        return Err(ShapeError::Width { left: left.dim(), right: right.dim() });
    }
    let score = |(row, column): (usize, usize)| compare(left.row(row), right.row(column), function);
    Ok(Array2::from_shape_fn((left.len(), right.len()), score))
}

type Row<'a> = (&'a [u32], &'a [f32]);

#[expect(clippy::cast_possible_truncation, reason = "summed in double, kept in single precision")]
fn compare(left: Row<'_>, right: Row<'_>, function: Similarity) -> f32 {
    let length = |row: Row<'_>| row.1.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let dot = || joined(left, right).map(|(left, right)| left * right).sum::<f64>();
    (match function {
        Similarity::Dot => dot(),
        Similarity::Cosine => {
            let lengths = length(left) * length(right);
            if lengths > 0.0 { dot() / lengths } else { 0.0 }
        }
        Similarity::Euclidean => {
            -joined(left, right).map(|(left, right)| (left - right).powi(2)).sum::<f64>().sqrt()
        }
        Similarity::Manhattan => -joined(left, right).map(|(left, right)| (left - right).abs()).sum::<f64>(),
    }) as f32
}

/// The values of both rows at every dimension that either has.
fn joined<'a>(left: Row<'a>, right: Row<'a>) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (mut at_left, mut at_right) = (0, 0);
    std::iter::from_fn(move || {
        let next = |row: Row<'a>, at: usize| Some((*row.0.get(at)?, f64::from(*row.1.get(at)?)));
        let (one, other) = (next(left, at_left), next(right, at_right));
        let dimension = [one, other].into_iter().flatten().map(|(dimension, _)| dimension).min()?;
        let take = |entry: Option<(u32, f64)>, at: &mut usize| match entry {
            Some((found, value)) if found == dimension => {
                *at += 1;
                value
            }
            _ => 0.0,
        };
        Some((take(one, &mut at_left), take(other, &mut at_right)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sparse(rows: &[Vec<f32>]) -> SparseVectors {
        let mut vectors = SparseVectors::new(rows.first().map_or(0, Vec::len));
        for row in rows {
            vectors.push(sparse_entries(ArrayView1::from(row), None));
        }
        vectors
    }

    #[test]
    fn the_largest_by_magnitude_stay() {
        let row = ndarray::array![0.0, -3.0, 1.0, 2.0, -2.0];
        assert_eq!(sparse_entries(row.view(), Some(2)), [(1, -3.0), (3, 2.0)]);
        assert_eq!(sparse_entries(row.view(), None).len(), 4);
        assert_eq!(sparse_entries(row.view(), Some(0)), []);
    }

    proptest! {
        #[test]
        fn scores_are_those_of_the_full_rows(
            rows in prop::collection::vec(prop::collection::vec(
                prop_oneof![3 => Just(0.0_f32), 1 => -4.0_f32..4.0], 7), 2..6),
        ) {
            let full = Array2::from_shape_fn((rows.len(), 7), |(row, column)| rows[row][column]);
            let vectors = sparse(&rows);
            for function in [Similarity::Dot, Similarity::Cosine, Similarity::Euclidean, Similarity::Manhattan] {
                let expected = crate::similarity(full.view(), full.view(), function).unwrap();
                let got = sparse_similarity(&vectors, &vectors, function).unwrap();
                for (got, expected) in got.iter().zip(&expected) {
                    prop_assert!((got - expected).abs() < 1e-4, "{function:?}: {got} is not {expected}");
                }
            }
        }
    }
}
