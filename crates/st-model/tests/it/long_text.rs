//! Texts that are too long, in every policy, against goldens that Python's modules gave.

use ndarray::{Array2, ArrayView2, Axis, Slice};
use serde_json::Value;
use st_core::{EncodeOptions, Encoder, LongText, Prompt};
use st_model::{Defaults, LateChunking, SentenceTransformer};
use st_testkit::{Tolerance, assert_rows_close, fixtures_dir, npy, temp_copy, tiny_model_dir};

use crate::support::{load, options};

struct Golden {
    texts: Vec<String>,
    cases: Vec<(Value, Array2<f32>)>,
}

impl Golden {
    fn load() -> Self {
        let folder = fixtures_dir().join("golden/long_text");
        let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
        let mut golden: Value = serde_json::from_str(&text).unwrap();
        let rows = npy::read_1d::<f32>(&folder.join("rows.npy")).unwrap();
        let texts = serde_json::from_value(golden["texts"].take()).unwrap();
        let mut rest = rows.as_slice().unwrap();
        let cases = golden["cases"].as_array().unwrap().iter().map(|case| {
            let shape: (usize, usize) = serde_json::from_value(case["shape"].clone()).unwrap();
            let (rows, more) = rest.split_at(shape.0 * shape.1);
            rest = more;
            (case.clone(), Array2::from_shape_vec(shape, rows.to_vec()).unwrap())
        });
        Self { texts, cases: cases.collect() }
    }

    fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// The cases of windows or of late chunks, each with its model.
    fn each(&self, late: bool, mut check: impl FnMut(&SentenceTransformer, &Value, ArrayView2<'_, f32>)) {
        let mut models = std::collections::BTreeMap::new();
        let wanted = |case: &Value| case["late"].is_null() != late;
        let cases: Vec<_> = self.cases.iter().filter(|(case, _)| wanted(case)).collect();
        assert!(cases.len() >= 9);
        for (case, rows) in cases {
            let name = case["model"].as_str().unwrap();
            let model = models.entry(name).or_insert_with(|| load(&tiny_model_dir(name), &options()));
            check(model, case, rows.view());
        }
    }
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn floats(encoded: st_core::Encoded) -> Array2<f32> {
    encoded.vectors.into_float32().unwrap()
}

#[test]
fn windows_are_joined_as_in_python() {
    let golden = Golden::load();
    golden.each(false, |model, case, expected| {
        println!("{case}"); // shown when an assertion fails
        let chunk = LongText::Chunk { overlap: number(&case["overlap"]) };
        let mut options = EncodeOptions::default().with_long_text(chunk);
        if let Some(prompt) = case["prompt"].as_str() {
            options = options.with_prompt(Prompt::Text(prompt.to_owned()));
        }
        let encoded = model.encode(&golden.texts(), &options).unwrap();
        let windows = case["windows"].as_array().unwrap().iter().map(number);
        let several: Vec<_> = windows.enumerate().filter(|(_, windows)| *windows > 1).collect();
        let found: Vec<_> = encoded.overlong.iter().map(|found| (found.text, found.windows)).collect();
        assert_eq!(found, several);
        assert_eq!(encoded.truncated, 0, "nothing is lost");
        assert_rows_close(floats(encoded).view(), expected, Tolerance::MODEL);
    });
}

#[test]
fn late_chunks_are_pooled_as_in_python() {
    let golden = Golden::load();
    golden.each(true, |model, case, expected| {
        println!("{case}"); // shown when an assertion fails
        let chunking = LateChunking::new(number(&case["late"])).with_overlap(number(&case["overlap"]));
        let answer = model.encode_late(&golden.texts(), chunking, &EncodeOptions::default()).unwrap();
        let expected_spans: Vec<Vec<(usize, usize)>> =
            serde_json::from_value(case["chunks"].clone()).unwrap();
        let found: Vec<_> =
            answer.chunks.iter().map(|chunk| (chunk.text, chunk.tokens.start, chunk.tokens.end)).collect();
        let spans = expected_spans.iter().enumerate();
        let spans: Vec<_> =
            spans.flat_map(|(text, spans)| spans.iter().map(move |span| (text, span.0, span.1))).collect();
        assert_eq!(found, spans);
        for chunk in &answer.chunks {
            // Chunks of whole words have bytes, and these have the tokens that were counted.
            let Some(bytes) = &chunk.bytes else { continue };
            let words = &golden.texts[chunk.text][bytes.clone()];
            assert_eq!(model.count_tokens(&[words]).unwrap(), [chunk.tokens.len() + 2], "{words:?}");
        }
        assert_rows_close(answer.vectors.as_float32().unwrap().view(), expected, Tolerance::MODEL);
    });
}

#[test]
fn one_chunk_is_the_whole_text() {
    for name in ["mean-normalize", "default-prompt", "prompt-excluded"] {
        let model = load(&tiny_model_dir(name), &options());
        let texts = ["", "short text", "the moon rises over the river"];
        let whole = floats(model.encode(&texts, &EncodeOptions::default()).unwrap());
        let late = model.encode_late(&texts, LateChunking::new(1000), &EncodeOptions::default()).unwrap();
        assert_eq!((late.chunks.len(), late.overlong.len()), (3, 0));
        assert_rows_close(late.vectors.as_float32().unwrap().view(), whole.view(), Tolerance::MODEL);
    }
}

#[test]
fn a_text_that_fits_is_the_same_in_every_policy() {
    let model = load(&tiny_model_dir("mean-normalize"), &options());
    let golden = Golden::load();
    let policies = [LongText::Truncate, LongText::Error, LongText::Chunk { overlap: 2 }];
    let all = policies.map(|policy| {
        let options = EncodeOptions::default().with_long_text(policy);
        floats(model.encode(&golden.texts()[..2], &options).unwrap())
    });
    assert!(all.iter().all(|rows| rows == all[0]));
    // Beside long ones, too: each row alone.
    let options = EncodeOptions::default().with_long_text(policies[2]);
    let beside = floats(model.encode(&golden.texts(), &options).unwrap());
    let first = beside.slice_axis(Axis(0), Slice::from(..2));
    assert_rows_close(first, all[0].view(), Tolerance { abs: 1e-6, rel: 0.0 });
}

#[test]
fn policies_say_what_they_did() {
    let model = load(&tiny_model_dir("mean-normalize"), &options());
    let limit = model.max_tokens().unwrap();
    let long = "river ".repeat(limit);
    let texts = ["short", long.as_str()];
    let encode = |policy| model.encode(&texts, &EncodeOptions::default().with_long_text(policy));
    let cut = encode(LongText::Truncate).unwrap();
    let found = cut.overlong[0];
    assert_eq!((cut.truncated, found.text, found.windows), (1, 1, 1));
    assert_eq!((found.tokens - found.lost, found.lost > 0), (limit, true));
    let error = encode(LongText::Error).unwrap_err();
    assert_eq!(error.to_string(), format!("text 1 has {} tokens, and the model reads {limit}", found.tokens));
    let error = encode(LongText::Chunk { overlap: limit }).unwrap_err();
    let room = limit - 2;
    let expected =
        format!("option `overlap` cannot be {limit}: a window has room for {room} tokens of the text");
    assert_eq!(error.to_string(), expected);
    let chunk = EncodeOptions::default().with_long_text(LongText::Chunk { overlap: 0 });
    assert!(model.encode_tokens(&texts, &chunk).is_err());
}

#[test]
fn a_folder_may_say_which_policy_holds() {
    let folder = temp_copy(&tiny_model_dir("mean-normalize"));
    let chunk = LongText::Chunk { overlap: 4 };
    let defaults = Defaults::default().with_long_text(chunk);
    std::fs::write(folder.path().join(Defaults::FILE), defaults.to_json()).unwrap();
    let stored = load(folder.path(), &options());
    let plain = load(&tiny_model_dir("mean-normalize"), &options());
    assert_eq!(stored.digest().unwrap(), plain.digest().unwrap(), "it is the same model");
    let golden = Golden::load();
    let texts = golden.texts();
    let asked = plain.encode(&texts, &EncodeOptions::default().with_long_text(chunk)).unwrap();
    assert_eq!(stored.encode(&texts, &EncodeOptions::default()).unwrap(), asked);
    // The call wins; and tokens of windows are none of a text.
    let cut = EncodeOptions::default().with_long_text(LongText::Truncate);
    assert_eq!(
        stored.encode(&texts, &cut).unwrap(),
        plain.encode(&texts, &EncodeOptions::default()).unwrap()
    );
    assert!(stored.encode_tokens(&texts, &EncodeOptions::default()).unwrap().truncated > 0);
}

#[test]
fn late_chunking_needs_the_mean() {
    let late = |name: &str, tokens: usize| {
        let model = load(&tiny_model_dir(name), &options());
        model
            .encode_late(&["a"], LateChunking::new(tokens), &EncodeOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(late("mean", 0), "option `late_chunking` cannot be 0: a chunk has at least one token");
    assert_eq!(
        late("cls", 8),
        "option `late_chunking` cannot be 8: it takes the mean of a chunk's tokens, and the model pools by cls"
    );
}
