//! Every tiny model against Python, with every set of options that its golden has.

use ndarray::{Axis, Slice};
use st_core::{EncodeOptions, Encoder};
use st_testkit::{TinyGolden, Tolerance, assert_rows_close, tiny_names, tiny_texts};

use crate::support::{load, options};

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[test]
fn vectors_of_every_model_and_case() {
    let texts = tiny_texts();
    let texts = borrowed(&texts);
    assert!(tiny_names().len() >= 10);
    for golden in TinyGolden::load_all() {
        let model = load(&golden.model_dir(), &options().with_threads(2));
        assert_eq!(model.dim(), golden.dim, "{}", golden.name);
        for case in &golden.cases {
            println!("{} {}", golden.name, case.name); // shown when an assertion fails
            let answer = model.encode(&texts, &case.options).unwrap();
            let rows = answer.vectors.into_float32().unwrap();
            assert_rows_close(rows.view(), case.vectors.view(), Tolerance::MODEL);
        }
    }
}

#[test]
fn what_the_folders_say() {
    for golden in TinyGolden::load_all() {
        let model = load(&golden.model_dir(), &options());
        let name = &golden.name;
        assert_eq!(model.max_tokens(), golden.max_seq_length, "{name}");
        assert_eq!(model.similarity(), golden.similarity, "{name}");
        assert_eq!(model.spec().sentence.truncate_dim, golden.truncate_dim, "{name}");
        assert_eq!(model.spec().sentence.default_prompt_name, golden.default_prompt_name, "{name}");
        for (prompt, text) in &golden.prompts {
            // The reference makes up empty ones for models that store none.
            let stored = model.spec().sentence.prompts.get(prompt).map_or("", String::as_str);
            assert_eq!(stored, text, "{name}: {prompt}");
        }
    }
}

#[test]
fn tokens_and_truncation_are_counted() {
    let texts = tiny_texts();
    let texts = borrowed(&texts);
    for golden in TinyGolden::load_all() {
        let model = load(&golden.model_dir(), &options());
        assert_eq!(model.count_tokens(&texts).unwrap(), golden.token_counts, "{}", golden.name);
        let none = EncodeOptions::default().with_prompt(st_core::Prompt::Text(String::new()));
        assert_eq!(model.encode(&texts, &none).unwrap().truncated, golden.truncated, "{}", golden.name);
        let tokens = model.encode_tokens(&texts[..golden.token_embeddings.len()], &none).unwrap();
        for (got, want) in tokens.texts.iter().zip(&golden.token_embeddings) {
            println!("{}", golden.name);
            assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
        }
    }
}

#[test]
fn similarities_follow_the_models_function() {
    let texts = tiny_texts();
    let texts = borrowed(&texts);
    for golden in TinyGolden::load_all() {
        let model = load(&golden.model_dir(), &options());
        let answer = model.encode(&texts, &EncodeOptions::default()).unwrap();
        let rows = answer.vectors.into_float32().unwrap();
        let first = rows.slice_axis(Axis(0), Slice::from(..golden.similarities.nrows()));
        let scores = st_pooling::similarity(first, rows.view(), model.similarity()).unwrap();
        println!("{}", golden.name);
        // Above 25 rows torch computes Euclidean distances as a² + b² − 2ab, which is off by 3e-3 where vectors
        // coincide; ours are differences.
        let abs = if model.similarity() == st_core::Similarity::Euclidean { 5e-3 } else { 1e-4 };
        assert_rows_close(scores.view(), golden.similarities.view(), Tolerance { abs, rel: 1e-5 });
    }
}
