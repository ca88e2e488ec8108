//! Half precision to single, and the search for numbers that are none.

use half::{bf16, f16};

/// The float formats of a checkpoint that can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloatFormat {
    Float32,
    Float16,
    Bfloat16,
}

impl FloatFormat {
    /// The format that safetensors call `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "F32" => Some(Self::Float32),
            "F16" => Some(Self::Float16),
            "BF16" => Some(Self::Bfloat16),
            _ => None,
        }
    }

    /// The same numbers as little-endian 32-bit floats; `buffer` is used only where there is something to
    /// convert.
    pub(super) fn to_float32<'a>(self, bytes: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        match self {
            Self::Float32 => return bytes,
            Self::Float16 => widen(bytes, buffer, |pair| f16::from_le_bytes(pair).to_f32()),
            Self::Bfloat16 => widen(bytes, buffer, |pair| bf16::from_le_bytes(pair).to_f32()),
        }
        buffer
    }
}

fn widen(bytes: &[u8], buffer: &mut Vec<u8>, convert: impl Fn([u8; 2]) -> f32) {
    buffer.clear();
    buffer.reserve(bytes.len() * 2);
    let (pairs, _) = bytes.as_chunks::<2>();
    buffer.extend(pairs.iter().flat_map(|&pair| convert(pair).to_le_bytes()));
}

/// Where the first NaN or infinity stands among little-endian 32-bit floats.
pub(super) fn first_not_finite(bytes: &[u8]) -> Option<(u64, f32)> {
    /// All ones in the exponent: NaN or infinity.
    const EXPONENT: u32 = 0x7f80_0000;
    let (numbers, _) = bytes.as_chunks::<4>();
    // A sweep without a branch in the loop: nearly every tensor is finite, and this reads it at memory speed.
    let blocks = numbers.chunks(1024);
    for (block, numbers) in blocks.enumerate() {
        let bad = numbers
            .iter()
            .fold(false, |bad, &number| bad | (u32::from_le_bytes(number) & EXPONENT == EXPONENT));
        if bad {
            let index = numbers.iter().position(|&number| !f32::from_le_bytes(number).is_finite())?;
            return Some(((block * 1024 + index) as u64, f32::from_le_bytes(*numbers.get(index)?)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn half_precision_widens_exactly() {
        let values = [0.0, -1.5, 65504.0, 6.103_515_6e-5];
        let half: Vec<u8> = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        assert_eq!(FloatFormat::Float16.to_float32(&half, &mut Vec::new()), bytes(&values));
        let values = [0.0, -1.5, 3.0e38, 1.0e-38].map(|value| bf16::from_f32(value).to_f32());
        let brain: Vec<u8> = values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes()).collect();
        assert_eq!(FloatFormat::Bfloat16.to_float32(&brain, &mut Vec::new()), bytes(&values));
    }

    #[test]
    fn the_first_bad_number_is_found() {
        let mut values = vec![f32::MAX; 3000];
        assert_eq!(first_not_finite(&bytes(&values)), None);
        values[2500] = f32::NAN;
        values[2049] = f32::NEG_INFINITY;
        assert_eq!(first_not_finite(&bytes(&values)), Some((2049, f32::NEG_INFINITY)));
    }
}
