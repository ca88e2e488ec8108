//! Every module beyond Transformer, Pooling and Normalize against Python.

use ndarray::{Axis, Slice};
use st_core::{EncodeOptions, Encoder, Prompt};
use st_testkit::{TinySet, Tolerance, assert_rows_close, tiny_texts};

use crate::support::{load, options};

#[test]
fn vectors_of_every_module() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let names = TinySet::Modules.names();
    assert!(names.len() >= 30, "{names:?}");
    for name in names {
        let golden = TinySet::Modules.load(&name);
        println!("{name}: {}", golden.about); // shown when an assertion fails
        let model = load(&golden.model_dir(), &options().with_threads(2));
        assert_eq!(model.dim(), golden.dim);
        assert_eq!(model.similarity(), golden.similarity);
        for case in &golden.cases {
            println!("{}", case.name);
            let answer = model.encode(&texts, &case.options).unwrap();
            let rows = answer.vectors.into_float32().unwrap();
            assert_rows_close(rows.view(), case.vectors.view(), Tolerance::MODEL);
        }
        // A router counts with the tokenizer of its default way, as Python does with that of its first.
        if model.spec().router.is_none() {
            let mut counts = model.count_tokens(&texts).unwrap();
            // Python cannot say how long texts were before the tokenizer of a table cut them, nor that it does.
            let limit = if name == "static-cut" { Some(7) } else { golden.max_seq_length };
            if name == "static-cut" {
                counts = counts.into_iter().map(|count| count.min(7)).collect();
            }
            assert_eq!(counts, golden.token_counts);
            assert_eq!(model.max_tokens(), limit);
        }
        let none = EncodeOptions::default().with_prompt(Prompt::Text(String::new()));
        if golden.token_embeddings.is_empty() {
            continue;
        }
        let tokens = model.encode_tokens(&texts[..golden.token_embeddings.len()], &none).unwrap();
        for ((got, want), &count) in
            tokens.texts.iter().zip(&golden.token_embeddings).zip(&golden.token_counts)
        {
            // Of a text without words Python hands out the row of the padding.
            let want = if count == 0 { want.slice_axis(Axis(0), Slice::from(..0)) } else { want.view() };
            assert_rows_close(got.view(), want, Tolerance::MODEL);
        }
    }
}

#[test]
fn a_table_has_no_token_embeddings() {
    let golden = TinySet::Modules.load("static");
    let model = load(&golden.model_dir(), &options());
    let error = model.encode_tokens(&["a"], &EncodeOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "the model is a table: it has no embeddings of tokens in their context");
    assert!(model.graph().is_none() && model.runtime().is_none());
}
