//! Texts to token ids with the tokenizer of all-MiniLM-L6-v2, one thread.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use st_model::Tokenizer;

fn tokenize_all(tokenizer: &dyn Tokenizer, texts: &[String]) -> usize {
    texts.iter().map(|text| tokenizer.tokenize(text, Some(256)).map_or(0, |tokens| tokens.ids.len())).sum()
}

fn tokenize(c: &mut Criterion) {
    let model = benches::minilm(1);
    let families = [("sts", benches::sts_sentences()), ("xquad", benches::xquad_paragraphs())];
    let mut group = c.benchmark_group("tokenize");
    for (name, texts) in &families {
        let tokens = tokenize_all(model.tokenizer(), texts);
        assert!(tokens > texts.len(), "every text has special tokens");
        group.throughput(Throughput::Elements(tokens as u64));
        group.bench_function(*name, |b| {
            b.iter(|| black_box(tokenize_all(model.tokenizer(), black_box(texts))));
        });
    }
    group.finish();
}

criterion_group!(benches, tokenize);
criterion_main!(benches);
