//! What decides vectors decides the digest, and nothing else does.

use std::fs;
use std::path::Path;

use st_core::{EncodeOptions, Mode, Precision, Prompt, Task};
use st_model::SentenceTransformer;
use st_testkit::{temp_copy, tiny_model_dir};

use crate::support::{load, options};

fn digest(model: &SentenceTransformer) -> String {
    model.digest().unwrap().to_owned()
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_digest_is_of_what_decides_the_vectors() {
    let original = load(&tiny_model_dir("mean-normalize"), &options());
    let expected = digest(&original);
    assert!(expected.starts_with("blake3:") && expected.len() == 71, "{expected}");

    let folder = temp_copy(&tiny_model_dir("mean-normalize"));
    let at = |name: &str| folder.path().join(name);
    let now = || digest(&load(folder.path(), &options()));
    assert_eq!(now(), expected, "a copy is the same model");
    fs::write(at("README.md"), "notes").unwrap();
    fs::write(at("results.json"), "{}").unwrap();
    replace(&at("config_sentence_transformers.json"), "{", "{ ");
    assert_eq!(now(), expected, "notes and prompts change no vector");
    assert_eq!(
        digest(&load(folder.path(), &options().with_mode(Mode::Fast))),
        expected,
        "mode stands beside"
    );

    replace(&at("tokenizer.json"), "{", "{ ");
    let tokenizer = now();
    replace(&at("1_Pooling/config.json"), "{", "{ ");
    let pooling = now();
    replace(&at("config.json"), "{", "{ ");
    let config = now();
    let weights = at("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let mut all = vec![expected, tokenizer, pooling, config, now()];
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5, "each change makes another model");
}

#[test]
fn without_a_cache_the_digest_is_the_same() {
    let folder = tiny_model_dir("mean-normalize");
    let places = st_model::Places::default().with_runtime(st_testkit::runtime_library());
    let without = load(&folder, &st_model::LoadOptions::new(places));
    assert!(without.graph().unwrap().path.is_none());
    assert_eq!(digest(&without), digest(&load(&folder, &options())));
    assert_ne!(digest(&without), digest(&load(&tiny_model_dir("cls"), &options())));
}

#[test]
fn provenance_says_what_was_asked_for() {
    let model = load(&tiny_model_dir("mean-normalize"), &options());
    let plain = model.provenance(&EncodeOptions::default()).unwrap();
    assert_eq!((plain.dimension, plain.normalized, plain.mode), (24, true, Some(Mode::Exact)));
    assert_eq!((plain.prompt.name, plain.prompt.text.as_str()), (None, ""));

    let options = EncodeOptions::default().with_truncate_dim(7).with_precision(Precision::Binary);
    let cut = model.provenance(&options.clone().with_task(Task::Query)).unwrap();
    assert_eq!((cut.dimension, cut.precision), (7, Precision::Binary));
    assert!(!cut.normalized, "what was cut after the model is not of length one");
    assert_eq!((cut.prompt.task.as_deref(), cut.prompt.name.as_deref()), (Some("query"), Some("query")));
    assert!(model.provenance(&options.with_normalize(true)).unwrap().normalized);

    let literal = EncodeOptions::default().with_prompt(Prompt::Text("text: ".to_owned()));
    let literal = model.provenance(&literal).unwrap();
    assert_eq!((literal.prompt.name, literal.prompt.text.as_str()), (None, "text: "));
}
