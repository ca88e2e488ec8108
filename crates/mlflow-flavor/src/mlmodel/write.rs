//! From the types of an `MLmodel` to its tree; which keys appear follows Python's `Model.to_dict`.

use serde_json::{Map, Value, json};

use super::{
    CROSS_ENCODER_FLAVOR, ExampleInfo, Flavors, MULTI_VECTOR_ENCODER_FLAVOR, MlModel, PythonFunctionFlavor,
    SPARSE_ENCODER_FLAVOR, SentenceTransformersFlavor,
};

/// The whole file.
pub(super) fn model(model: &MlModel) -> Value {
    let mut entries = model.unknown.clone();
    entries.insert("flavors".into(), flavors(&model.flavors));
    for (key, value) in [("model_id", &model.model_id), ("model_uuid", &model.model_uuid)] {
        entries.insert(key.into(), json!(value));
    }
    entries.insert("prompts".into(), json!(model.prompts));
    entries.insert("utc_time_created".into(), json!(model.utc_time_created));
    put(&mut entries, "artifact_path", model.artifact_path.as_ref());
    put(&mut entries, "auth_policy", model.auth_policy.as_ref());
    put(&mut entries, "databricks_runtime", model.databricks_runtime.as_ref());
    put(&mut entries, "env_vars", model.env_vars.as_ref());
    put(&mut entries, "metadata", model.metadata.as_ref());
    put(&mut entries, "mlflow_version", model.mlflow_version.as_ref());
    put(&mut entries, "model_size_bytes", model.model_size_bytes);
    put(&mut entries, "resources", model.resources.as_ref());
    put(&mut entries, "run_id", model.run_id.as_ref());
    put(&mut entries, "saved_input_example_info", model.saved_input_example_info.as_ref().map(example_info));
    if let Some(signature) = &model.signature {
        let [inputs, outputs, params] = signature.to_json();
        entries.insert("signature".into(), json!({"inputs": inputs, "outputs": outputs, "params": params}));
        entries.insert("is_signature_from_type_hint".into(), json!(model.is_signature_from_type_hint));
        entries.insert("type_hint_from_example".into(), json!(model.type_hint_from_example));
    }
    Value::Object(entries)
}

fn flavors(flavors: &Flavors) -> Value {
    let mut entries = flavors.unknown.clone();
    put(&mut entries, "python_function", flavors.python_function.as_ref().map(python_function));
    put(
        &mut entries,
        "sentence_transformers",
        flavors.sentence_transformers.as_ref().map(sentence_transformers),
    );
    for (name, flavor) in [
        (CROSS_ENCODER_FLAVOR, &flavors.cross_encoder),
        (SPARSE_ENCODER_FLAVOR, &flavors.sparse_encoder),
        (MULTI_VECTOR_ENCODER_FLAVOR, &flavors.multi_vector_encoder),
    ] {
        put(&mut entries, name, flavor.as_ref().map(sentence_transformers));
    }
    Value::Object(entries)
}

fn python_function(flavor: &PythonFunctionFlavor) -> Value {
    let mut entries = flavor.unknown.clone();
    put(&mut entries, "code", flavor.code.as_ref());
    put(&mut entries, "config", flavor.config.as_ref());
    put(&mut entries, "data", flavor.data.as_ref());
    put(&mut entries, "env", flavor.env.as_ref());
    put(&mut entries, "loader_module", flavor.loader_module.as_ref());
    put(&mut entries, "python_version", flavor.python_version.as_ref());
    Value::Object(entries)
}

fn sentence_transformers(flavor: &SentenceTransformersFlavor) -> Value {
    let mut entries = flavor.unknown.clone();
    entries.insert("code".into(), json!(flavor.code));
    if !flavor.extra_files.is_empty() {
        let files = flavor.extra_files.iter().map(|file| {
            let mut entries = file.unknown.clone();
            entries.insert("path".into(), json!(file.path));
            Value::Object(entries)
        });
        entries.insert("extra_files".into(), files.collect());
    }
    put(&mut entries, "pipeline_model_type", flavor.pipeline_model_type.as_ref());
    put(&mut entries, "sentence_transformers_version", flavor.sentence_transformers_version.as_ref());
    put(&mut entries, "source_model_name", flavor.source_model_name.as_ref());
    Value::Object(entries)
}

fn example_info(info: &ExampleInfo) -> Value {
    let mut entries = info.unknown.clone();
    entries.insert("artifact_path".into(), json!(info.artifact_path));
    entries.insert("type".into(), json!(info.kind));
    put(&mut entries, "pandas_orient", info.pandas_orient.as_ref());
    put(&mut entries, "params", info.params.then_some("true"));
    put(&mut entries, "serving_input_path", info.serving_input_path.as_ref());
    Value::Object(entries)
}

fn put(entries: &mut Map<String, Value>, key: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        entries.insert(key.to_owned(), json!(value));
    }
}
