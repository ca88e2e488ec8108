//! The flavor `onnx` that models of the other kinds get: what Python's MLflow makes of it, and when it is left out.

use ndarray::Array2;
use serde_json::{Map, Value, json};
use st_model::read_tokenizer;
use st_testkit::{Environment, PythonScript, Tolerance, assert_rows_close, fixtures_dir};

use crate::kinds::{floats, model, parsed};
use crate::support::Place;

/// Lengths differ, so that a batch has padding.
const TEXTS: [&str; 3] = ["a man plays the guitar", "the dog", "x"];

/// For each model: what `mlflow.onnx` answers, from the graph that it loads and through its own session; the flavor; the
/// flavor as Python writes it; the first release that knows the graph.
const LOADED: &str = r#"
import json, sys, mlflow.onnx, numpy, onnx, onnxruntime, os, tempfile
from mlflow.models import Model
found = []
for path, output, feeds in json.loads(sys.argv[1]):
    model = mlflow.onnx.load_model(path)
    file = os.path.join(path, "model.onnx")
    onnx.checker.check_model(file, full_check=True)
    feeds = {name: numpy.array(rows, dtype="int64") for name, rows in feeds.items()}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [session.run([output], feeds)[0], mlflow.onnx._load_pyfunc(file).predict(feeds)[output]]
    flavors = [Model.load(path).flavors["onnx"]]
    with tempfile.TemporaryDirectory() as again:
        mlflow.onnx.save_model(model, os.path.join(again, "m"), pip_requirements=["onnx"])
        flavors.append(Model.load(os.path.join(again, "m")).flavors["onnx"])
    knows = (row[0] for row in onnx.helper.VERSION_TABLE
             if row[1] >= model.ir_version and row[2] >= model.opset_import[0].version)
    found.append([[answer.tolist() for answer in answers], flavors, next(knows)])
print(json.dumps(found))
"#;

/// What the script says of one model.
type Found = ([Value; 2], [Map<String, Value>; 2], String);

/// One batch of inputs as a graph takes them, and how many tokens each text has.
fn feeds(folder: &str, pair: bool) -> (Value, Vec<usize>) {
    let tokenizer = read_tokenizer(folder.as_ref()).unwrap();
    let tokens = TEXTS.map(|text| {
        let tokens =
            if pair { tokenizer.tokenize_pair(text, TEXTS[0], None) } else { tokenizer.tokenize(text, None) };
        tokens.unwrap()
    });
    let longest = tokens.iter().map(|text| text.ids.len()).max().unwrap();
    let [mut ids, mut mask, mut types] = [const { Vec::new() }; 3];
    for text in &tokens {
        let padded = |values: Vec<u32>, fill: u32| {
            let values = values.into_iter().chain(std::iter::repeat(fill));
            json!(values.take(longest).collect::<Vec<_>>())
        };
        ids.push(padded(text.ids.clone(), tokenizer.pad_id()));
        mask.push(padded(vec![1; text.ids.len()], 0));
        types.push(padded(text.types.iter().map(|kind| u32::from(*kind)).collect(), 0));
    }
    let feeds = json!({"input_ids": ids, "attention_mask": mask, "token_type_ids": types});
    (feeds, tokens.iter().map(|text| text.ids.len()).collect())
}

/// The numbers of a list of lists of lists.
fn flat(answer: &Value) -> Vec<f32> {
    match answer.as_array().unwrap() {
        rows if rows[0].is_array() => rows.iter().flat_map(flat).collect(),
        _ => floats(answer),
    }
}

/// Scores of the pairs, as `st rerank` has them.
fn scores(place: &Place, folder: &str) -> Vec<f32> {
    let lines = TEXTS.map(|text| json!({"a": text, "b": TEXTS[0]}).to_string());
    place.write("pairs.jsonl", lines.join("\n"));
    let sides =
        ["--left", "pairs.jsonl", "--left-column", "a", "--right", "pairs.jsonl", "--right-column", "b"];
    let args = [&["rerank", "-m", folder, "--json", "--activation", "identity"][..], &sides].concat();
    flat(&parsed(&place.ok(&args))["scores"])
}

fn encoded(place: &Place, folder: &str, flag: &str) -> Vec<Value> {
    let answer = place.ok(&[&["encode", "-m", folder, flag][..], &TEXTS].concat());
    answer.lines().map(parsed).collect()
}

#[test]
fn python_loads_and_runs_the_graph() {
    let place = Place::new();
    let models = [
        (model("cross-encoders", "bert-labels"), "logits"),
        (model("sparse", "splade-bert"), "sentence_embedding"),
        (model("multi-vector", "plain"), "token_embeddings"),
    ];
    let mut asked = Vec::new();
    let mut lengths = Vec::new();
    for (folder, output) in &models {
        let (inputs, tokens) = feeds(folder, *output == "logits");
        place.ok(&["save", "-m", folder, "-o", output]);
        asked.push(json!([output, output, inputs]));
        lengths.push(tokens);
    }
    let script = PythonScript::new(Environment::Mlflow, LOADED).folder(place.path("."));
    let found: Vec<Found> = script.argument(json!(asked).to_string()).run();
    for ([ours, pythons], release) in found.iter().map(|(_, flavors, release)| (flavors, release)) {
        assert_eq!(ours["onnx_version"], json!(release));
        let mut pythons = pythons.clone();
        pythons.insert("onnx_version".to_owned(), json!(release));
        assert_eq!(*ours, pythons);
    }
    let [cross, sparse, late] = models.map(|(folder, _)| folder);
    let scores = scores(&place, &cross);
    let sparse = encoded(&place, &sparse, "--sparse");
    let late = encoded(&place, &late, "--multi-vector");
    for which in [0, 1] {
        let answer = |place: usize| flat(&found[place].0[which]);
        assert_eq!(scores.len(), TEXTS.len() * 3);
        assert_near(&answer(0), &scores);
        assert_near(&answer(1), &in_full(&sparse, answer(1).len() / TEXTS.len()));
        for (text, line) in of_each(&answer(2), &lengths[2]).iter().zip(&late) {
            assert_near(text, &flat(&line["token_embeddings"]));
        }
    }
}

/// Sparse vectors with their zeros, one after the other.
fn in_full(lines: &[Value], width: usize) -> Vec<f32> {
    let mut rows = Array2::zeros((lines.len(), width));
    for (mut row, line) in rows.outer_iter_mut().zip(lines) {
        for (index, value) in line["indices"].as_array().unwrap().iter().zip(floats(&line["values"])) {
            row[usize::try_from(index.as_u64().unwrap()).unwrap()] = value;
        }
    }
    assert!(rows.iter().filter(|value| **value > 0.0).count() > lines.len());
    rows.into_iter().collect()
}

/// The vectors of the tokens of each text, those of padding left out.
fn of_each(batch: &[f32], lengths: &[usize]) -> Vec<Vec<f32>> {
    let longest = lengths.iter().max().unwrap();
    let text = batch.len() / lengths.len();
    let parts = batch.chunks_exact(text).zip(lengths);
    parts.map(|(part, length)| part[..text / longest * length].to_vec()).collect()
}

#[track_caller]
fn assert_near(got: &[f32], want: &[f32]) {
    let row = |values: &[f32]| Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap();
    assert_rows_close(row(got).view(), row(want).view(), Tolerance::MODEL);
}

#[test]
fn a_graph_is_left_out_where_there_is_none_and_where_nobody_wants_it() {
    let place = Place::new();
    let cross = model("cross-encoders", "bert");
    let saved = |output: &str, args: &[&str]| {
        let ran = place.run(&[&["save", "-o", output, "-m"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        (place.path(output).join("model.onnx").exists(), ran.stderr)
    };
    assert_eq!(saved("cross", &[&cross]), (true, String::new()));
    assert_eq!(saved("apart", &[&cross, "--no-onnx"]), (false, String::new()));
    assert_eq!(saved("dense", &["TINY"]), (false, String::new()));
    assert_eq!(saved("asked", &["TINY", "--onnx"]), (true, String::new()));
    // Vectors of questions are looked up, those of documents computed.
    let free = model("sparse", "inference-free");
    let left_out = "the model has several routes, and one graph cannot be all of them";
    let note = format!("warning: the flavor `onnx` is left out: {left_out}\n");
    assert_eq!(saved("free", &[&free]), (false, note));
    place.fails(
        &["save", "-m", &free, "-o", "refused", "--onnx"],
        &format!("error: cannot write the flavor `onnx`\n  caused by: {left_out}"),
    );
    assert!(!place.path("refused").exists());
    let inspected = parsed(&place.ok(&["inspect", "-m", "cross", "--json"]));
    let flavors = ["python_function", "sentence_transformers_cross_encoder", "onnx"];
    assert_eq!(inspected["mlflow"]["flavors"], json!(flavors));
}

#[test]
fn a_model_that_runs_only_in_python_goes_without() {
    let place = Place::new();
    let folder = st_testkit::temp_copy(&fixtures_dir().join("cross-encoders/bert"));
    let config = folder.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(r#""model_type": "bert""#, r#""model_type": "canine""#)).unwrap();
    let ran = place.run(&["save", "-m", folder.path().to_str().unwrap(), "-o", "saved"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("warning: the flavor `onnx` is left out: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("canine"), "{}", ran.stderr);
}

#[test]
fn the_graph_is_logged_with_the_model() {
    let place = Place::new();
    let cross = model("cross-encoders", "bert");
    let logged = parsed(&place.ok(&["log", "-m", &cross, "--register", "reranker", "--json"]));
    assert_eq!(logged["flavors"][2], json!("onnx"));
    place.ok(&["models", "download", "models:/reranker/1", "-o", "copy"]);
    let digests = parsed(&place.read("copy/model_digests.json"));
    let shown = parsed(&place.ok(&["models", "show", "reranker", "--json"]));
    let tags = shown["model_versions"][0]["tags"].as_array().unwrap();
    // What is logged is what runs here.
    let digest = json!({"key": "st.graph_sha256", "value": digests["files"]["model.onnx"]["sha256"]});
    assert!(tags.contains(&digest), "{tags:?}");
    place.ok(&["log", "-m", "models:/reranker/1", "--register", "again", "--no-onnx"]);
    place.ok(&["models", "download", "models:/again/1", "-o", "again"]);
    assert!(!place.read("again/MLmodel").contains("onnx"), "{}", place.read("again/MLmodel"));
}
