//! Opening MLflow model folders, those of Python and hostile ones.

use std::fs;
use std::path::Path;

use mlflow_flavor::{
    DigestPolicy, ErrorCode, LoadOptions, SaveOptions, load_model, load_model_with, save_model,
};

use crate::folder::tiny_encoder;
use crate::golden;

/// A copy of a model that Python saved, with an empty data folder.
fn copy_of(model: &str, target: &Path) {
    let source = golden::folder().join("models").join(model);
    fs::create_dir_all(target.join("model.sentence_transformer")).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, target.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn every_model_of_python_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    for name in golden::models() {
        let path = folder.path().join(&name);
        copy_of(&name, &path);
        let model = load_model(&path).unwrap();
        assert_eq!(model.data_path, path.join("model.sentence_transformer"), "{name}");
        assert_eq!(model.code_path.is_some(), name == "code-extra", "{name}");
        assert_eq!(model.mlmodel.task().is_some(), name.starts_with("task"), "{name}");
    }
}

#[track_caller]
fn refused(mlmodel: &str, code: ErrorCode, message: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("model.sentence_transformer")).unwrap();
    fs::write(folder.path().join("MLmodel"), mlmodel).unwrap();
    let error = load_model(folder.path()).unwrap_err();
    let found = error.to_string().replace(folder.path().to_str().unwrap(), "M");
    assert_eq!((error.code(), found.as_str()), (code, message));
}

#[test]
fn models_of_other_flavors_are_refused_by_name() {
    refused(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: model.pkl\n",
        ErrorCode::ResourceDoesNotExist,
        "`M` has the flavors `python_function`, `sklearn` (loaded by `mlflow.sklearn`), not `sentence_transformers`",
    );
    refused(
        "flavors: {}\n",
        ErrorCode::ResourceDoesNotExist,
        "`M` has the flavors (none), not `sentence_transformers`",
    );
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for (path, problem) in [
        ("../secret", "leaves the model folder"),
        ("/etc", "is absolute"),
        ("a/../..", "leaves the model folder"),
        ("C:/x", "is absolute"),
        ("a\\b", "holds a backslash or a NUL"),
    ] {
        refused(
            &format!("flavors:\n  python_function:\n    data: {path}\n  sentence_transformers: {{}}\n"),
            ErrorCode::InvalidParameterValue,
            &format!("`M/MLmodel`: key `flavors.python_function.data` is the path `{path}`, which {problem}"),
        );
    }
    refused(
        "flavors:\n  sentence_transformers:\n    code: ../../code\n",
        ErrorCode::InvalidParameterValue,
        "`M/MLmodel`: key `flavors.sentence_transformers.code` is the path `../../code`, which leaves the model folder",
    );
}

#[test]
fn a_missing_data_folder_is_named() {
    refused(
        "flavors:\n  python_function:\n    data: other\n  sentence_transformers: {}\n",
        ErrorCode::InvalidParameterValue,
        "`M` has no folder other, which its MLmodel names",
    );
    let error = load_model("nowhere".as_ref()).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (ErrorCode::ResourceDoesNotExist, "cannot read `nowhere/MLmodel`")
    );
}

#[test]
fn digests_are_compared_if_there_are_any_and_can_be_required() {
    let folder = tempfile::tempdir().unwrap();
    let of_python = folder.path().join("python");
    copy_of("plain", &of_python);
    let own = folder.path().join("own");
    save_model(&tiny_encoder(folder.path()), &own, &SaveOptions::default()).unwrap();
    let load = |path: &Path, digests| {
        let loaded = load_model_with(path, &LoadOptions::default().with_digests(digests));
        loaded.map(drop).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "M"))
    };
    let missing = "`M` has no model_digests.json, so nothing says what its files should be; models that Python saved have none";
    assert_eq!(load(&of_python, DigestPolicy::IfPresent), Ok(()));
    assert_eq!(load(&of_python, DigestPolicy::Require), Err(missing.to_owned()));
    assert_eq!(load(&own, DigestPolicy::Require), Ok(()));

    fs::write(own.join("model.sentence_transformer/config.json"), "{}").unwrap();
    let message = "`M`: the file model.sentence_transformer/config.json has 2 bytes instead of 72";
    assert_eq!(load(&own, DigestPolicy::Ignore), Ok(()));
    assert_eq!(load(&own, DigestPolicy::IfPresent), Err(message.to_owned()));
    assert_eq!(load(&own, DigestPolicy::Require), Err(message.to_owned()));
}
