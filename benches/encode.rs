//! The whole way from texts to vectors with all-MiniLM-L6-v2, in both modes: one sentence, and the STS sentences.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use st_core::{EncodeOptions, Encoder, Mode};

/// Texts of the throughput bench: enough for stable medians, few enough for ten samples in a minute.
const SENTENCES: usize = 256;

fn encode(c: &mut Criterion) {
    let sentences = benches::sts_sentences();
    let texts: Vec<&str> = sentences.iter().take(SENTENCES).map(String::as_str).collect();
    let mut group = c.benchmark_group("encode");
    group.sample_size(10);
    let runs = Mode::ALL.iter().flat_map(|&mode| [(mode, 1), (mode, 2)]);
    for (mode, threads) in runs {
        // Ids without a mode are those of the exact one.
        let id = match mode {
            Mode::Exact => format!("t{threads}"),
            Mode::Fast => format!("{mode}/t{threads}"),
        };
        let model = benches::minilm_in(mode, threads);
        let run =
            |texts: &[&str]| model.encode(texts, &EncodeOptions::default()).map(|answer| answer.vectors);
        let one = run(&texts[..1]).expect("the model encodes");
        assert_eq!(one.dim(), (1, 384));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("one", &id), |b| {
            b.iter(|| black_box(run(black_box(&texts[..1]))));
        });
        group.throughput(Throughput::Elements(texts.len() as u64));
        group.bench_function(BenchmarkId::new("sts", &id), |b| {
            b.iter(|| black_box(run(black_box(&texts))));
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
