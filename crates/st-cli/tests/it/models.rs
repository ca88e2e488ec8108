//! Folders in, folders out.

use std::fs;

use serde_json::Value;

use crate::support::Place;

#[test]
fn a_saved_model_gives_the_same_vectors_and_answers_requests() {
    let place = Place::new();
    let saved = place.ok(&["save", "-m", "TINY", "-o", "saved", "--metadata", "team=search", "--json"]);
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["saved"], "saved");
    assert!(place.read("saved/MLmodel").contains("team: search"));

    let encoded = place.ok(&["encode", "-m", "TINY", "one", "two"]);
    assert_eq!(place.ok(&["encode", "-m", "saved", "one", "two"]), encoded);

    let request = "{\"inputs\": [\"one\", \"two\"]}";
    let answer = place.run_with_input(&["predict", "-m", "saved"], request);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    let predictions = answer["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    for (line, row) in encoded.lines().zip(predictions) {
        let line: Value = serde_json::from_str(line).unwrap();
        let pairs = line["embedding"].as_array().unwrap().iter().zip(row.as_array().unwrap());
        for (left, right) in pairs {
            assert!((left.as_f64().unwrap() - right.as_f64().unwrap()).abs() < 1e-7);
        }
    }
}

#[test]
fn the_task_gives_the_envelope_and_csv_is_read_too() {
    let place = Place::new();
    place.ok(&["save", "-m", "TINY", "-o", "saved", "--task", "llm/v1/embeddings"]);
    let answer = place.run_with_input(&["predict", "-m", "saved"], "{\"input\": [\"one\"]}");
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(answer["object"], "list");

    place.ok(&["save", "-m", "TINY", "-o", "plain"]);
    place.write("request.csv", "text\none\ntwo\n");
    place.ok(&["predict", "-m", "plain", "-i", "request.csv", "-o", "answer.json"]);
    let answer: Value = serde_json::from_str(&place.read("answer.json")).unwrap();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 2);
}

#[test]
fn examples_and_signatures_come_from_files_or_the_line() {
    let place = Place::new();
    place.ok(&["save", "-m", "TINY", "-o", "line", "--input-example", "[\"a text\"]"]);
    let signature = "inputs: '[{\"type\": \"string\", \"required\": true}]'";
    assert!(place.read("line/MLmodel").contains(signature), "{}", place.read("line/MLmodel"));
    assert_eq!(place.read("line/input_example.json"), "[\"a text\"]");

    place.write("signature.json", "{\"inputs\": [{\"type\": \"string\", \"name\": \"body\"}]}");
    place.ok(&["save", "-m", "TINY", "-o", "given", "--signature", "signature.json"]);
    assert!(place.read("given/MLmodel").contains("\"name\": \"body\""), "{}", place.read("given/MLmodel"));

    place.ok(&["save", "-m", "TINY", "-o", "without", "--signature", "none"]);
    let mlmodel = place.read("without/MLmodel");
    assert!(!mlmodel.contains("inputs:"), "{mlmodel}");

    place.fails(
        &["save", "-m", "TINY", "-o", "no", "--input-example", "no.json"],
        "error: cannot read no.json\n  caused by: No such file or directory (os error 2)",
    );
    place.fails(
        &["save", "-m", "TINY", "-o", "no", "--input-example", "a text"],
        "error: cannot understand the value of `--input-example`\n  caused by: expected value at line 1 column 1",
    );
    assert!(!place.path("no").exists());
}

#[test]
fn requirements_code_and_files_go_along() {
    let place = Place::new();
    place.write("notes.txt", "kept");
    place.write("code.py", "print()");
    let args = ["save", "-m", "TINY", "-o", "saved", "--extra-pip-requirements", "numpy<3"];
    place.ok(&[args.as_slice(), &["--code-path", "code.py", "--extra-file", "notes.txt"]].concat());
    assert!(place.read("saved/requirements.txt").contains("numpy<3"));
    assert_eq!(place.read("saved/extra_files/notes.txt"), "kept");
    assert_eq!(place.read("saved/code/code.py"), "print()");
}

#[test]
fn a_save_over_a_folder_with_files_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("full")).unwrap();
    place.write("full/precious", "kept");
    let ran = place.run(&["save", "-m", "TINY", "-o", "full"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Path 'full' already exists and is not empty"), "{}", ran.stderr);
    assert_eq!(place.names(), ["full"]);
    assert_eq!(place.read("full/precious"), "kept");
}

#[test]
fn only_mlflow_models_answer_requests() {
    let place = Place::new();
    let ran = place.run_with_input(&["predict", "-m", "TINY"], "{}");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("is not an MLflow model folder: it has no MLmodel"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: make one with `st save -m FOLDER -o NEW_FOLDER`"), "{}", ran.stderr);
}

#[test]
fn an_export_is_checked_and_can_be_run() {
    let place = Place::new();
    let report: Value =
        serde_json::from_str(&place.ok(&["export", "-m", "TINY", "-o", "onnx", "--json"])).unwrap();
    assert_eq!(report["exported"], "onnx/model.onnx");
    assert!(report["outputs"].to_string().contains("sentence_embedding: float32[batch, 24]"), "{report}");
    let names: Vec<_> =
        fs::read_dir(place.path("onnx")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["model.onnx"]);

    let own = place.ok(&["encode", "-m", "TINY", "one"]);
    assert_eq!(place.ok(&["encode", "-m", "TINY", "--graph", "onnx/model.onnx", "one"]), own);
    place.fails(
        &["export", "-m", "TINY", "-o", "onnx"],
        "error: onnx/model.onnx: output exists\nhint: pass `--force` to replace it",
    );
    place.ok(&["export", "-m", "TINY", "-o", "onnx", "--force"]);
}

#[test]
fn an_inspection_shows_all_parts() {
    let place = Place::new();
    let report: Value = serde_json::from_str(&place.ok(&["inspect", "-m", "TINY", "--json"])).unwrap();
    assert_eq!(report["modules"], "Transformer → Pooling → Normalize");
    assert_eq!(report["pooling"]["modes"], serde_json::json!(["mean"]));
    assert_eq!(report["transformer"]["hidden_size"], 24);
    assert!(report["weights"]["parameters"].as_u64().unwrap() > 10_000, "{report}");
    assert!(report["graph"]["operators"].as_array().is_some_and(|list| !list.is_empty()), "{report}");
    let shown = place.ok(&["inspect", "-m", "TINY"]);
    assert!(shown.lines().any(|line| line.starts_with("  include prompt")), "{shown}");
}

#[test]
fn an_inspection_needs_no_runtime() {
    let place = Place::new();
    let output = place.command(&["inspect", "-m", "TINY"]).env("ORT_DYLIB_PATH", "/no/lib.so").output();
    let ran = crate::support::ran(output.unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("ONNX Runtime was not found; looked for /no/lib.so"), "{}", ran.stdout);
}
