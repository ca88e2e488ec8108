//! Reading the goldens.

use std::fs;
use std::path::{Path, PathBuf};

use mlflow_flavor::{Array, ColumnName, Frame, PredictInput};
use serde_json::Value;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/mlflow")
}

pub(crate) fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

/// The models that Python saved: their names.
pub(crate) fn models() -> Vec<String> {
    let entries = fs::read_dir(folder().join("models")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() > 20);
    names
}

/// An input as the generator tags it: what JSON cannot tell apart is named.
pub(crate) fn input(tagged: &Value) -> PredictInput {
    let (kind, value) = tagged.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "array" => PredictInput::Array(Array::new(value).unwrap()),
        "series" => PredictInput::Frame(
            Frame::new(vec![(ColumnName::Index(0), value.as_array().unwrap().clone())]).unwrap(),
        ),
        "frame" => {
            let data = value["data"].as_array().unwrap();
            let names = value.get("columns").and_then(Value::as_array);
            let column = |index: usize| {
                let name = names.map_or(ColumnName::Index(index), |names| {
                    ColumnName::Text(names[index].as_str().unwrap().to_owned())
                });
                (name, data.iter().map(|row| row[index].clone()).collect())
            };
            let width = names.map_or_else(|| data[0].as_array().unwrap().len(), Vec::len);
            PredictInput::Frame(Frame::new((0..width).map(column).collect()).unwrap())
        }
        _ => PredictInput::Value(value.clone()),
    }
}
