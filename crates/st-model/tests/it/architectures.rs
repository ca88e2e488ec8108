//! Every architecture against Python: two tiny models of each, batches of mixed lengths, both sides of padding.

use ndarray::{Axis, Slice};
use st_core::{EncodeOptions, Encoder, Mode, Prompt};
use st_testkit::{TinySet, Tolerance, assert_rows_close, tiny_texts};

use crate::sts::{cosines, mean};
use crate::support::{load, options};

#[test]
fn vectors_of_every_architecture() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let names = TinySet::Architectures.names();
    assert!(names.len() >= 34, "two models for each of seventeen architectures, not {}", names.len());
    for name in names {
        let golden = TinySet::Architectures.load(&name);
        let model = load(&golden.model_dir(), &options().with_threads(2));
        println!("{name}: {}", golden.about); // shown when an assertion fails
        assert_eq!(model.dim(), golden.dim);
        assert_eq!(model.max_tokens(), golden.max_seq_length);
        assert_eq!(model.count_tokens(&texts).unwrap(), golden.token_counts);
        for case in &golden.cases {
            println!("{}", case.name);
            let answer = model.encode(&texts, &case.options).unwrap();
            let rows = answer.vectors.into_float32().unwrap();
            assert_rows_close(rows.view(), case.vectors.view(), Tolerance::MODEL);
        }
        let none = EncodeOptions::default().with_prompt(Prompt::Text(String::new()));
        assert_eq!(model.encode(&texts, &none).unwrap().truncated, golden.truncated);
        let tokens = model.encode_tokens(&texts[..golden.token_embeddings.len()], &none).unwrap();
        for (got, want) in tokens.texts.iter().zip(&golden.token_embeddings) {
            assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
        }
    }
}

/// A text alone and in the company of longer ones, whose padding it must not feel.
#[test]
fn company_changes_nothing() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in TinySet::Architectures.names() {
        let golden = TinySet::Architectures.load(&name);
        let model = load(&golden.model_dir(), &options());
        let wide = EncodeOptions::default().with_max_tokens_per_batch(1 << 20);
        let all = model.encode(&texts, &wide).unwrap().vectors.into_float32().unwrap();
        for (place, text) in texts.iter().enumerate().step_by(7) {
            println!("{name}: text {place}");
            let alone = model.encode(&[text], &wide).unwrap().vectors.into_float32().unwrap();
            let row = all.slice_axis(Axis(0), Slice::from(place..=place));
            assert_rows_close(alone.view(), row, Tolerance { abs: 2e-6, rel: 2e-6 });
        }
    }
}

/// Eight-bit linear layers in every family: biases or none, shared weights, fused projections, shared heads.
#[test]
fn the_fast_mode_of_every_architecture_is_near_and_keeps_its_company_out() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in TinySet::Architectures.names() {
        let golden = TinySet::Architectures.load(&name);
        let exact = load(&golden.model_dir(), &options());
        let fast = load(&golden.model_dir(), &options().with_mode(Mode::Fast));
        let plain = EncodeOptions::default();
        let rows = |model: &st_model::SentenceTransformer, texts: &[&str]| {
            model.encode(texts, &plain).unwrap().vectors.into_float32().unwrap()
        };
        let (wanted, found) = (rows(&exact, &texts), rows(&fast, &texts));
        let near = cosines(&wanted, &found);
        let smallest = near.iter().copied().fold(1.0, f64::min);
        println!("{name}: mean {} smallest {smallest}", mean(&near));
        assert!(mean(&near) > 0.98 && smallest > 0.8, "{name}: mean {} smallest {smallest}", mean(&near));
        assert!(wanted != found, "{name}: nothing is in eight bits");
        let alone = rows(&fast, &texts[3..4]);
        let row = found.slice_axis(Axis(0), Slice::from(3..4));
        assert_rows_close(alone.view(), row, Tolerance::COMPANY);
    }
}
