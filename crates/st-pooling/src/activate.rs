//! What a cross-encoder does to the numbers of its head.

use ndarray::{ArrayViewMut1, ArrayViewMut2};
use st_core::Activation;

/// Applies `activation` to each row `[labels]` of `rows`; only softmax looks at more than one number at a time.
///
/// A number that is none stays none: it is not turned into a score.
pub fn activate_in_place(mut rows: ArrayViewMut2<'_, f32>, activation: Activation) {
    match activation {
        Activation::Identity => {}
        Activation::Sigmoid => rows.mapv_inplace(sigmoid),
        Activation::Softmax => rows.outer_iter_mut().for_each(softmax),
        Activation::Tanh => rows.mapv_inplace(f32::tanh),
        // Not `f32::max`, which would turn what is no number into zero.
        Activation::Relu => rows.mapv_inplace(|value| if value < 0.0 { 0.0 } else { value }),
    }
}

/// Small logits make the exponential infinite and the answer zero, which is right.
fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.mapv_inplace(|value| (value - largest).exp());
    let sum = row.sum();
    row /= sum;
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    use super::*;

    fn oracle(rows: &Array2<f32>, activation: Activation) -> Array2<f64> {
        let mut rows = rows.mapv(f64::from);
        for mut row in rows.outer_iter_mut() {
            let exponentials: f64 = row.iter().map(|value| value.exp()).sum();
            row.mapv_inplace(|value| match activation {
                Activation::Identity => value,
                Activation::Sigmoid => 1.0 / (1.0 + (-value).exp()),
                Activation::Softmax => value.exp() / exponentials,
                Activation::Tanh => value.tanh(),
                Activation::Relu => value.max(0.0),
            });
        }
        rows
    }

    proptest! {
        #[test]
        fn every_activation_matches_its_oracle(
            (pairs, labels, values) in (0..4_usize, 1..9_usize).prop_flat_map(|(pairs, labels)| {
                (Just(pairs), Just(labels), prop::collection::vec(-40.0_f32..40.0, pairs * labels))
            }),
        ) {
            let rows = Array2::from_shape_vec((pairs, labels), values).unwrap();
            for &activation in Activation::ALL {
                let mut got = rows.clone();
                activate_in_place(got.view_mut(), activation);
                for (&got, &want) in got.iter().zip(&oracle(&rows, activation)) {
                    prop_assert!((f64::from(got) - want).abs() <= 1e-6, "{activation}: {got} is not {want}");
                }
            }
        }
    }

    #[test]
    fn far_numbers_do_not_overflow_and_no_number_stays_none() {
        let mut rows = array![[-1000.0, 1000.0], [0.0, f32::NAN]];
        activate_in_place(rows.view_mut(), Activation::Sigmoid);
        assert_eq!(rows.row(0), array![0.0, 1.0]);
        assert!(rows[(1, 1)].is_nan());
        let mut rows = array![[-1000.0, 1000.0], [f32::NAN, -1.0]];
        activate_in_place(rows.view_mut(), Activation::Softmax);
        assert_eq!(rows.row(0), array![0.0, 1.0]);
        assert!(rows.row(1).iter().all(|value| value.is_nan()));
        let mut rows = array![[-1.0, f32::NAN]];
        activate_in_place(rows.view_mut(), Activation::Relu);
        assert!(rows[(0, 0)] == 0.0 && rows[(0, 1)].is_nan());
    }
}
