//! Numbers that attention adds for the distance of two tokens.

use super::Sequence;
use super::sequence::signed;
use crate::ir::{GraphBuilder, Op, ValueId};

/// Learnt numbers for ranges of distances, as T5 and MPNet have them: the row of the table `{name}.weight`
/// `[buckets, heads]` that `bucket` names for each offset (key less query). Shape `[1, heads, sequence,
/// sequence]`.
///
/// From an offset of `farthest` on, in both directions, `bucket` must not change any more.
pub(crate) fn bucketed_bias(
    builder: &mut GraphBuilder,
    name: &str,
    sequence: &Sequence,
    [buckets, heads]: [usize; 2],
    farthest: usize,
    bucket: impl Fn(i64) -> i64,
) -> ValueId {
    builder.within(name, |builder| {
        let buckets_of = bucket_indices(builder, name, sequence, farthest, bucket);
        let table = builder.weight("weight", &[buckets, heads]);
        let bias = builder.gather(table, buckets_of);
        let bias = builder.transpose(bias, &[2, 0, 1]);
        builder.unsqueeze(bias, &[0])
    })
}

/// The bucket of every pair of tokens, int64 `[sequence, sequence]`, out of a table: logarithms in a graph
/// would round to the wrong side of a boundary.
pub(crate) fn bucket_indices(
    builder: &mut GraphBuilder,
    name: &str,
    sequence: &Sequence,
    farthest: usize,
    bucket: impl Fn(i64) -> i64,
) -> ValueId {
    let farthest = signed(farthest);
    let buckets: Vec<i64> = (-farthest..=farthest).map(bucket).collect();
    let table = builder.int64_tensor(&format!("buckets of {name}"), &[buckets.len()], buckets);
    let offsets = sequence.offsets(builder);
    let [least, most] = [-farthest, farthest].map(|limit| builder.int64(limit));
    let offsets = builder.max(offsets, least);
    let offsets = builder.min(offsets, most);
    let places = builder.add(offsets, most);
    builder.gather(table, places)
}

/// T5's bucket of an offset: half of `buckets` for each direction, half of those for single distances, the
/// rest for distances that grow by a factor, up to `farthest`.
pub(crate) fn t5_bucket(offset: i64, buckets: i64, farthest: i64) -> i64 {
    let half = buckets / 2;
    let direction = if offset > 0 { half } else { 0 };
    let distance = offset.abs();
    let exact = half / 2;
    if distance < exact {
        return direction + distance;
    }
    direction + (exact + logarithmic(distance, exact, farthest, half - exact)).min(half - 1)
}

/// How many of `steps` equal ratios between `from` and `to` lie below `distance`. In single precision and in
/// this order, as the reference computes it: exact powers lie on a boundary.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small distances; truncated on purpose"
)]
fn logarithmic(distance: i64, from: i64, to: i64, steps: i64) -> i64 {
    let ratio = (distance as f32 / from as f32).ln() / ((to as f64 / from as f64).ln() as f32);
    (ratio * steps as f32) as i64
}

/// DeBERTa's bucket of an offset: single distances up to half of `buckets`, then such that grow by a factor,
/// up to `farthest`; the sign stays.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small distances; rounded on purpose"
)]
pub(crate) fn log_bucket(offset: i64, buckets: i64, farthest: i64) -> i64 {
    let middle = buckets / 2;
    let distance = offset.abs();
    if distance <= middle {
        return offset;
    }
    let ratio =
        (distance as f32 / middle as f32).ln() / (((farthest - 1) as f64 / middle as f64).ln() as f32);
    let beyond = (ratio * (middle - 1) as f32).ceil() as i64;
    (beyond + middle) * offset.signum()
}

/// Slopes times distances, negative: `[1, heads, sequence, sequence]`. No weights.
pub(crate) fn alibi(builder: &mut GraphBuilder, sequence: &Sequence, heads: usize) -> ValueId {
    builder.within("alibi", |builder| {
        let offsets = sequence.offsets(builder);
        let distances = builder.abs(offsets);
        let distances = builder.apply(Op::Cast { to: crate::ElementType::Float32 }, &[distances]);
        let slopes = slopes(heads).into_iter().map(|slope| -slope).collect();
        let slopes = builder.float32_tensor(&format!("slopes of {heads} heads"), &[1, heads, 1, 1], slopes);
        builder.mul(distances, slopes)
    })
}

/// A geometric series for a power of two; otherwise that of the next lower power, then every other slope of
/// the double.
fn slopes(heads: usize) -> Vec<f32> {
    let series = |count: usize| {
        let exponent = move |place: usize| -8.0 * ratio(place + 1, count);
        (0..count).map(move |place| exponent(place).exp2())
    };
    if heads.is_power_of_two() {
        return series(heads).collect();
    }
    let lower = 1 << heads.ilog2();
    series(lower).chain(series(2 * lower).step_by(2)).take(heads).collect()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of heads are small")]
fn ratio(place: usize, count: usize) -> f32 {
    place as f32 / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_t5_are_those_of_the_reference() {
        let offsets = [
            -200, -128, -127, -64, -17, -16, -12, -11, -9, -8, -7, -1, 0, 1, 7, 8, 9, 11, 12, 16, 17, 64,
            127, 128, 200,
        ];
        let expected =
            [15, 15, 15, 14, 10, 10, 9, 8, 8, 8, 7, 1, 0, 17, 23, 24, 24, 24, 25, 26, 26, 30, 31, 31, 31];
        assert_eq!(offsets.map(|offset| t5_bucket(offset, 32, 128)), expected);
    }

    #[test]
    fn buckets_of_deberta_are_those_of_the_reference() {
        let expected = [
            (1, 1),
            (-1, -1),
            (127, 127),
            (128, 128),
            (129, 129),
            (130, 130),
            (140, 137),
            (200, 169),
            (256, 192),
            (300, 207),
            (400, 233),
            (511, 255),
            (-600, -270),
        ];
        for (offset, bucket) in expected {
            assert_eq!(log_bucket(offset, 256, 512), bucket, "{offset}");
        }
    }

    #[test]
    fn slopes_halve_and_fill_up() {
        assert_eq!(slopes(8)[..3], [0.5, 0.25, 0.125]);
        let twelve = slopes(12);
        assert_eq!(twelve.len(), 12);
        assert!(
            (twelve[8] - 2.0_f32.powf(-0.5)).abs() < 1e-7 && (twelve[9] - 2.0_f32.powf(-1.5)).abs() < 1e-7
        );
    }
}
