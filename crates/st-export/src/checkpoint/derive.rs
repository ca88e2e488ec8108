//! What quantised linear layers are made of, computed from the checkpoint's floats.

use super::Checkpoint;
use crate::Error;
use crate::ir::Derived;

/// The largest code. −128 stays unused, so that a weight and its negative have codes of one magnitude.
const LARGEST: f32 = 127.0;
/// The least scale: a channel of zeros has codes of zero whatever its scale, but its bias is divided by it.
const LEAST_SCALE: f32 = 1e-20;

impl Checkpoint {
    /// The numbers of a derived tensor, little-endian. One weight is in memory meanwhile.
    pub(crate) fn derive(&self, derived: &Derived) -> Result<Vec<u8>, Error> {
        match derived {
            Derived::Codes { weight } => Ok(self.matrix(weight)?.transposed_codes()),
            Derived::Scales { weight } => Ok(bytes(self.matrix(weight)?.channels().map(scale))),
            Derived::Bias { weight, bias, shift } => {
                let weight = self.matrix(weight)?;
                let bias = match bias {
                    Some(bias) => self.floats(bias)?,
                    None => vec![0.0; weight.channels().len()],
                };
                Ok(bytes(weight.channels().zip(bias).map(|(channel, bias)| shifted(bias, channel, *shift))))
            }
        }
    }

    fn matrix(&self, name: &str) -> Result<Matrix, Error> {
        let width = self.location(name)?.entry.shape.last().copied().unwrap_or(1);
        Ok(Matrix { numbers: self.floats(name)?, width: width.max(1) })
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>, Error> {
        let mut numbers = Vec::new();
        self.read(name, &mut |bytes| {
            let (floats, _) = bytes.as_chunks::<4>();
            numbers.extend(floats.iter().map(|&float| f32::from_le_bytes(float)));
            Ok(())
        })?;
        Ok(numbers)
    }
}

/// Weights `[out, in]`: a row for each output channel.
struct Matrix {
    numbers: Vec<f32>,
    /// Inputs.
    width: usize,
}

impl Matrix {
    fn channels(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.width)
    }

    /// `[in, out]`, as the integer product wants it.
    fn transposed_codes(&self) -> Vec<u8> {
        let count = self.channels().len();
        let mut transposed = vec![0; self.numbers.len()];
        for (place, channel) in self.channels().enumerate() {
            let column = transposed.iter_mut().skip(place).step_by(count.max(1));
            for (to, code) in column.zip(codes(channel)) {
                [*to] = code.to_le_bytes();
            }
        }
        transposed
    }
}

/// What one code of a channel stands for.
fn scale(channel: &[f32]) -> f32 {
    let largest = channel.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    (largest / LARGEST).max(LEAST_SCALE)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits just before")]
fn codes(channel: &[f32]) -> impl Iterator<Item = i8> {
    let scale = scale(channel);
    channel.iter().map(move |weight| (weight / scale).round_ties_even().clamp(-LARGEST, LARGEST) as i8)
}

/// See [`Derived::Bias`].
#[expect(clippy::cast_possible_truncation, reason = "computed in f64, kept in f32")]
fn shifted(bias: f32, channel: &[f32], shift: f32) -> f32 {
    let sum: f64 = codes(channel).map(f64::from).sum();
    (f64::from(bias) / f64::from(scale(channel)) - f64::from(shift) * sum) as f32
}

fn bytes(numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    numbers.flat_map(f32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn channels_have_scales_of_their_own() {
        let matrix = Matrix { numbers: vec![1.0, -2.54, 0.0, 0.5, 0.25, -0.127], width: 3 };
        let scales: Vec<f32> = matrix.channels().map(scale).collect();
        assert_eq!(scales, [2.54 / 127.0, 0.5 / 127.0]);
        let transposed: Vec<i8> =
            matrix.transposed_codes().into_iter().map(|code| i8::from_le_bytes([code])).collect();
        assert_eq!(transposed, [50, 127, -127, 64, 0, -32]);
    }

    #[test]
    fn a_channel_of_zeros_keeps_its_bias() {
        let channel = [0.0; 4];
        assert!(codes(&channel).all(|code| code == 0));
        assert!((shifted(0.5, &channel, 0.17) * scale(&channel) - 0.5).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn codes_are_within_half_a_step_and_the_bias_undoes_the_shift(
            channel in prop::collection::vec(-3.0_f32..3.0, 1..40),
            bias in -2.0_f32..2.0,
        ) {
            let step = f64::from(scale(&channel));
            let mut sum = 0.0;
            for (weight, code) in channel.iter().zip(codes(&channel)) {
                prop_assert!((f64::from(*weight) - f64::from(code) * step).abs() <= step * 0.500_01);
                sum += f64::from(code) * step;
            }
            // An input of zeros arrives as `shift` everywhere and has to give the bias again.
            let answer = (f64::from(shifted(bias, &channel, 0.25)) * step) + 0.25 * sum;
            prop_assert!((answer - f64::from(bias)).abs() < 1e-4, "{answer} is not {bias}");
        }
    }
}
