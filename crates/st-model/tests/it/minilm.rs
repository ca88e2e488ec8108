//! all-MiniLM-L6-v2 against Python: element by element, in any order, at any number of threads.

use st_core::{EncodeOptions, Encoder, Prompt};
use st_testkit::{MinilmGolden, Tolerance, assert_rows_close};

use crate::support::minilm;

fn encode(texts: &[&str], options: &EncodeOptions) -> ndarray::Array2<f32> {
    minilm().encode(texts, options).unwrap().vectors.into_float32().unwrap()
}

#[test]
fn every_element_of_every_text() {
    let golden = MinilmGolden::load();
    assert!(golden.texts.len() >= 300, "{} texts", golden.texts.len());
    let answer = minilm().encode(&golden.texts(), &EncodeOptions::default()).unwrap();
    let rows = answer.vectors.into_float32().unwrap();
    assert_rows_close(rows.view(), golden.vectors.view(), Tolerance::UNIT_VECTOR);
    let cut = golden.texts.iter().filter(|text| text.tokens > text.ids.len()).count();
    assert!(cut > 0);
    assert_eq!(answer.truncated, cut);
    assert_eq!(answer.tokens, golden.texts.iter().map(|text| text.ids.len()).sum::<usize>());
}

#[test]
fn any_order_any_threads_any_budget() {
    let golden = MinilmGolden::load();
    let texts = golden.texts();
    for (threads, budget) in [(1, 64), (2, 512), (1, 8192)] {
        let order: Vec<usize> = (0..texts.len()).map(|at| (at * 11 + threads) % texts.len()).collect();
        let mut seen = order.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), texts.len(), "11 does not divide the number of texts, so this is a shuffle");
        let shuffled: Vec<&str> = order.iter().map(|&at| texts[at]).collect();
        let options = EncodeOptions::default().with_threads(threads).with_max_tokens_per_batch(budget);
        let rows = encode(&shuffled, &options);
        let want = golden.vectors.select(ndarray::Axis(0), &order);
        assert_rows_close(rows.view(), want.view(), Tolerance::UNIT_VECTOR);
    }
}

#[test]
fn token_ids_equal_pythons() {
    let golden = MinilmGolden::load();
    for text in &golden.texts {
        let tokens = minilm().tokenizer().tokenize(&text.text, minilm().max_tokens()).unwrap();
        let ids: Vec<i64> = tokens.ids.iter().map(|&id| i64::from(id)).collect();
        assert_eq!(ids, text.ids, "{:?}", text.text);
        assert_eq!(tokens.full_length, text.tokens, "{:?}", text.text);
    }
}

#[test]
fn prompts_and_token_embeddings() {
    let golden = MinilmGolden::load();
    let texts = golden.texts();
    let options = EncodeOptions::default().with_prompt(Prompt::Text(golden.prompt.clone()));
    let rows = encode(&texts[..golden.prompted.nrows()], &options);
    assert_rows_close(rows.view(), golden.prompted.view(), Tolerance::UNIT_VECTOR);

    assert!(!golden.token_embeddings.is_empty());
    let some: Vec<&str> = golden.token_embeddings.iter().map(|(index, _)| texts[*index]).collect();
    let tokens = minilm().encode_tokens(&some, &EncodeOptions::default()).unwrap();
    for (got, (_, want)) in tokens.texts.iter().zip(&golden.token_embeddings) {
        assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
    }
}
