//! Saves that are refused: their words, and that nothing stays behind.

use std::fs;
use std::path::Path;

use mlflow_flavor::{InputExample, PredictInput, SaveOptions, save_model};
use serde_json::{Value, json};

use crate::folder::{LFS_POINTER, tiny_encoder};
use crate::save::lines;

/// Changes the folder, tries to save, and checks the words and that nothing stays behind.
#[track_caller]
fn refused(change: impl FnOnce(&Path), options: &SaveOptions, message: &str) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    change(&folder);
    let error = save_model(&folder, &temporary.path().join("target/m"), options).unwrap_err();
    assert_eq!(error.to_string().replace(folder.to_str().unwrap(), "F"), message);
    let left = fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["tiny-encoder"]);
}

pub(crate) fn remove(name: &'static str) -> impl FnOnce(&Path) {
    move |folder| fs::remove_file(folder.join(name)).unwrap()
}

pub(crate) fn write(name: &'static str, text: &'static str) -> impl FnOnce(&Path) {
    move |folder| fs::write(folder.join(name), text).unwrap()
}

#[test]
fn folders_that_python_could_not_load_are_refused() {
    let plain = SaveOptions::default();
    refused(
        |folder| {
            fs::remove_file(folder.join("modules.json")).unwrap();
            fs::remove_file(folder.join("config.json")).unwrap();
        },
        &plain,
        "`F` has neither modules.json nor config.json: it is not a sentence-transformers model",
    );
    let weights = "(model.safetensors, pytorch_model.bin or shards of them)";
    refused(
        remove("model.safetensors"),
        &plain,
        &format!("`F` has no weights that Python could load {weights}"),
    );
    refused(
        |folder| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            fs::create_dir(folder.join("onnx")).unwrap();
        },
        &plain,
        &format!(
            "`F` has no weights that Python could load {weights}, only ONNX graphs, which Python's flavor does not load"
        ),
    );
    refused(
        write("model.safetensors", LFS_POINTER),
        &plain,
        "`F/model.safetensors` is a Git LFS pointer, not the file itself: run `git lfs pull` in that folder",
    );
    refused(
        write("tokenizer.json", LFS_POINTER),
        &plain,
        "`F/tokenizer.json` is a Git LFS pointer, not the file itself: run `git lfs pull` in that folder",
    );
    refused(remove("1_Pooling/config.json"), &plain, "`F/1_Pooling` has no config.json");
    refused(remove("config.json"), &plain, "`F` has no config.json");
    refused(write("config.json", "{"), &plain, "`F/config.json` cannot be read as JSON");
    refused(write("modules.json", "{}"), &plain, "`F` has a modules.json that is no list");
    refused(
        write("modules.json", r#"[{"path": ""}]"#),
        &plain,
        "`F/modules.json`: key `0.type` must be text",
    );
    refused(
        |folder| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            let index = r#"{"weight_map": {"a": "model-1.safetensors"}}"#;
            fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
        },
        &plain,
        "`F` has no model-1.safetensors, which model.safetensors.index.json names",
    );
}

#[test]
fn path_tricks_in_modules_json_are_refused() {
    for (path, problem) in [
        ("../x", "leaves the model folder"),
        ("/etc", "is absolute"),
        ("a\\\\b", "holds a backslash or a NUL"),
        ("1_Pooling/../../x", "leaves the model folder"),
    ] {
        let shown = path.replace("\\\\", "\\");
        let text = format!(r#"[{{"path": "{path}", "type": "sentence_transformers.models.Pooling"}}]"#);
        refused(
            |folder| fs::write(folder.join("modules.json"), text).unwrap(),
            &SaveOptions::default(),
            &format!("`F/modules.json`: key `0.path` is the path `{shown}`, which {problem}"),
        );
    }
}

#[test]
fn options_that_contradict_are_refused_in_pythons_words() {
    let nothing = |_: &Path| {};
    refused(
        nothing,
        &SaveOptions::default().with_task("llm/v1/chat"),
        "Received invalid parameter value for `task` argument llm/v1/chat. Task type could only be llm/v1/embeddings",
    );
    refused(
        nothing,
        &SaveOptions::default().with_task("llm/v1/embeddings").with_metadata("task", "other"),
        "Received invalid parameter value for `task` argument llm/v1/embeddings. Task type is inconsistent with the task value from metadata other",
    );
    let mut both = SaveOptions::default();
    both.pip_requirements = Some(lines(&["numpy"]));
    both.extra_pip_requirements = Some(lines(&["numpy"]));
    refused(
        nothing,
        &both,
        "Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be specified",
    );
    let mut pins = SaveOptions::default();
    pins.pip_requirements = Some(lines(&["numpy==1.0", "numpy==2.0"]));
    refused(nothing, &pins, "requirement `numpy==2.0` contradicts `numpy==1.0`");
}

#[test]
fn examples_that_the_model_could_not_be_asked_are_refused() {
    let example = |example: Value| SaveOptions::default().with_input_example(PredictInput::Value(example));
    let nothing = |_: &Path| {};
    refused(
        nothing,
        &example(json!([1, 2])),
        "input example: Encountered an unexpected error while evaluating the model. Verify that the input is compatible with the model for inference: row 0 is of the type int, not a text",
    );
    refused(nothing, &example(json!({"input": []})), "input example: it holds no text");
    refused(
        nothing,
        &example(Value::Null),
        "input example: expected a text, a list, a dictionary, a table or an array, but got null",
    );
    let mut strange = SaveOptions::default();
    strange.input_example = Some(InputExample::from("a").with_params(json!({"normalise": true})));
    refused(
        nothing,
        &strange,
        "input example: Received invalid parameter value for `params` argument: `normalise` is not supported here with the value True",
    );
}
