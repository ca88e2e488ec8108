//! The file `MLmodel`.

use std::fs;

use mlflow_flavor::{Error, MlModel};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::golden;

fn text(model: &str) -> String {
    fs::read_to_string(golden::folder().join("models").join(model).join("MLmodel")).unwrap()
}

#[test]
fn every_file_of_python_reads_and_writes_back_to_the_same_bytes() {
    for name in golden::models() {
        let text = text(&name);
        let model = MlModel::parse(&text, "MLmodel").unwrap();
        assert_eq!(model.to_yaml(), text, "{name}");
        assert!(model.unknown.is_empty() && model.flavors.unknown.is_empty(), "{name}");
    }
}

#[test]
fn the_task_is_what_the_loader_reads_not_the_metadata() {
    assert_eq!(MlModel::parse(&text("task"), "MLmodel").unwrap().task(), Some("llm/v1/embeddings"));
    // Python's `log_model(task=…)` writes the metadata only, and such a model has no task.
    let logged = MlModel::parse(&text("logged"), "MLmodel").unwrap();
    assert_eq!(logged.metadata.as_ref().unwrap()["task"], "llm/v1/embeddings");
    assert_eq!(logged.task(), None);
}

#[test]
fn unknown_keys_are_kept_at_every_level() {
    let text = "\
flavors:
  onnx:
    data: model.onnx
  python_function:
    data: model.sentence_transformer
    loader_module: mlflow.sentence_transformers
    streamable: false
  sentence_transformers:
    code: null
    extra_files:
    - note: kept
      path: extra_files/a.txt
    new_key:
    - 1
model_id: null
model_uuid: null
owner:
  'no': '012'
prompts: null
saved_input_example_info:
  artifact_path: input_example.json
  format: tf-serving
  type: ndarray
utc_time_created: null
";
    let model = MlModel::parse(text, "MLmodel").unwrap();
    assert_eq!(model.unknown["owner"], json!({"no": "012"}));
    assert_eq!(model.flavors.unknown["onnx"], json!({"data": "model.onnx"}));
    assert_eq!(model.to_yaml(), text);
}

#[test]
fn an_old_file_is_read() {
    let text = "\
artifact_path: model
flavors:
  python_function:
    data: model.sentence_transformer
    env: conda.yaml
    loader_module: mlflow.sentence_transformers
    python_version: 3.8.16
  sentence_transformers:
    pipeline_model_type: BertModel
    sentence_transformers_version: 2.2.2
mlflow_version: 2.4.0
model_uuid: 12345678901234567890123456789e12
run_id: 00000000000000000000000000000012
signature:
  inputs: '[{\"type\": \"string\"}]'
  outputs: '[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float64\", \"shape\": [-1]}}]'
utc_time_created: '2023-06-13 19:23:50.424567'
";
    let model = MlModel::parse(text, "MLmodel").unwrap();
    assert_eq!(model.model_uuid.as_deref(), Some("12345678901234567890123456789e12"));
    assert_eq!(model.run_id.as_deref(), Some("00000000000000000000000000000012"));
    assert_eq!(model.flavors.python_function.as_ref().unwrap().env, Some(json!("conda.yaml")));
    assert!(model.signature.is_some());
    assert_eq!(MlModel::parse(&model.to_yaml(), "MLmodel").unwrap(), model);
}

#[track_caller]
fn refused(text: &str, message: &str) {
    assert_eq!(MlModel::parse(text, "m/MLmodel").unwrap_err().to_string(), message);
}

#[test]
fn errors_name_the_file_and_the_key() {
    refused("flavors: [", "`m/MLmodel` cannot be read as YAML");
    refused("", "`m/MLmodel`: key `flavors` is missing: the file is empty");
    refused("- a", "`m/MLmodel`: key `(all)` must be a dictionary, not a list");
    refused("flavors: x", "`m/MLmodel`: key `flavors` must be a dictionary, not text");
    refused(
        "flavors:\n  python_function:\n    data: [x]",
        "`m/MLmodel`: key `flavors.python_function.data` must be text, not a list",
    );
    refused(
        "model_size_bytes: -1",
        "`m/MLmodel`: key `model_size_bytes` must be a number of bytes, not a number",
    );
    refused("metadata: 3", "`m/MLmodel`: key `metadata` must be a dictionary, not a number");
    refused(
        "signature:\n  inputs: '[{\"type\": \"text\"}]'",
        "`m/MLmodel`: key `signature.inputs` is no schema: signature: Unsupported type 'text', expected one of boolean, integer, long, float, double, string, binary, datetime",
    );
    refused(
        "saved_input_example_info:\n  type: x",
        "`m/MLmodel`: key `saved_input_example_info.artifact_path` is missing",
    );
}

#[test]
fn a_file_that_is_not_there_keeps_the_words_of_the_system() {
    let error = MlModel::read("nowhere/MLmodel".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `nowhere/MLmodel`");
    assert!(matches!(error, Error::Io { .. }) && std::error::Error::source(&error).is_some());
}

/// Values as they stand in metadata; floats that are written in few digits.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[-+0-9_.:eExoTZ ]{0,12}".prop_map(Value::from),
        "[ a'\"\\n#:,{}\\[\\]&*!|>%@?-]{0,90}".prop_map(Value::from),
        prop_oneof![
            "yes",
            "NO",
            "off",
            "~",
            "null",
            "012",
            "1_000",
            "1e3",
            "0x1f",
            "1:20",
            "2026-11-23",
            "<<",
            "="
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z0-9:#' ~]{0,8}", inner), 0..5).prop_map(|entries| Value::Object(
                entries.into_iter().filter(|(key, _)| key != "<<").collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back_equal(value in values()) {
        let mut model = MlModel::default();
        model.metadata.get_or_insert_default().insert("value".to_owned(), value);
        let text = model.to_yaml();
        prop_assert_eq!(MlModel::parse(&text, "MLmodel").unwrap(), model, "{}", text);
    }

    #[test]
    fn any_text_is_an_error_or_a_value(text in any::<String>()) {
        let _ = MlModel::parse(&text, "MLmodel");
    }

    #[test]
    fn any_mutation_of_a_real_file_is_an_error_or_a_value(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\\[\\]{}&*!:,\\- \n'\"a0~]{0,4}"), 1..6),
    ) {
        let names = golden::models();
        let mut bytes = text(&names[which.index(names.len())]).into_bytes();
        for (from, to, insert) in edits {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let end = to.clamp(from, (from + 8).min(bytes.len()));
            bytes.splice(from..end, insert.into_bytes());
            prop_assume!(!bytes.is_empty());
        }
        if let Ok(model) = MlModel::parse(&String::from_utf8_lossy(&bytes), "MLmodel") {
            let text = model.to_yaml();
            prop_assert_eq!(MlModel::parse(&text, "MLmodel").unwrap(), model, "{}", text);
        }
    }
}
