//! Cross-encoders: MLflow has no flavor for them, so they get one of ours, and a loader for `mlflow.pyfunc`.

use std::fs;
use std::path::{Path, PathBuf};

use mlflow_flavor::{
    CROSS_ENCODER_FLAVOR, Error, ModelSignature, SaveOptions, SignatureOption, load_model, save_model,
};
use serde_json::json;

use crate::folder::{files, tiny_encoder};

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cross-encoders").join(name)
}

#[test]
fn a_cross_encoder_travels_with_its_loader() {
    for (name, class, shape) in [
        ("bert", "BertForSequenceClassification", json!([-1])),
        ("bert-saved", "BertForSequenceClassification", json!([-1])),
        ("modernbert-mean", "ModernBertForSequenceClassification", json!([-1, 3])),
        ("distilbert-labels", "DistilBertForSequenceClassification", json!([-1, 2])),
    ] {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("saved");
        let saved = save_model(&model(name), &target, &SaveOptions::default()).unwrap();
        let function = saved.flavors.python_function.as_ref().unwrap();
        assert_eq!(function.loader_module.as_deref(), Some("sentence_transformers_cross_encoder"));
        assert_eq!(
            (function.code.as_deref(), function.data.as_deref()),
            (Some("code"), Some("model.cross_encoder"))
        );
        assert!(saved.flavors.sentence_transformers.is_none());
        let flavor = saved.flavors.cross_encoder.as_ref().unwrap();
        assert_eq!(flavor.pipeline_model_type.as_deref(), Some(class));
        let [inputs, outputs, _] = saved.signature.as_ref().unwrap().to_json();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&inputs.unwrap()).unwrap(),
            json!([
                {"type": "string", "name": "text", "required": true},
                {"type": "string", "name": "text_pair", "required": true},
            ])
        );
        let outputs: serde_json::Value = serde_json::from_str(&outputs.unwrap()).unwrap();
        assert_eq!(outputs[0]["tensor-spec"], json!({"dtype": "float32", "shape": shape}));

        let names = files(&target);
        assert!(names.contains(&"code/sentence_transformers_cross_encoder.py".to_owned()), "{names:?}");
        let loaded = load_model(&target).unwrap();
        assert_eq!(loaded.mlmodel, saved);
        assert_eq!(loaded.data_path, target.join("model.cross_encoder"));
        assert_eq!(files(&loaded.data_path), files(&model(name)));
    }
}

#[test]
fn its_own_code_stands_beside_the_loader() {
    let place = tempfile::tempdir().unwrap();
    let helper = place.path().join("helper.py");
    fs::write(&helper, "").unwrap();
    let mut options = SaveOptions::default();
    options.code_paths = vec![helper];
    let target = place.path().join("saved");
    save_model(&model("bert"), &target, &options).unwrap();
    let code = files(&target.join("code"));
    assert_eq!(code, ["helper.py", "sentence_transformers_cross_encoder.py"]);

    let taken = place.path().join("sentence_transformers_cross_encoder.py");
    fs::write(&taken, "").unwrap();
    options.code_paths = vec![taken];
    check_refusal(
        &model("bert"),
        &options,
        "option `code_paths` has a file `sentence_transformers_cross_encoder.py`, which is the name of what loads a \
         cross-encoder",
    );
}

#[track_caller]
fn check_refusal(folder: &Path, options: &SaveOptions, expected: &str) {
    let place = tempfile::tempdir().unwrap();
    let error = save_model(folder, &place.path().join("saved"), options).unwrap_err();
    assert!(matches!(error, Error::SaveOption { .. }), "{error:?}");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_is_about_vectors_is_refused() {
    check_refusal(
        &model("bert"),
        &SaveOptions::default().with_task("llm/v1/embeddings"),
        "option `task` is for models that answer vectors, and this is a cross-encoder",
    );
}

#[test]
fn a_signature_may_be_given_or_left_out() {
    let place = tempfile::tempdir().unwrap();
    let given = ModelSignature::default_for_encoders();
    for (name, option, expected) in [
        ("without", SignatureOption::Without, None),
        ("given", SignatureOption::Given(given.clone()), Some(given)),
    ] {
        let options = SaveOptions::default().with_signature(option);
        let saved = save_model(&model("bert"), &place.path().join(name), &options).unwrap();
        assert_eq!(saved.signature, expected);
    }
}

#[test]
fn an_encoder_has_neither_flavor_nor_loader() {
    let place = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(place.path());
    let target = place.path().join("saved");
    let saved = save_model(&folder, &target, &SaveOptions::default()).unwrap();
    assert!(saved.flavors.cross_encoder.is_none());
    assert!(!saved.to_yaml().contains(CROSS_ENCODER_FLAVOR) && !target.join("code").exists());
}
