//! Pairs of sentences and what people think of them.

use std::fs;

use ndarray::{Array2, Axis, Slice};
use st_testkit::fixtures_dir;

/// The rows of the STS benchmark's test that may be passed on.
pub(crate) struct Sts {
    table: String,
}

impl Sts {
    pub(crate) fn load() -> Self {
        Self { table: fs::read_to_string(fixtures_dir().join("sts/sts-test.tsv")).unwrap() }
    }

    fn rows(&self) -> Vec<Vec<&str>> {
        self.table.lines().skip(1).map(|line| line.split('\t').collect()).collect()
    }

    /// All first sentences, then all second ones.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let rows = self.rows();
        rows.iter().map(|row| row[6]).chain(rows.iter().map(|row| row[7])).collect()
    }

    /// Spearman's correlation of a score for each pair with the scores of people.
    pub(crate) fn spearman(&self, scores: &[f64]) -> f64 {
        let people: Vec<f64> = self.rows().iter().map(|row| row[5].parse().unwrap()).collect();
        spearman(&people, scores)
    }

    /// The same of the cosines of vectors of [`texts`](Self::texts).
    pub(crate) fn spearman_of_cosines(&self, vectors: &Array2<f32>) -> f64 {
        let middle = vectors.nrows() / 2;
        let half = |part: std::ops::Range<usize>| vectors.slice_axis(Axis(0), Slice::from(part)).to_owned();
        self.spearman(&cosines(&half(0..middle), &half(middle..vectors.nrows())))
    }
}

/// The cosines of rows with rows, smallest and mean.
pub(crate) fn cosines(left: &Array2<f32>, right: &Array2<f32>) -> Vec<f64> {
    let dot = |(a, b): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayView1<'_, f32>)| {
        let dot = |a: &ndarray::ArrayView1<'_, f32>, b: &ndarray::ArrayView1<'_, f32>| {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    };
    left.outer_iter().zip(right.outer_iter()).map(dot).collect()
}

#[expect(clippy::cast_precision_loss, reason = "some thousand texts")]
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Spearman's correlation; ties share the mean of their ranks.
#[expect(clippy::cast_precision_loss, reason = "some thousand texts")]
fn spearman(left: &[f64], right: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let below = |value: f64| values.iter().filter(|&&other| other < value).count() as f64;
        let equal =
            |value: f64| values.iter().filter(|&&other| other.total_cmp(&value).is_eq()).count() as f64;
        values.iter().map(|&value| below(value) + equal(value) / 2.0).collect()
    };
    let (left, right) = (ranks(left), ranks(right));
    let (left_mean, right_mean) = (mean(&left), mean(&right));
    let product = |a: &[f64], a_mean: f64, b: &[f64], b_mean: f64| {
        a.iter().zip(b).map(|(a, b)| (a - a_mean) * (b - b_mean)).sum::<f64>()
    };
    product(&left, left_mean, &right, right_mean)
        / (product(&left, left_mean, &left, left_mean) * product(&right, right_mean, &right, right_mean))
            .sqrt()
}
