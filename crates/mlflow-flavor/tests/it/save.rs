//! Saving, against the files that Python wrote, and with folders that cannot be saved.

use std::fs;
use std::path::Path;

use mlflow_flavor::{
    Array, ColumnName, CondaEnv, Digests, Error, Frame, InputExample, LoggedAs, MlModel, ModelSignature,
    Requirements, SaveOptions, SignatureOption, load_model, save_model,
};
use serde_json::{Map, Value, json};

use crate::folder::{FILES, files, tiny_encoder};
use crate::golden;
use crate::refusal::{remove, write};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

pub(crate) fn lines(lines: &[&str]) -> Requirements {
    Requirements::Lines(lines.iter().map(|line| (*line).to_owned()).collect())
}

/// The options that the generator gave Python for each of its models.
fn options(name: &str, helpers: &Path) -> SaveOptions {
    let mut options = SaveOptions::default();
    options.source_model_name = Some("tiny-encoder".to_owned());
    let with = |example: InputExample| Some(example);
    let params = |params: Value| with(InputExample::from(vec!["a"]).with_params(params));
    match name {
        "plain" => {}
        "task" => options = options.with_task("llm/v1/embeddings").with_metadata("owner", "search"),
        "task-example" => {
            options = options.with_task("llm/v1/embeddings").with_input_example(json!({"input": ["a"]}));
        }
        "example-text" => options = options.with_input_example("hello world"),
        "example-list" => options = options.with_input_example(vec!["a", "b"]),
        "example-unified" => options = options.with_input_example(json!({"input": ["a"]})),
        "example-records" => options = options.with_input_example(json!([{"text": "a"}, {"text": "b"}])),
        "example-frame" => {
            options = options.with_input_example(Frame::named([("text", texts(&["a", "b"]))]).unwrap());
        }
        "example-frame-unnamed" => {
            let frame = Frame::new(vec![(ColumnName::Index(0), texts(&["a", "b"]))]).unwrap();
            options = options.with_input_example(frame);
        }
        "example-array" => options = options.with_input_example(Array::new(&json!(["a", "b"])).unwrap()),
        "example-params" => {
            options.input_example = params(json!({"batch_size": 16, "normalize_embeddings": true}));
        }
        "example-truncated" => options.input_example = params(json!({"truncate_dim": 4})),
        "example-binary" => {
            let example = InputExample::from(vec!["a", "b"]).with_params(json!({"precision": "ubinary"}));
            options.input_example = Some(example);
        }
        "code-extra" => {
            options.code_paths = vec![helpers.join("helper.py"), helpers.join("pack")];
            options.extra_files = vec![helpers.join("notes.txt")];
        }
        "metadata" => {
            let metadata = json!({
                "no": "no", "n": 12, "f": 1e20, "list": ["012", 1, null, {"a": [true]}], "long": "word ".repeat(40),
                "date": "2026-11-23", "e": "1e3", "unicode": "café"
            });
            options.metadata = Some(object(metadata));
        }
        "no-signature" => options = options.with_signature(SignatureOption::Without),
        "signature" => {
            let inputs = r#"[{"type": "string", "name": "text", "required": true}]"#;
            let outputs = r#"[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 8]}}]"#;
            let params = r#"[{"name": "batch_size", "default": 2, "shape": null, "type": "long"}, {"name": "names", "default": ["x"], "shape": [-1], "type": "string"}]"#;
            let signature = ModelSignature::parse(Some(inputs), Some(outputs), Some(params)).unwrap();
            options = options.with_signature(SignatureOption::Given(signature));
        }
        "inference-config" => {
            options.inference_config = Some(object(json!({"batch_size": 4, "name": "café"})));
        }
        "pip" => options.pip_requirements = Some(lines(&["numpy", "scipy"])),
        "extra-pip" => options.extra_pip_requirements = Some(lines(&["numpy"])),
        "logged" => {
            let python = MlModel::read(&golden::folder().join("models/logged/MLmodel")).unwrap();
            let logged = LoggedAs::new(python.model_id.unwrap(), python.artifact_path.unwrap());
            options.logged = Some(logged.with_run_id(python.run_id.unwrap()));
            options = options.with_metadata("owner", "search").with_metadata("task", "llm/v1/embeddings");
            options = options.with_input_example(vec!["a"]);
        }
        "conda" => {
            let env = json!({"name": "own", "channels": ["defaults"], "dependencies": ["python=3.10", {"pip": ["numpy"]}]});
            options.conda_env = Some(CondaEnv::Value(env));
        }
        other => panic!("the generator has a model `{other}` that this test does not know"),
    }
    options
}

fn helpers(folder: &Path) {
    fs::create_dir_all(folder.join("pack/__pycache__")).unwrap();
    for (name, text) in [
        ("helper.py", "VALUE = 1\n"),
        ("pack/inner.py", "VALUE = 2\n"),
        ("pack/__pycache__/inner.pyc", "x"),
        ("notes.txt", "notes\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// Python saves these without a signature because its encode fails.
const NOT_SAVED_HERE: [&str; 2] = ["example-int8", "example-numbers"];

#[test]
fn every_kind_of_save_writes_the_files_of_python() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    helpers(temporary.path());
    for name in golden::models() {
        if NOT_SAVED_HERE.contains(&name.as_str()) {
            continue;
        }
        let expected = golden::folder().join("models").join(&name);
        let python = MlModel::read(&expected.join("MLmodel")).unwrap();
        let mut options = options(&name, temporary.path());
        let mut start = MlModel::default();
        start.model_uuid.clone_from(&python.model_uuid);
        start.utc_time_created.clone_from(&python.utc_time_created);
        options.mlflow_model = Some(start);

        let path = temporary.path().join("saved").join(&name);
        let mut saved = save_model(&folder, &path, &options).unwrap();
        assert_eq!(load_model(&path).unwrap().mlmodel, saved, "{name}");

        // The weights differ, and so does the size; all the rest is the same text.
        saved.model_size_bytes = python.model_size_bytes;
        assert_eq!(saved.to_yaml(), fs::read_to_string(expected.join("MLmodel")).unwrap(), "{name}");
        for file in [
            "conda.yaml",
            "python_env.yaml",
            "requirements.txt",
            "input_example.json",
            "serving_input_example.json",
            "inference_config",
        ] {
            assert_eq!(fs::read(path.join(file)).ok(), fs::read(expected.join(file)).ok(), "{name}: {file}");
        }
        let mut listed: Vec<String> =
            serde_json::from_slice(&fs::read(expected.join("files.json")).unwrap()).unwrap();
        // What a download adds, and the one file that Python does not write.
        listed.retain(|name| name != "registered_model_meta");
        listed.push("model_digests.json".to_owned());
        listed.sort();
        Digests::read(&path).unwrap().unwrap().verify(&path).unwrap();
        let outside = |names: Vec<String>| {
            names
                .into_iter()
                .filter(|name| !name.starts_with("model.sentence_transformer/"))
                .collect::<Vec<_>>()
        };
        assert_eq!(outside(files(&path)), outside(listed), "{name}");
    }
    let left: Vec<_> = fs::read_dir(temporary.path().join("saved"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn the_size_counts_data_examples_code_and_extra_files_only() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    helpers(temporary.path());
    let mut options = options("code-extra", temporary.path()).with_input_example("a");
    options.inference_config = Some(object(json!({"a": 1})));
    let saved = save_model(&folder, &temporary.path().join("m"), &options).unwrap();
    let data: usize = FILES.iter().map(|(_, text)| text.len()).sum();
    let rest = "VALUE = 1\nVALUE = 2\nnotes\n\"a\"{\n  \"inputs\": \"a\"\n}".len();
    assert_eq!(saved.model_size_bytes, Some((data + rest) as u64));
}

#[test]
fn ids_and_times_are_made_where_none_are_given() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let saved = save_model(&folder, &temporary.path().join("m"), &SaveOptions::default()).unwrap();
    let uuid = saved.model_uuid.unwrap();
    assert!(uuid.len() == 32 && uuid.chars().all(|digit| digit.is_ascii_hexdigit()), "{uuid}");
    assert_eq!(saved.mlflow_version.as_deref(), Some("3.17.2"));
    assert!(saved.utc_time_created.unwrap().starts_with("20"));
    let flavor = saved.flavors.sentence_transformers.unwrap();
    assert_eq!(flavor.source_model_name.as_deref(), folder.to_str());
}

#[test]
fn the_data_folder_is_a_copy() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    fs::create_dir_all(folder.join(".git/objects")).unwrap();
    fs::create_dir_all(folder.join("3_Empty")).unwrap();
    let path = temporary.path().join("m");
    fs::create_dir(&path).unwrap(); // an empty target is as good as none
    save_model(&folder, &path, &SaveOptions::default()).unwrap();
    let data = path.join("model.sentence_transformer");
    assert_eq!(files(&data), files(&folder));
    assert!(data.join("3_Empty").is_dir() && !data.join(".git").exists());
    for (name, text) in FILES {
        assert_eq!(fs::read_to_string(data.join(name)).unwrap(), *text);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_the_model_is_readable_by_others() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    fs::create_dir(temporary.path().join("blobs")).unwrap();
    fs::rename(folder.join("model.safetensors"), temporary.path().join("blobs/4d7a")).unwrap();
    symlink("../blobs/4d7a", folder.join("model.safetensors")).unwrap();
    let path = temporary.path().join("m");
    save_model(&folder, &path, &SaveOptions::default()).unwrap();
    let weights = path.join("model.sentence_transformer/model.safetensors");
    assert!(fs::symlink_metadata(&weights).unwrap().is_file());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o500, 0o500);
    let umask_applied = fs::metadata(temporary.path().join("blobs")).unwrap().permissions().mode();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), umask_applied);
}

#[cfg(unix)]
#[test]
fn sockets_and_loops_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let socket = folder.join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = save_model(&folder, &temporary.path().join("m"), &SaveOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is neither a file nor a folder", socket.display()));
    fs::remove_file(&socket).unwrap();

    std::os::unix::fs::symlink(".", folder.join("loop")).unwrap();
    let error = save_model(&folder, &temporary.path().join("m"), &SaveOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("is nested deeper than 32 folders"), "{error}");
    assert!(!temporary.path().join("m").exists());
}

#[test]
fn targets_that_are_taken_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let path = temporary.path().join("m");
    save_model(&folder, &path, &SaveOptions::default()).unwrap();
    let before = files(&path);
    for taken in [path.clone(), path.join("MLmodel")] {
        let error = save_model(&folder, &taken, &SaveOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("Path '{}' already exists and is not empty", taken.display()));
        assert_eq!(error.code().name(), "RESOURCE_ALREADY_EXISTS");
    }
    assert_eq!(files(&path), before);

    let inside = folder.join("deep/m");
    let error = save_model(&folder, &inside, &SaveOptions::default()).unwrap_err();
    assert!(matches!(error, Error::TargetInsideFolder { .. }), "{error}");
    assert!(!folder.join("deep").exists());
}

#[test]
fn the_width_comes_from_the_folder_or_from_the_option() {
    #[track_caller]
    fn check(change: impl FnOnce(&Path), dim: Option<usize>, expected: Result<i64, &str>) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = tiny_encoder(temporary.path());
        change(&folder);
        let mut options = SaveOptions::default().with_input_example("a");
        options.embedding_dim = dim;
        let saved = save_model(&folder, &temporary.path().join("m"), &options);
        match expected {
            Ok(width) => {
                let outputs = saved.unwrap().signature.unwrap().outputs.unwrap().to_json();
                assert_eq!(
                    outputs,
                    format!(
                        r#"[{{"type": "tensor", "tensor-spec": {{"dtype": "float32", "shape": [-1, {width}]}}}}]"#
                    )
                );
            }
            Err(message) => assert_eq!(saved.unwrap_err().to_string(), message),
        }
    }
    const POOLING: &str = "1_Pooling/config.json";
    check(|_| {}, None, Ok(8));
    check(|_| {}, Some(5), Ok(5));
    check(write(POOLING, r#"{"embedding_dimension": 8, "pooling_mode": ["mean", "max"]}"#), None, Ok(16));
    let legacy = r#"{"word_embedding_dimension": 8, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false, "pooling_mode_lasttoken": true}"#;
    check(write(POOLING, legacy), None, Ok(24));
    check(write(POOLING, r#"{"word_embedding_dimension": 8}"#), None, Ok(8));
    check(remove("modules.json"), None, Ok(8));
    let unknown = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "x", "type": "my.Own"}]"#;
    check(
        write("modules.json", unknown),
        None,
        Err(
            "option `embedding_dim` is needed for a signature from an example: the folder does not tell the width of its vectors",
        ),
    );
}

#[test]
fn the_class_of_the_transformer_is_that_of_python() {
    for (config, expected) in [
        (r#"{"architectures": ["BertModel"]}"#, Some("BertModel")),
        (r#"{"architectures": ["BertForMaskedLM"]}"#, Some("BertModel")),
        (r#"{"architectures": ["T5ForConditionalGeneration"]}"#, Some("T5EncoderModel")),
        (r#"{"architectures": ["XLMRobertaForSequenceClassification"]}"#, Some("XLMRobertaModel")),
        ("{}", None),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = tiny_encoder(temporary.path());
        fs::write(folder.join("config.json"), config).unwrap();
        let saved = save_model(&folder, &temporary.path().join("m"), &SaveOptions::default()).unwrap();
        assert_eq!(
            saved.flavors.sentence_transformers.unwrap().pipeline_model_type.as_deref(),
            expected,
            "{config}"
        );
    }
}
