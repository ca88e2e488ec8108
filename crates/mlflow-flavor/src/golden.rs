//! What Python's MLflow 3.17.2 wrote and answered, against our own functions; see `fixtures/generate/mlflow_flavor.py`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::environment::{Arguments, EnvironmentFiles};
use crate::python_json::{dumps, dumps_indented, float_text};
use crate::signature::{enforce_params, infer_params};
use crate::{
    Array, CondaEnv, Environment, FileSource, Frame, InputExample, ModelSignature, PlannedFile, PredictInput,
    Requirements, Schema, yaml,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/mlflow")
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// An input as the generator tags it: what JSON cannot tell apart is named.
fn input(tagged: &Value) -> PredictInput {
    let (kind, value) = tagged.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "value" | "series" => PredictInput::Value(value.clone()),
        "array" => PredictInput::Array(Array::new(value).unwrap()),
        _ => {
            let data = value["data"].as_array().unwrap();
            let names = value.get("columns").and_then(Value::as_array);
            let column = |index: usize| {
                let name = names.map_or(crate::ColumnName::Index(index), |names| {
                    crate::ColumnName::Text(names[index].as_str().unwrap().to_owned())
                });
                (name, data.iter().map(|row| row[index].clone()).collect())
            };
            let width = names.map_or_else(|| data[0].as_array().unwrap().len(), Vec::len);
            PredictInput::Frame(Frame::new((0..width).map(column).collect()).unwrap())
        }
    }
}

#[test]
fn yaml_is_written_byte_for_byte_as_pyyaml_writes_it() {
    for row in rows(&golden("yaml.json")) {
        let text = yaml::dump(&row["value"]);
        assert_eq!(text, row["yaml"].as_str().unwrap(), "{}", row["value"]);
    }
}

#[test]
fn yaml_of_pyyaml_is_read_to_equal_values() {
    for row in rows(&golden("yaml.json")) {
        let value = yaml::read(row["yaml"].as_str().unwrap()).unwrap();
        assert_eq!(value, row["value"], "{}", row["yaml"]);
    }
}

#[test]
fn json_is_written_as_python_writes_it() {
    for row in rows(&golden("json_dumps.json")) {
        assert_eq!(dumps(&row["value"]), row["compact"].as_str().unwrap());
        assert_eq!(dumps_indented(&row["value"]), row["indented"].as_str().unwrap());
    }
}

#[test]
fn floats_are_printed_as_doubles_of_their_value() {
    for row in rows(&golden("floats.json")) {
        let bits = u32::try_from(row["bits"].as_u64().unwrap()).unwrap();
        assert_eq!(float_text(f64::from(f32::from_bits(bits))), row["text"].as_str().unwrap());
    }
}

#[test]
fn schemas_are_read_written_and_shown_as_in_python() {
    for row in rows(&golden("signatures.json")["schemas"]) {
        let parsed = Schema::parse(row["text"].as_str().unwrap());
        match row.get("json") {
            None => assert!(parsed.is_err(), "{row}"),
            Some(json) => {
                let schema = parsed.unwrap_or_else(|error| panic!("{row}: {error}"));
                assert_eq!(schema.to_json(), json.as_str().unwrap());
                assert_eq!(schema.to_string(), row["repr"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn schemas_are_inferred_as_in_python() {
    for row in rows(&golden("signatures.json")["infer"]) {
        let inferred = Schema::infer(&input(&row["input"]));
        match row.get("schema") {
            None => assert!(inferred.is_err(), "{row}: {inferred:?}"),
            Some(schema) => assert_eq!(inferred.unwrap().to_json(), schema.as_str().unwrap(), "{row}"),
        }
    }
}

#[test]
fn parameters_are_inferred_as_in_python() {
    for row in rows(&golden("signatures.json")["params"]) {
        let inferred = infer_params(row["given"].as_object().unwrap());
        match row.get("schema") {
            None => assert!(inferred.is_err(), "{row}: {inferred:?}"),
            Some(schema) => {
                let signature =
                    ModelSignature { params: Some(inferred.unwrap()), ..ModelSignature::default() };
                assert_eq!(signature.to_json()[2].as_deref(), schema.as_str(), "{row}");
            }
        }
    }
}

/// The part of a message before anything that depends on the order of a Python set.
fn start(message: &str) -> &str {
    let end = message
        .find("Supported params are")
        .or_else(|| message.find("properties: {"))
        .unwrap_or(message.len());
    &message[..end]
}

#[test]
fn parameters_are_enforced_as_in_python() {
    let golden = golden("params.json");
    for row in rows(&golden["rows"]) {
        let schema = golden["schemas"][row["schema"].as_str().unwrap()].as_str();
        let signature = ModelSignature::parse(None, None, schema).unwrap();
        let outcome = enforce_params(row["given"].as_object(), signature.params.as_deref());
        let expected = &row["enforced"];
        match outcome {
            Ok((params, warnings)) => {
                assert_eq!(params, expected["params"].as_object().cloned().unwrap_or_default(), "{row}");
                let found: Vec<&str> = warnings.iter().map(|warning| start(&warning.message)).collect();
                let wanted: Vec<&str> =
                    rows(&expected["warnings"]).map(|text| start(text.as_str().unwrap())).collect();
                assert_eq!(found, wanted, "{row}");
            }
            Err(error) => {
                assert_eq!(error.code().name(), expected["error"]["code"], "{row}");
                let wanted = expected["error"]["message"].as_str().unwrap();
                assert_eq!(start(&error.to_string()), start(wanted), "{row}");
            }
        }
    }
}

#[test]
fn example_files_have_the_bytes_of_python() {
    for row in rows(&golden("examples.json")) {
        if row["input"].get("series").is_some() {
            continue; // A Series is refused by Python; here it has no form of its own.
        }
        let params = row["params"].as_object().cloned();
        let files = InputExample { input: input(&row["input"]), params }.files();
        let Some(example) = row.get("example").and_then(Value::as_str) else {
            assert!(files.is_err(), "{row}");
            continue;
        };
        let files = files.unwrap();
        if example.contains("NaN") {
            // Python writes a missing cell of a table as `NaN`, which is no JSON; here it is `null`.
            assert!(files.example.contains("null") && files.serving.contains("null"), "{row}");
            continue;
        }
        assert_eq!(files.example, example);
        assert_eq!(files.serving, row["serving"].as_str().unwrap());
        let info = &row["info"];
        assert_eq!(files.info.kind, info["type"]);
        assert_eq!(json!(files.info.pandas_orient), *info.get("pandas_orient").unwrap_or(&Value::Null));
        assert_eq!(files.info.params, info.get("params").is_some(), "{row}");
    }
}

/// Requirements of the table; `{folder}` stands for a folder with the two files of the generator.
fn given(value: &Value, folder: &Path) -> Requirements {
    let fill = |text: &Value| text.as_str().unwrap().replace("{folder}", folder.to_str().unwrap());
    match value {
        Value::String(_) => Requirements::File(fill(value).into()),
        _ => Requirements::Lines(rows(value).map(fill).collect()),
    }
}

#[test]
fn environment_files_are_those_of_python() {
    let folder = tempfile::tempdir().unwrap();
    let listed = "# comment\nnumpy==1.0  # why\n\npandas \\\n>=2\n-c limits.txt\n";
    // The file that the caller names refers to others from the working directory; a nested one from its own.
    fs::write(
        folder.path().join("listed.txt"),
        listed.replace("limits", &format!("{}/limits", folder.path().display())),
    )
    .unwrap();
    fs::write(folder.path().join("limits.txt"), "torch<3\n").unwrap();
    for row in rows(&golden("requirements.json")) {
        let arguments = &row["arguments"];
        let of = |key: &str| arguments.get(key).map(|value| given(value, folder.path()));
        let (pip, extra) = (of("pip_requirements"), of("extra_pip_requirements"));
        let conda = arguments.get("conda_env").map(|env| CondaEnv::Value(env.clone()));
        let arguments = Arguments {
            pip_requirements: pip.as_ref(),
            extra_pip_requirements: extra.as_ref(),
            conda_env: conda.as_ref(),
        };
        let files = EnvironmentFiles::new(arguments, &Environment::default());
        if row.get("error").is_some() {
            assert!(files.is_err(), "{row}");
            continue;
        }
        let files: Vec<PlannedFile> = files.unwrap().into_files().collect();
        let read = |name: &str| match files.iter().find(|file| file.path == name).map(|file| &file.source) {
            Some(FileSource::Bytes(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
            _ => String::new(),
        };
        let joined =
            |key: &str| rows(&row[key]).map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n");
        assert_eq!(read("requirements.txt"), joined("requirements"), "{row}");
        assert_eq!(read("constraints.txt"), joined("constraints"), "{row}");
        assert_eq!(read("conda.yaml"), row["conda"].as_str().unwrap(), "{row}");
    }
}

#[test]
fn two_environment_arguments_are_refused_in_pythons_words() {
    let lines = Requirements::Lines(vec!["numpy".to_owned()]);
    let conda = CondaEnv::Value(Value::Object(Map::new()));
    for arguments in [
        Arguments { pip_requirements: Some(&lines), extra_pip_requirements: Some(&lines), conda_env: None },
        Arguments { pip_requirements: Some(&lines), extra_pip_requirements: None, conda_env: Some(&conda) },
        Arguments { pip_requirements: None, extra_pip_requirements: Some(&lines), conda_env: Some(&conda) },
    ] {
        let error = EnvironmentFiles::new(arguments, &Environment::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be specified"
        );
    }
}
