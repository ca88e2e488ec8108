//! The kernels of `st-pooling` at the shapes of a MiniLM-sized encoder, each beside the naive way to do it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use st_core::{PoolingMode, Precision, Ranges, Similarity, TokenView, Vectors};
use st_pooling::{
    Buckets, Calibration, binary_into, int8_into, normalize_into, pool, pool_into, quantize, similarity,
    similarity_into, similarity_pairwise_into,
};

/// Width of MiniLM.
const DIM: usize = 384;

/// Values between −0.5 and 0.5 from a linear congruence: no pattern that a branch predictor could learn.
fn values(count: usize) -> Vec<f32> {
    let states = std::iter::successors(Some(7_u32), |state| {
        Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    states.take(count).map(|state| f32::from_bits((state >> 9) | 0x3f80_0000) - 1.5).collect()
}

fn rows(count: usize) -> Array2<f32> {
    Array2::from_shape_vec((count, DIM), values(count * DIM)).expect("sizes follow the shape")
}

fn elements(count: usize) -> Throughput {
    Throughput::Elements(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Mean pooling as it is written with whole arrays: a mask of the size of the embeddings, a product, a sum.
fn naive_mean(hidden: &Array3<f32>, mask: &Array2<i64>) -> Array2<f32> {
    let mask = mask.mapv(|mask| if mask == 0 { 0.0 } else { 1.0 }).insert_axis(Axis(2));
    let counts = mask.sum_axis(Axis(1)).mapv(|count: f32| count.max(1e-9));
    (hidden * &mask).sum_axis(Axis(1)) / counts
}

fn pooling(criterion: &mut Criterion) {
    for &mode in PoolingMode::ALL {
        let mut group = criterion.benchmark_group(format!("pool/{mode}"));
        for (batch, tokens) in [(1, 32), (32, 128), (32, 512)] {
            let shape = (batch, tokens, DIM);
            let hidden =
                Array3::from_shape_vec(shape, values(batch * tokens * DIM)).expect("sizes follow the shape");
            // Lengths from the full width down to half of it, as in a batch sorted by length.
            let mask = Array2::from_shape_fn((batch, tokens), |(text, token)| {
                i64::from(token < tokens - tokens * text / (2 * batch))
            });
            let view = TokenView::new(hidden.view(), mask.view()).expect("the mask has the shape");
            let mut out = pool(view, &[mode], &[]);
            let shape = format!("b{batch}xt{tokens}");
            group.throughput(elements(batch * tokens));
            group.bench_function(BenchmarkId::from_parameter(&shape), |bencher| {
                bencher.iter(|| pool_into(black_box(view), &[mode], &[], out.view_mut()));
            });
            if mode == PoolingMode::Mean {
                let close = (&out - &naive_mean(&hidden, &mask)).iter().all(|gap| gap.abs() < 1e-5);
                assert!(close, "the naive mean is the same mean");
                group.bench_function(BenchmarkId::new("naive", &shape), |bencher| {
                    bencher.iter(|| naive_mean(black_box(&hidden), black_box(&mask)));
                });
            }
        }
        group.finish();
    }
}

fn normalizing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalize");
    let rows = rows(1024);
    let mut out = rows.clone();
    group.throughput(elements(rows.len()));
    group.bench_function("r1024", |bencher| {
        bencher.iter(|| normalize_into(black_box(rows.view()), out.view_mut()));
    });
    group.bench_function("naive/r1024", |bencher| {
        bencher.iter(|| {
            let lengths = black_box(&rows).mapv(|value| value * value).sum_axis(Axis(1)).mapv(f32::sqrt);
            &rows / &lengths.insert_axis(Axis(1))
        });
    });
    group.finish();
}

/// One pair after the other, one dimension after the other.
fn naive_similarity(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, kind: Similarity) -> Array2<f32> {
    Array2::from_shape_fn((left.nrows(), right.nrows()), |(row, column)| {
        let pairs = || left.row(row).into_iter().zip(right.row(column));
        let dot = || pairs().map(|(a, b)| a * b).sum::<f32>();
        match kind {
            Similarity::Dot => dot(),
            Similarity::Cosine => {
                let lengths = pairs().fold((0.0, 0.0), |(left, right), (a, b)| (left + a * a, right + b * b));
                dot() / (f32::sqrt(lengths.0) * f32::sqrt(lengths.1))
            }
            Similarity::Euclidean => -pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt(),
            Similarity::Manhattan => -pairs().map(|(a, b)| (a - b).abs()).sum::<f32>(),
        }
    })
}

fn comparing(criterion: &mut Criterion) {
    let (left, right) = (rows(32), rows(1024));
    for &kind in Similarity::ALL {
        let naive = naive_similarity(left.view(), right.view(), kind);
        let mut out = similarity(left.view(), right.view(), kind).expect("equal widths");
        assert!((&out - &naive).iter().all(|gap| gap.abs() < 1e-3), "the naive {kind} is the same");

        let mut group = criterion.benchmark_group(format!("similarity/{kind}"));
        group.throughput(elements(out.len()));
        group.bench_function("l32xr1024", |bencher| {
            bencher.iter(|| {
                similarity_into(black_box(left.view()), black_box(right.view()), kind, out.view_mut())
            });
        });
        group.bench_function("naive/l32xr1024", |bencher| {
            bencher.iter(|| naive_similarity(black_box(left.view()), black_box(right.view()), kind));
        });
        let mut pairs = Array1::zeros(right.nrows());
        group.throughput(elements(pairs.len()));
        group.bench_function("pairwise/r1024", |bencher| {
            let right = right.view();
            bencher.iter(|| similarity_pairwise_into(black_box(right), right, kind, pairs.view_mut()));
        });
        group.finish();
    }
}

/// The formula of the reference, array by array as NumPy computes it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clipped just before")]
fn naive_uint8(rows: &Array2<f32>, Ranges(ranges): &Ranges) -> Array2<u8> {
    let starts = ranges.row(0);
    let steps = (&ranges.row(1) - &starts) / 255.0;
    ((rows - &starts) / &steps).mapv(f32::floor).mapv(|code| code.clamp(0.0, 255.0)).mapv(|code| code as u8)
}

fn quantizing(criterion: &mut Criterion) {
    let rows = rows(1024);
    let mut calibration = Calibration::new(DIM);
    calibration.extend(rows.view()).expect("equal widths");
    let ranges = calibration.ranges().expect("there were rows");
    let buckets = Buckets::new(&ranges).expect("two rows");
    let codes = quantize(rows.view(), Precision::Uint8, Some(&ranges)).expect("equal widths");
    assert_eq!(codes, Vectors::Uint8(naive_uint8(&rows, &ranges)), "the naive codes are the same");

    let mut group = criterion.benchmark_group("quantize");
    group.throughput(elements(rows.len()));
    group.bench_function("calibrate/r1024", |bencher| {
        bencher.iter(|| calibration.extend(black_box(rows.view())));
    });
    let mut codes = Array2::zeros(rows.dim());
    group.bench_function("int8/r1024", |bencher| {
        bencher.iter(|| int8_into(black_box(rows.view()), &buckets, codes.view_mut()));
    });
    group.bench_function("naive/r1024", |bencher| {
        bencher.iter(|| naive_uint8(black_box(&rows), black_box(&ranges)));
    });
    let mut bits = Array2::zeros((rows.nrows(), DIM.div_ceil(8)));
    group.bench_function("binary/r1024", |bencher| {
        bencher.iter(|| binary_into(black_box(rows.view()), bits.view_mut()));
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    pooling(&mut criterion);
    normalizing(&mut criterion);
    comparing(&mut criterion);
    quantizing(&mut criterion);
    criterion.final_summary();
}
