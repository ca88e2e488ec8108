//! The vector of a text does not depend on the other texts of the call.

use ndarray::{Axis, Slice};
use st_core::{EncodeOptions, Encoder};
use st_testkit::{MinilmGolden, Tolerance, assert_rows_close, tiny_model_dir, tiny_names, tiny_texts};

use crate::support::{load, minilm, options};

#[test]
fn alone_and_in_any_batch_agree() {
    let golden = MinilmGolden::load();
    let texts = golden.texts();
    let some: Vec<usize> = (0..texts.len()).step_by(29).collect();
    let together =
        minilm().encode(&texts, &EncodeOptions::default().with_max_tokens_per_batch(4096)).unwrap();
    let together = together.vectors.into_float32().unwrap();
    for &at in &some {
        let alone = minilm().encode(&[texts[at]], &EncodeOptions::default()).unwrap();
        let alone = alone.vectors.into_float32().unwrap();
        assert_rows_close(alone.view(), together.select(Axis(0), &[at]).view(), Tolerance::COMPANY);
    }
}

#[test]
fn tiny_models_of_every_pooling_agree() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in tiny_names() {
        let model = load(&tiny_model_dir(&name), &options());
        let encode = |texts: &[&str], budget: usize| {
            let options = EncodeOptions::default().with_max_tokens_per_batch(budget);
            model.encode(texts, &options).unwrap().vectors.into_float32().unwrap()
        };
        let together = encode(&texts, 100_000);
        let alone = encode(&texts, 1);
        println!("{name}");
        assert_rows_close(alone.view(), together.view(), Tolerance::COMPANY);
    }
}

#[test]
fn repeated_texts_get_the_same_row_and_all_count() {
    let one = minilm().encode(&["a text"], &EncodeOptions::default()).unwrap();
    let options = EncodeOptions::default();
    let answer = minilm().encode(&["a text", "another one", "a text", "a text"], &options).unwrap();
    assert_eq!(answer.tokens, 3 * one.tokens + 4);
    let rows = answer.vectors.into_float32().unwrap();
    assert_eq!((rows.row(0), rows.row(0)), (rows.row(2), rows.row(3)));
    assert_ne!(rows.row(0), rows.row(1));
    let tokens = minilm().encode_tokens(&["a text", "another one", "a text"], &options).unwrap();
    assert_eq!(tokens.texts[0], tokens.texts[2]);
    assert_eq!(tokens.texts[1].nrows(), 4);
}

#[test]
fn no_texts_give_no_rows() {
    let answer = minilm().encode(&[], &EncodeOptions::default()).unwrap();
    assert_eq!((answer.vectors.dim(), answer.truncated, answer.tokens), ((0, 384), 0, 0));
}

#[test]
fn many_callers_share_one_model() {
    let golden = MinilmGolden::load();
    let texts = &golden.texts()[..32];
    let want = golden.vectors.slice_axis(Axis(0), Slice::from(..32));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = minilm().encode(texts, &EncodeOptions::default()).unwrap();
                let rows = answer.vectors.into_float32().unwrap();
                assert_rows_close(rows.view(), want, Tolerance::UNIT_VECTOR);
            });
        }
    });
}
