//! The flavor `onnx`: a graph beside the files of a model.

use std::fs;
use std::path::{Path, PathBuf};

use mlflow_flavor::{
    Digests, Error, FileSource, MlModel, ONNX_FLAVOR, OnnxGraph, SaveOptions, SavePlan, load_model,
    save_model,
};
use serde_json::json;

use crate::folder::{files, tiny_encoder};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A graph in two files, which nothing here reads as a graph.
fn graph(parent: &Path) -> OnnxGraph {
    let folder = parent.join("graph");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("made.onnx"), "nodes").unwrap();
    fs::write(folder.join("model.onnx_data"), "weights").unwrap();
    let graph = OnnxGraph::new(folder.join("made.onnx")).with_data(folder.join("model.onnx_data"));
    graph.with_onnx_version("1.15.0")
}

/// As PyYAML writes what `mlflow.onnx.save_model` notes; a test of `st` compares both.
const FLAVOR: &str = "  onnx:
    code: null
    data: model.onnx
    onnx_session_options: null
    onnx_version: 1.15.0
    providers:
    - CUDAExecutionProvider
    - CPUExecutionProvider
";

#[test]
fn a_graph_lies_at_the_root_and_has_a_flavor() {
    for (name, flavor) in [
        ("cross-encoders/bert", "sentence_transformers_cross_encoder"),
        ("sparse/splade-bert", "sentence_transformers_sparse_encoder"),
        ("multi-vector/plain", "sentence_transformers_multi_vector_encoder"),
        ("models/mean", "sentence_transformers"),
    ] {
        println!("{name}"); // shown when an assertion fails
        let place = tempfile::tempdir().unwrap();
        let (plain, target) = (place.path().join("plain"), place.path().join("saved"));
        let without = save_model(&fixture(name), &plain, &SaveOptions::default()).unwrap();
        let options = SaveOptions::default().with_graph(graph(place.path()));
        let saved = save_model(&fixture(name), &target, &options).unwrap();

        let text = fs::read_to_string(target.join("MLmodel")).unwrap();
        assert!(text.starts_with(&format!("flavors:\n{FLAVOR}  python_function:\n")), "{text}");
        assert_eq!(saved.flavors.names(), ["python_function", flavor, ONNX_FLAVOR]);
        assert_eq!(saved.flavors.python_function, without.flavors.python_function);
        assert_eq!(saved.model_size_bytes, without.model_size_bytes.map(|bytes| bytes + 12));

        let mut expected = files(&plain);
        expected.extend(["model.onnx".to_owned(), "model.onnx_data".to_owned()]);
        expected.sort();
        assert_eq!(files(&target), expected);
        assert_eq!(fs::read_to_string(target.join("model.onnx")).unwrap(), "nodes");
        let digests = Digests::read(&target).unwrap().unwrap();
        assert_eq!(digests.get("model.onnx").unwrap().bytes, 5);
        // What `printf weights | sha256sum` prints.
        assert_eq!(
            digests.get("model.onnx_data").unwrap().sha256.to_string(),
            "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
        );
        for name in ["requirements.txt", "conda.yaml"] {
            assert_eq!(fs::read(target.join(name)).unwrap(), fs::read(plain.join(name)).unwrap(), "{name}");
        }

        let loaded = load_model(&target).unwrap();
        assert_eq!(loaded.mlmodel, saved);
        assert_eq!(files(&loaded.data_path), files(&fixture(name)));
    }
}

#[test]
fn its_files_are_planned_from_where_they_lie() {
    let place = tempfile::tempdir().unwrap();
    let options = SaveOptions::default().with_graph(graph(place.path()));
    let plan = SavePlan::new(&tiny_encoder(place.path()), &options).unwrap();
    let planned = |name: &str| plan.files().iter().find(|file| file.path == name).unwrap();
    let place = place.path().join("graph");
    assert_eq!(planned("model.onnx").source, FileSource::File(place.join("made.onnx")));
    assert_eq!(planned("model.onnx_data").source, FileSource::File(place.join("model.onnx_data")));
}

#[track_caller]
fn refused(change: impl FnOnce(&Path, &mut SaveOptions), expected: &str) {
    let place = tempfile::tempdir().unwrap();
    let mut options = SaveOptions::default().with_graph(graph(place.path()));
    change(place.path(), &mut options);
    let error = SavePlan::new(&tiny_encoder(place.path()), &options).unwrap_err();
    assert_eq!(error.to_string().replace(place.path().to_str().unwrap(), "P"), expected);
}

/// Weights under another name than their own.
fn with_weights(name: &'static str) -> impl FnOnce(&Path, &mut SaveOptions) {
    move |place, options| {
        let path = place.join(name);
        fs::write(&path, "").unwrap();
        options.graph.as_mut().unwrap().data.push(path);
    }
}

#[test]
fn a_graph_takes_the_place_of_no_other_file() {
    for name in
        ["MLmodel", "model_digests.json", "model.sentence_transformer", "model.onnx", "model.onnx_data"]
    {
        let expected = format!("option `graph` has a file `{name}`, and so has the rest of the model");
        refused(with_weights(name), &expected);
    }
    let code = |place: &Path, options: &mut SaveOptions| {
        options.code_paths = vec![place.join("graph")];
        with_weights("code")(place, options);
    };
    refused(code, "option `graph` has a file `code`, and so has the rest of the model");
}

#[test]
fn a_graph_that_is_not_there_is_named() {
    let lost =
        |place: &Path, _: &mut SaveOptions| fs::remove_file(place.join("graph/model.onnx_data")).unwrap();
    refused(lost, "cannot read `P/graph/model.onnx_data`");
    let folder = |place: &Path, options: &mut SaveOptions| {
        options.graph = Some(OnnxGraph::new(place.join("graph")));
    };
    refused(folder, "option `graph` names `P/graph`, which is no file");
}

#[test]
fn a_model_is_loaded_whatever_its_graph_says() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("m");
    save_model(&tiny_encoder(place.path()), &path, &SaveOptions::default()).unwrap();
    fs::remove_file(path.join("model_digests.json")).unwrap();
    let mut mlmodel = MlModel::read(&path.join("MLmodel")).unwrap();
    for flavor in
        [json!({"data": ["a"], "providers": "CPU"}), json!("nothing"), json!({"data": "../model.onnx"})]
    {
        mlmodel.flavors.unknown.insert(ONNX_FLAVOR.to_owned(), flavor);
        fs::write(path.join("MLmodel"), mlmodel.to_yaml()).unwrap();
        assert_eq!(load_model(&path).unwrap().mlmodel, mlmodel);
    }
    // A graph alone is no model with texts.
    mlmodel.flavors.sentence_transformers = None;
    mlmodel.flavors.python_function.as_mut().unwrap().loader_module = Some("mlflow.onnx".to_owned());
    fs::write(path.join("MLmodel"), mlmodel.to_yaml()).unwrap();
    let error = load_model(&path).unwrap_err();
    assert!(matches!(error, Error::OtherFlavor { .. }), "{error:?}");
    assert!(error.to_string().contains("`python_function`, `onnx` (loaded by `mlflow.onnx`)"), "{error}");
}
