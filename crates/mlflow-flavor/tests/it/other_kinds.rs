//! Sparse encoders and models of late interaction: flavors of ours, and loaders for `mlflow.pyfunc`.

use std::fs;
use std::path::{Path, PathBuf};

use mlflow_flavor::{
    Error, MULTI_VECTOR_ENCODER_FLAVOR, SPARSE_ENCODER_FLAVOR, SaveOptions, load_model, save_model,
};
use serde_json::{Value, json};

use crate::folder::files;

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

#[test]
fn each_kind_travels_with_its_loader() {
    for (name, flavor, data) in [
        ("sparse/splade-bert", SPARSE_ENCODER_FLAVOR, "model.sparse_encoder"),
        ("sparse/inference-free", SPARSE_ENCODER_FLAVOR, "model.sparse_encoder"),
        ("sparse/autoencoder", SPARSE_ENCODER_FLAVOR, "model.sparse_encoder"),
        ("multi-vector/expansion", MULTI_VECTOR_ENCODER_FLAVOR, "model.multi_vector_encoder"),
        ("multi-vector/pylate", MULTI_VECTOR_ENCODER_FLAVOR, "model.multi_vector_encoder"),
    ] {
        println!("{name}"); // shown when an assertion fails
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("saved");
        let saved = save_model(&model(name), &target, &SaveOptions::default()).unwrap();
        let function = saved.flavors.python_function.as_ref().unwrap();
        assert_eq!(function.loader_module.as_deref(), Some(flavor));
        assert_eq!((function.code.as_deref(), function.data.as_deref()), (Some("code"), Some(data)));
        assert!(saved.flavors.sentence_transformers.is_none() && saved.flavors.cross_encoder.is_none());
        assert_eq!(saved.flavors.sparse_encoder.is_some(), flavor == SPARSE_ENCODER_FLAVOR);
        assert_eq!(saved.flavors.multi_vector_encoder.is_some(), flavor == MULTI_VECTOR_ENCODER_FLAVOR);
        assert!(files(&target).contains(&format!("code/{flavor}.py")));
        // One module that needs no other: its own text, then what loaders share.
        let module = fs::read_to_string(target.join(format!("code/{flavor}.py"))).unwrap();
        assert!(module.starts_with("\"\"\"Loads the ") && !module.contains("\n\n\n\n"), "{module}");
        for part in ["def _load_pyfunc(", "def encoding(", "def texts("] {
            assert_eq!(module.matches(part).count(), 1, "{module}");
        }

        let [inputs, outputs, params] = saved.signature.as_ref().unwrap().to_json();
        let parsed = |text: Option<String>| serde_json::from_str::<Value>(&text.unwrap()).unwrap();
        assert_eq!(parsed(inputs), json!([{"type": "string", "required": true}]));
        assert_eq!(parsed(params)[0]["name"], json!("task"));
        assert!(parsed(outputs).is_array());

        let loaded = load_model(&target).unwrap();
        assert_eq!(loaded.mlmodel, saved);
        assert_eq!(loaded.data_path, target.join(data));
        assert_eq!(files(&loaded.data_path), files(&model(name)));
    }
}

#[test]
fn what_is_about_dense_vectors_is_refused() {
    for (name, what) in
        [("sparse/splade-bert", "a sparse encoder"), ("multi-vector/plain", "a late-interaction model")]
    {
        let place = tempfile::tempdir().unwrap();
        let options = SaveOptions::default().with_task("llm/v1/embeddings");
        let error = save_model(&model(name), &place.path().join("saved"), &options).unwrap_err();
        assert!(matches!(error, Error::SaveOption { .. }), "{error:?}");
        let expected = format!("option `task` is for models that answer vectors, and this is {what}");
        assert_eq!(error.to_string(), expected);
    }
}
