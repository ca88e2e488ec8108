//! Token embeddings to one vector a text.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Slice, Zip};
use st_core::{PoolingMode, Shape3, TokenView};

/// The smallest divisor of the means; not the one of [`normalize()`](crate::normalize()).
const MIN_WEIGHT: f32 = 1e-9;

/// Pools `tokens` into `[batch, modes × dim]`, the modes side by side in their order.
///
/// `prompt_tokens` says for each text how many leading tokens are prompt and shall not count; `&[]` lets all
/// count. A text of which no token counts gives zeros, except for [`PoolingMode::Max`], which gives −∞, and
/// [`PoolingMode::Cls`], which gives its first token.
///
/// # Panics
///
/// If `prompt_tokens` is neither empty nor as long as the batch.
pub fn pool(tokens: TokenView<'_>, modes: &[PoolingMode], prompt_tokens: &[usize]) -> Array2<f32> {
    let Shape3 { batch, dim, .. } = tokens.shape();
    let mut out = Array2::zeros((batch, modes.len() * dim));
    pool_into(tokens, modes, prompt_tokens, out.view_mut());
    out
}

/// As [`pool`], into `out`.
///
/// # Panics
///
/// As [`pool`], and if `out` is not `[batch, modes × dim]`.
pub fn pool_into(
    tokens: TokenView<'_>,
    modes: &[PoolingMode],
    prompt_tokens: &[usize],
    mut out: ArrayViewMut2<'_, f32>,
) {
    let Shape3 { batch, dim, .. } = tokens.shape();
    assert_eq!(out.dim(), (batch, modes.len() * dim), "pooled vectors need a buffer of [batch, modes × dim]");
    assert!([0, batch].contains(&prompt_tokens.len()), "prompt tokens are counted for each text or for none");
    let (hidden, mask) = (tokens.hidden(), tokens.mask());
    for (row, mut out) in out.outer_iter_mut().enumerate() {
        let prompt = prompt_tokens.get(row).copied().unwrap_or(0);
        let text = Text::new(hidden.index_axis(Axis(0), row), mask.index_axis(Axis(0), row), prompt);
        for (place, mode) in modes.iter().enumerate() {
            let columns = Slice::from(place * dim..(place + 1) * dim);
            text.pool_into(*mode, out.slice_axis_mut(Axis(0), columns));
        }
    }
}

/// One text of a batch.
struct Text<'a> {
    hidden: ArrayView2<'a, f32>,
    mask: ArrayView1<'a, i64>,
    /// Left padding: where the first real token stands.
    padding: usize,
    /// Where the tokens begin that count: after padding and prompt.
    start: usize,
}

impl<'a> Text<'a> {
    fn new(hidden: ArrayView2<'a, f32>, mask: ArrayView1<'a, i64>, prompt: usize) -> Self {
        let padding = mask.iter().position(|&mask| mask != 0).unwrap_or(0);
        Self { hidden, mask, padding, start: padding.saturating_add(prompt) }
    }

    /// The tokens that count, each with its position counted from one at the first real token.
    fn counted(&self) -> impl DoubleEndedIterator<Item = (usize, ArrayView1<'_, f32>)> {
        let tokens = self.hidden.outer_iter().zip(self.mask).enumerate().skip(self.start);
        tokens
            .filter(|(_, (_, mask))| **mask != 0)
            .map(|(place, (token, _))| (place + 1 - self.padding, token))
    }

    fn pool_into(&self, mode: PoolingMode, mut out: ArrayViewMut1<'_, f32>) {
        match mode {
            // The reference falls back to position 0, which in a left-padded batch is padding.
            PoolingMode::Cls => {
                let first = self.counted().next().map(|(_, token)| token);
                copy(first.or_else(|| self.hidden.outer_iter().nth(self.padding)), out);
            }
            PoolingMode::LastToken => copy(self.counted().next_back().map(|(_, token)| token), out),
            PoolingMode::Max => self.max_into(out),
            PoolingMode::Mean => {
                let tokens = self.sum_into(|_| 1.0, out.view_mut());
                out /= tokens.max(MIN_WEIGHT);
            }
            PoolingMode::MeanSqrtLen => {
                let tokens = self.sum_into(|_| 1.0, out.view_mut());
                out /= tokens.max(MIN_WEIGHT).sqrt();
            }
            PoolingMode::WeightedMean => {
                let weight = self.sum_into(position_weight, out.view_mut());
                out /= weight.max(MIN_WEIGHT);
            }
        }
    }

    fn max_into(&self, mut out: ArrayViewMut1<'_, f32>) {
        out.fill(f32::NEG_INFINITY);
        for (_, token) in self.counted() {
            // `f32::max` would hide a NaN, which is the one thing a broken model leaves to be found by.
            Zip::from(&mut out).and(&token).for_each(|out, &value| {
                *out = if value > *out || value.is_nan() { value } else { *out };
            });
        }
    }

    /// Sums the weighted tokens, one after the other whatever the batch, and returns the sum of the weights.
    fn sum_into(&self, weight: impl Fn(usize) -> f32, mut out: ArrayViewMut1<'_, f32>) -> f32 {
        out.fill(0.0);
        self.counted().fold(0.0, |sum, (position, token)| {
            let weight = weight(position);
            out.scaled_add(weight, &token);
            sum + weight
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions are exact in f32 up to 16 million tokens")]
fn position_weight(position: usize) -> f32 {
    position as f32
}

fn copy(token: Option<ArrayView1<'_, f32>>, mut out: ArrayViewMut1<'_, f32>) {
    match token {
        Some(token) => out.assign(&token),
        None => out.fill(0.0),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, array};
    use proptest::prelude::*;

    use super::*;

    const MODES: &[PoolingMode] = PoolingMode::ALL;

    /// Written to be read: one text, one mode, one dimension at a time.
    fn oracle(hidden: &Array3<f32>, mask: &Array2<i64>, prompt: usize, mode: PoolingMode) -> Array2<f64> {
        let (batch, tokens, dim) = hidden.dim();
        Array2::from_shape_fn((batch, dim), |(text, column)| {
            let value = |token: usize| f64::from(hidden[[text, token, column]]);
            let padding = (0..tokens).find(|&token| mask[[text, token]] != 0).unwrap_or(0);
            let counted: Vec<usize> =
                (padding + prompt..tokens).filter(|&token| mask[[text, token]] != 0).collect();
            let weight = |token: usize| f64::from(u32::try_from(token - padding + 1).unwrap());
            let number = f64::from(u32::try_from(counted.len()).unwrap());
            let sum =
                |weight: &dyn Fn(usize) -> f64| counted.iter().map(|&t| weight(t) * value(t)).sum::<f64>();
            match mode {
                PoolingMode::Cls if tokens == 0 => 0.0,
                PoolingMode::Cls => value(*counted.first().unwrap_or(&padding)),
                PoolingMode::Max => counted.iter().map(|&t| value(t)).fold(f64::NEG_INFINITY, f64::max),
                PoolingMode::LastToken => counted.last().map_or(0.0, |&t| value(t)),
                _ if counted.is_empty() => 0.0,
                PoolingMode::Mean => sum(&|_| 1.0) / number,
                PoolingMode::MeanSqrtLen => sum(&|_| 1.0) / number.sqrt(),
                PoolingMode::WeightedMean => sum(&weight) / counted.iter().map(|&t| weight(t)).sum::<f64>(),
            }
        })
    }

    /// A row of the mask: all real, left or right padding, holes, nothing.
    fn mask_row(tokens: usize) -> impl Strategy<Value = Vec<i64>> {
        prop_oneof![
            Just(vec![1; tokens]),
            (0..=tokens).prop_map(move |n| (0..tokens).map(|t| i64::from(t >= n)).collect()),
            (0..=tokens).prop_map(move |n| (0..tokens).map(|t| i64::from(t < n)).collect()),
            prop::collection::vec(0..2_i64, tokens),
            Just(vec![0; tokens]),
        ]
    }

    fn batches() -> impl Strategy<Value = (Array3<f32>, Array2<i64>)> {
        (0..4_usize, 0..10_usize, 0..20_usize).prop_flat_map(|(batch, tokens, dim)| {
            let hidden = prop::collection::vec(-10.0_f32..10.0, batch * tokens * dim);
            let mask = prop::collection::vec(mask_row(tokens), batch);
            (hidden, mask).prop_map(move |(hidden, mask)| {
                let hidden = Array3::from_shape_vec((batch, tokens, dim), hidden).unwrap();
                (hidden, Array2::from_shape_vec((batch, tokens), mask.concat()).unwrap())
            })
        })
    }

    proptest! {
        #[test]
        fn every_mode_matches_its_oracle((hidden, mask) in batches(), prompt in 0..4_usize) {
            let tokens = TokenView::new(hidden.view(), mask.view()).unwrap();
            let prompts = vec![prompt; hidden.dim().0];
            for &mode in MODES {
                let got = pool(tokens, &[mode], &prompts);
                for (&got, &want) in got.iter().zip(&oracle(&hidden, &mask, prompt, mode)) {
                    let got = f64::from(got);
                    // Sums of at most ten values below ten, weights below ten: 1e-6 of the largest partial sum.
                    let close = (got - want).abs() <= 1e-6 * want.abs().max(10.0);
                    prop_assert!(close || got.total_cmp(&want).is_eq(), "{mode}: {got} is not {want}");
                }
            }
        }

        #[test]
        fn concatenation_is_the_modes_side_by_side((hidden, mask) in batches()) {
            let tokens = TokenView::new(hidden.view(), mask.view()).unwrap();
            let parts: Vec<_> = MODES.iter().map(|&mode| pool(tokens, &[mode], &[])).collect();
            let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
            prop_assert_eq!(pool(tokens, MODES, &[]), ndarray::concatenate(Axis(1), &parts).unwrap());
        }

        #[test]
        fn a_text_does_not_notice_its_padding(
            values in prop::collection::vec(-10.0_f32..10.0, 12), left in 0..5_usize, right in 0..5_usize,
            prompt in 0..4_usize,
        ) {
            let alone = Array3::from_shape_vec((1, 3, 4), values).unwrap();
            // What stands in the padding is of no account, so let it be what spreads most.
            let mut padded = Array3::from_elem((1, left + 3 + right, 4), f32::NAN);
            padded.slice_axis_mut(Axis(1), Slice::from(left..left + 3)).assign(&alone);
            let mask = Array2::from_shape_fn((1, left + 3 + right), |(_, t)| i64::from(t >= left && t < left + 3));
            let ones = Array2::ones((1, 3));
            let alone = pool(TokenView::new(alone.view(), ones.view()).unwrap(), MODES, &[prompt]);
            let padded = pool(TokenView::new(padded.view(), mask.view()).unwrap(), MODES, &[prompt]);
            prop_assert_eq!(alone, padded);
        }
    }

    #[test]
    fn a_buffer_with_old_contents_is_overwritten() {
        let (hidden, mask) = (array![[[1.0, 2.0]], [[7.0, 8.0]]], array![[1], [0]]);
        let tokens = TokenView::new(hidden.view(), mask.view()).unwrap();
        let mut out = Array2::from_elem((2, 2 * MODES.len()), f32::NAN);
        pool_into(tokens, MODES, &[], out.view_mut());
        assert_eq!(out, pool(tokens, MODES, &[]));
        assert!(!out.iter().any(|value| value.is_nan()));
    }

    #[test]
    fn a_nan_of_the_model_is_not_hidden() {
        let (hidden, mask) = (array![[[1.0], [f32::NAN], [2.0]]], array![[1, 1, 1]]);
        let tokens = TokenView::new(hidden.view(), mask.view()).unwrap();
        assert!(pool(tokens, &[PoolingMode::Max], &[])[[0, 0]].is_nan());
    }

    #[test]
    #[should_panic(expected = "prompt tokens are counted for each text or for none")]
    fn prompts_for_some_texts_only_are_a_mistake() {
        let (hidden, mask) = (Array3::zeros((3, 1, 1)), Array2::ones((3, 1)));
        pool(TokenView::new(hidden.view(), mask.view()).unwrap(), MODES, &[1, 2]);
    }
}
