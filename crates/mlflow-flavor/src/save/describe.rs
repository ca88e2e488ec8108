//! The file `MLmodel` of a save.

use std::path::Path;

use serde_json::{Value, json};

use super::own_flavor::OwnFlavor;
use super::plan::{CODE_FOLDER, EXTRA_FOLDER, base_name};
use super::{SaveOptions, signature};
use crate::environment::{CONDA, PYTHON_ENV};
use crate::facts::FACTS;
use crate::input_example::ExampleFiles;
use crate::load::{DATA_FOLDER, LOADER_MODULE};
use crate::model_folder::{Facts, Kind};
use crate::{
    Error, ExtraFile, MLFLOW_VERSION, MlModel, ONNX_FLAVOR, PythonFunctionFlavor, SentenceTransformersFlavor,
};

/// The file `MLmodel`, but for the size.
pub(super) fn describe(
    folder: &Path,
    facts: &Facts,
    options: &SaveOptions,
    example: Option<&ExampleFiles>,
) -> Result<MlModel, Error> {
    let mut model = options.mlflow_model.clone().unwrap_or_default();
    if let Some(logged) = &options.logged {
        model.artifact_path = Some(logged.artifact_uri.clone());
        model.model_id = Some(logged.model_id.clone());
        model.model_uuid = Some(logged.model_id.clone());
        model.run_id.clone_from(&logged.run_id);
    }
    model.model_uuid.get_or_insert_with(|| uuid::Uuid::new_v4().simple().to_string());
    model.utc_time_created.get_or_insert_with(now);
    model.mlflow_version.get_or_insert_with(|| MLFLOW_VERSION.to_owned());
    model.saved_input_example_info = example.map(|example| example.info.clone());
    if let Some(signature) = signature::choose(facts, options)? {
        model.signature = Some(signature);
    }
    if options.metadata.is_some() {
        model.metadata.clone_from(&options.metadata);
    }
    if let Some(facts) = &options.facts {
        // What the caller says under this key is the caller's.
        model.metadata.get_or_insert_default().entry(FACTS).or_insert_with(|| facts.to_value());
    }
    if let Some(task) = &options.task {
        model.metadata.get_or_insert_default().insert("task".to_owned(), json!(task));
    }
    let own = OwnFlavor::of(facts);
    let code = (own.is_some() || !options.code_paths.is_empty()).then(|| CODE_FOLDER.to_owned());
    model.flavors.python_function = Some(PythonFunctionFlavor {
        code: code.clone(),
        config: options
            .task
            .as_ref()
            .map(|task| [("task".to_owned(), Value::from(task.as_str()))].into_iter().collect()),
        data: Some(own.map_or(DATA_FOLDER, |own| own.data).to_owned()),
        env: Some(json!({"conda": CONDA, "virtualenv": PYTHON_ENV})),
        loader_module: Some(own.map_or(LOADER_MODULE, |own| own.module).to_owned()),
        python_version: Some(options.environment.python.clone()),
        ..PythonFunctionFlavor::default()
    });
    let name = || options.source_model_name.clone().unwrap_or_else(|| source_model_name(folder));
    let flavor = SentenceTransformersFlavor {
        code,
        extra_files: options.extra_files.iter().map(|file| extra_file(file)).collect::<Result<_, _>>()?,
        pipeline_model_type: facts.transformer_class.clone(),
        sentence_transformers_version: Some(
            facts
                .library_version
                .clone()
                .unwrap_or_else(|| options.environment.sentence_transformers.clone()),
        ),
        source_model_name: facts.has_transformer.then(name),
        ..SentenceTransformersFlavor::default()
    };
    let flavors = &mut model.flavors;
    let place = match facts.kind {
        Kind::SentenceTransformer => &mut flavors.sentence_transformers,
        Kind::CrossEncoder { .. } => &mut flavors.cross_encoder,
        Kind::SparseEncoder => &mut flavors.sparse_encoder,
        Kind::MultiVectorEncoder => &mut flavors.multi_vector_encoder,
    };
    *place = Some(flavor);
    if let Some(graph) = &options.graph {
        flavors.unknown.insert(ONNX_FLAVOR.to_owned(), graph.flavor());
    }
    Ok(model)
}

fn extra_file(source: &Path) -> Result<ExtraFile, Error> {
    let name = base_name(source, EXTRA_FOLDER)?;
    Ok(ExtraFile { path: format!("{EXTRA_FOLDER}/{name}"), ..ExtraFile::default() })
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// The name of the model that a folder holds: the hub's name if the path tells it, else the path.
fn source_model_name(folder: &Path) -> String {
    let path = folder.to_string_lossy();
    // The cache of the hub: `models--USER--NAME/snapshots/REVISION`.
    let mut parts = path.trim_end_matches('/').rsplit('/').skip(1);
    if parts.next() == Some("snapshots")
        && let Some(name) = parts.next().and_then(|part| part.strip_prefix("models--"))
    {
        return name.replacen("--", "/", 1);
    }
    // The cache of sentence-transformers before 2.3: `USER_NAME/`, as MLflow's flavor knows it.
    let old = path
        .strip_suffix('/')
        .and_then(|path| path.rsplit_once('/'))
        .and_then(|(_, last)| last.split_once('_'));
    match old {
        Some((user, name))
            if !user.is_empty()
                && !name.is_empty()
                && user.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '-') =>
        {
            format!("{user}/{name}")
        }
        _ => path.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_from_their_paths() {
        for (path, expected) in [
            ("tiny-encoder", "tiny-encoder"),
            ("/m/sentence-transformers_all-MiniLM-L6-v2/", "sentence-transformers/all-MiniLM-L6-v2"),
            ("/m/custom-user-009_model_name_with_underscore/", "custom-user-009/model_name_with_underscore"),
            ("/m/sentence-transformers_all-MiniLM-L6-v2", "/m/sentence-transformers_all-MiniLM-L6-v2"),
            (
                "/hub/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/c9745ed",
                "sentence-transformers/all-MiniLM-L6-v2",
            ),
        ] {
            assert_eq!(source_model_name(Path::new(path)), expected);
        }
    }

    #[test]
    fn the_time_has_the_form_of_python() {
        let time = now();
        assert_eq!(time.len(), "2026-11-23 21:10:30.157731".len(), "{time}");
        assert!(time.chars().enumerate().all(|(at, ch)| match at {
            4 | 7 => ch == '-',
            10 => ch == ' ',
            13 | 16 => ch == ':',
            19 => ch == '.',
            _ => ch.is_ascii_digit(),
        }));
    }
}
