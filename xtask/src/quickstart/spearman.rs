//! Spearman's rank correlation; equal values share the mean of their ranks.

/// The correlation of the ranks; None if one side does not vary or the lengths differ.
pub(crate) fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    pearson(&ranks(left), &ranks(right))
}

/// Ranks from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut ranked: Vec<(usize, f64)> = Vec::with_capacity(values.len());
    for ties in order.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let rank = count(ranked.len()) + f64::midpoint(1.0, count(ties.len()));
        ranked.extend(ties.iter().map(|(position, _)| (*position, rank)));
    }
    ranked.sort_by_key(|(position, _)| *position);
    ranked.into_iter().map(|(_, rank)| rank).collect()
}

fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    let (left, right) = (centred(left), centred(right));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let scale = (dot(&left, &left) * dot(&right, &right)).sqrt();
    (scale > 0.0).then(|| dot(&left, &right) / scale)
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / count(values.len()).max(1.0);
    values.iter().map(|value| value - mean).collect()
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, and these are rows of a file")]
fn count(length: usize) -> f64 {
    length as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &[f64], right: &[f64], expected: f64) {
        let found = correlation(left, right).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn equal_values_share_their_mean_rank() {
        assert_eq!(ranks(&[0.5, 9.0, 0.5, -1.0]), [2.5, 4.0, 2.5, 1.0]);
    }

    /// Expected values from scipy.stats.spearmanr.
    #[test]
    fn the_values_are_those_of_scipy() {
        check(&[1.0, 2.0, 3.0], &[10.0, 20.0, 400.0], 1.0);
        check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], -1.0);
        check(&[1.0, 2.0, 2.0, 3.0], &[1.0, 3.0, 2.0, 4.0], 0.948_683_298_050_513_8);
        check(&[5.0, 1.0, 4.0, 2.0, 2.0], &[1.0, 2.0, 3.0, 4.0, 4.0], -7.0 / 19.0);
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0], &[1.0, 2.0]), None);
    }
}
