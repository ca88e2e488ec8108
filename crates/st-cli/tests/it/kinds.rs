//! Sparse encoders and late-interaction models on the command line.

use ndarray::Array2;
use serde_json::{Value, json};
use st_core::Task;
use st_testkit::{
    MultiVectorGolden, SparseGolden, Tolerance, assert_rows_close, fixtures_dir, tiny_model_dir, tiny_texts,
};

use crate::support::{Place, TINY};

pub(crate) fn model(kind: &str, name: &str) -> String {
    fixtures_dir().join(kind).join(name).display().to_string()
}

#[track_caller]
pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Texts as they are, in a file that every command reads.
pub(crate) fn write_texts(place: &Place, texts: &[String]) {
    let lines = texts.iter().enumerate().map(|(id, text)| json!({"_id": id, "text": text}).to_string());
    place.write("texts.jsonl", lines.collect::<Vec<_>>().join("\n"));
}

fn task_flag(task: Option<Task>) -> &'static [&'static str] {
    match task {
        None => &[],
        Some(Task::Query) => &["--query"],
        Some(Task::Document) => &["--document"],
    }
}

#[expect(clippy::cast_possible_truncation, reason = "they were single precision")]
pub(crate) fn floats(list: &Value) -> Vec<f32> {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

pub(crate) fn sparse_golden(name: &str) -> SparseGolden {
    SparseGolden::load_all().into_iter().find(|golden| golden.name == name).unwrap()
}

#[test]
fn sparse_lines_hold_what_python_answers() {
    let place = Place::new();
    let texts = tiny_texts();
    write_texts(&place, &texts);
    for name in ["splade-bert", "inference-free", "autoencoder", "bare"] {
        let golden = sparse_golden(name);
        for case in &golden.cases {
            let folder = model("sparse", name);
            let mut args = vec!["encode", "-m", &folder, "--sparse", "-i", "texts.jsonl", "--column", "text"];
            args.extend(task_flag(case.task));
            let most = case.max_active_dims.map(|most| most.to_string());
            if let Some(most) = &most {
                args.extend(["--max-active-dims", most]);
            }
            let mut got = Array2::zeros(case.vectors.dim());
            let out = place.ok(&args);
            assert_eq!(out.lines().count(), texts.len());
            for (row, line) in out.lines().map(parsed).enumerate() {
                let indices = line["indices"].as_array().unwrap();
                assert!(indices.is_sorted_by_key(Value::as_u64), "{name}: {line}");
                for (index, value) in indices.iter().zip(floats(&line["values"])) {
                    got[(row, usize::try_from(index.as_u64().unwrap()).unwrap())] = value;
                }
            }
            assert_rows_close(got.view(), case.vectors.view(), Tolerance::MODEL);
        }
    }
}

#[test]
fn tokens_come_with_their_weights_the_largest_first() {
    let place = Place::new();
    let golden = sparse_golden("splade-bert");
    let folder = model("sparse", "splade-bert");
    let text = &tiny_texts()[0];
    let args = ["encode", "-m", &folder, "--sparse", "--with-tokens", "--top-k", "4", "--", text];
    let line = place.ok(&args);
    let tokens = parsed(&line)["tokens"].as_object().unwrap().clone();
    let best: Vec<_> = golden.cases[0].decoded.iter().take(4).map(|(token, _)| token.clone()).collect();
    assert_eq!(tokens.keys().cloned().collect::<Vec<_>>(), best);
    // The keys of a line are what vector stores ask for, in this order.
    assert!(line.starts_with("{\"indices\":[") && line.contains("],\"values\":["), "{line}");
}

#[test]
fn every_token_that_counts_has_a_vector() {
    let place = Place::new();
    let texts = MultiVectorGolden::texts();
    write_texts(&place, &texts);
    for golden in MultiVectorGolden::load_all() {
        let folder = model("multi-vector", &golden.name);
        for (task, expected) in &golden.cases {
            let mut args = vec!["encode", "-m", &folder, "--multi-vector", "-i", "texts.jsonl", "--header"];
            args.extend(["--id-column", "_id"]);
            args.extend(task_flag(*task));
            let out = place.ok(&args);
            let mut lines = out.lines().map(parsed);
            assert_eq!(lines.next().unwrap()["provenance"]["output_value"], json!("token_embeddings"));
            for (id, (line, want)) in lines.zip(expected).enumerate() {
                let rows = line["token_embeddings"].as_array().unwrap();
                assert_eq!((&line["id"], &line["length"]), (&json!(id.to_string()), &json!(want.nrows())));
                let values: Vec<f32> = rows.iter().flat_map(floats).collect();
                let got = Array2::from_shape_vec((rows.len(), golden.dim), values).unwrap();
                assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
            }
        }
    }
}

/// The hits of the first query, by id.
fn scores(answer: &Value) -> Vec<(usize, f64)> {
    let hits = answer["queries"][0]["hits"].as_array().unwrap().iter();
    hits.map(|hit| (hit["id"].as_str().unwrap().parse().unwrap(), hit["score"].as_f64().unwrap())).collect()
}

#[test]
fn a_search_compares_as_the_kind_of_model_does() {
    let place = Place::new();
    let sparse = sparse_golden("splade-bert");
    let late =
        MultiVectorGolden::load_all().into_iter().find(|golden| golden.name == "skiplist-both").unwrap();
    let cases = [
        ("sparse", &sparse.name, tiny_texts(), sparse.similarities, "dot"),
        ("multi-vector", &late.name, MultiVectorGolden::texts(), late.similarities, "meanmaxsim"),
    ];
    for (kind, name, texts, expected, function) in cases {
        write_texts(&place, &texts);
        let folder = model(kind, name);
        let count = texts.len().to_string();
        let answer = parsed(&place.ok(&[
            "search",
            "-m",
            &folder,
            "--corpus",
            "texts.jsonl",
            "--id-column",
            "_id",
            "--column",
            "text",
            "-k",
            &count,
            "--json",
            "-q",
            &texts[0],
        ]));
        assert_eq!(answer["function"], json!(function));
        let got = scores(&answer);
        assert_eq!(got.len(), texts.len());
        for (id, score) in got {
            let want = f64::from(expected[(0, id)]);
            assert!((score - want).abs() < 1e-3 + 1e-5 * want.abs(), "{name}, {id}: {score} is not {want}");
        }
    }
    let folder = model("multi-vector", "pylate");
    place.fails(
        &["search", "-m", &folder, "--corpus", "texts.jsonl", "--column", "text", "-q", "a", "--function", "dot"],
        "error: `--function` is for models with one dense vector a text, and this is a late-interaction model",
    );
}

#[test]
fn a_model_of_another_kind_is_told_with_advice() {
    let place = Place::new();
    let dense = tiny_model_dir(TINY).display().to_string();
    let sparse = model("sparse", "splade-bert");
    let late = model("multi-vector", "pylate");
    let cross = model("cross-encoders", "modernbert");
    for (folder, flags, found, asked, advice) in [
        (&sparse, &[][..], "SparseEncoder", "SentenceTransformer", "`st encode --sparse`"),
        (&late, &[], "MultiVectorEncoder", "SentenceTransformer", "`st encode --multi-vector`"),
        (&cross, &[], "CrossEncoder", "SentenceTransformer", "`st rerank`"),
        (&dense, &["--sparse"], "SentenceTransformer", "SparseEncoder", "leave `--sparse` out"),
        (&late, &["--sparse"], "MultiVectorEncoder", "SparseEncoder", "`st encode --multi-vector`"),
        (&cross, &["--sparse"], "CrossEncoder", "SparseEncoder", "`st rerank`"),
        (
            &dense,
            &["--multi-vector"],
            "SentenceTransformer",
            "MultiVectorEncoder",
            "leave `--multi-vector` out",
        ),
        (&sparse, &["--multi-vector"], "SparseEncoder", "MultiVectorEncoder", "`st encode --sparse`"),
        (&cross, &["--multi-vector"], "CrossEncoder", "MultiVectorEncoder", "`st rerank`"),
    ] {
        let ran = place.run(&[&["encode", "-m", folder], flags, &["a"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        let told = ran.stderr.contains(&format!("holds a {found}, not a {asked}\nhint: "));
        assert!(told && ran.stderr.contains(advice), "{}", ran.stderr);
    }
    for folder in [&dense, &sparse, &late] {
        let ran = place.run(&["rerank", "-m", folder, "-q", "a", "b"]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("hint: a cross-encoder has a classification head"), "{}", ran.stderr);
    }
}

#[test]
fn a_graph_that_cannot_be_checked_is_not_exported() {
    let place = Place::new();
    for (kind, name, class) in
        [("sparse", "splade-bert", "SparseEncoder"), ("multi-vector", "pylate", "MultiVectorEncoder")]
    {
        place.fails(
            &["export", "-m", &model(kind, name), "-o", "out"],
            &format!(
                "error: the graph of a {class} cannot be exported yet; `st encode` makes and keeps its own"
            ),
        );
    }
    assert!(place.names().is_empty());
}

#[test]
fn inspect_tells_what_each_kind_has() {
    let place = Place::new();
    let inspect =
        |kind: &str, name: &str| parsed(&place.ok(&["inspect", "--json", "-m", &model(kind, name)]));
    let splade = inspect("sparse", "splade-bert-sum");
    assert_eq!(splade["kind"], json!("SparseEncoder"));
    assert_eq!(splade["sparse"]["pooling_strategy"], json!("sum"));
    assert!(splade["graph"]["operators"].is_array(), "{splade}");
    let free = inspect("sparse", "inference-free");
    assert_eq!(free["routes"]["query"], json!("SparseStaticEmbedding"));
    assert_eq!(free["sparse"]["pooling_strategy"], json!("max"));
    let codes = inspect("sparse", "autoencoder");
    assert_eq!(codes["sparse"]["autoencoder"]["hidden"], codes["dim"]);
    assert!(codes["sparse"]["max_active_dims"].is_u64(), "{codes}");
    let late = inspect("multi-vector", "pylate");
    assert_eq!(late["kind"], json!("MultiVectorEncoder"));
    let section = &late["late_interaction"];
    assert_eq!((&section["interaction"], &section["document_length"]), (&json!("maxsim"), &json!(25)));
    assert_eq!(section["query_expansion"]["length"], json!(13));
    assert_eq!((&section["skip_list"], &section["written_by"]), (&json!(32), &json!("PyLate")));
    assert!(late.get("similarity").is_none() && late["graph"]["operators"].is_array(), "{late}");
}

#[test]
fn each_kind_is_logged_and_run_from_the_registry() {
    let place = Place::new();
    for (kind, name, flag) in
        [("sparse", "inference-free", "--sparse"), ("multi-vector", "pylate", "--multi-vector")]
    {
        let folder = model(kind, name);
        let logged = place.ok(&["log", "-m", &folder, "--name", name, "--register", name, "--json"]);
        assert_eq!(parsed(&logged)["registered"], json!(format!("models:/{name}/1")));
        let uri = format!("models:/{name}/1");
        let vectors = |model: &str| place.ok(&["encode", "-m", model, flag, "--query", "a man"]);
        assert_eq!(vectors(&uri), vectors(&folder));
        // What it is of, and not where it was taken from.
        let described = parsed(&place.ok(&["inspect", "-m", &uri, "--json"]));
        assert_eq!(described["kind"], parsed(&place.ok(&["inspect", "-m", &folder, "--json"]))["kind"]);
    }
    // The protocol answers what `encode` writes.
    let ran = place.run_with_input(&["predict", "-m", "models:/pylate/1"], "{\"inputs\": [\"a text\"]}");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let encoded = parsed(&place.ok(&["encode", "-m", "models:/pylate/1", "--multi-vector", "a text"]));
    let (rows, answered) = (encoded["token_embeddings"].as_array().unwrap(), parsed(&ran.stdout));
    assert_eq!(answered["predictions"][0].as_array().unwrap().len(), rows.len());
}
