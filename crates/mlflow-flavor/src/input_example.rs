//! The input example of a model, and its two files.

use serde_json::{Map, Value, json};

use crate::python_json::{dumps, dumps_indented};
use crate::signature::infer_params;
use crate::{Array, ColumnName, Error, ExampleInfo, Frame, PredictInput};

/// An example of the input, with parameters or without: Python's `input_example` and its tuple form.
///
/// ```
/// use mlflow_flavor::InputExample;
/// use serde_json::json;
///
/// let example = InputExample::from(vec!["one", "two"]).with_params(json!({"batch_size": 16}));
/// assert!(example.params.is_some());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InputExample {
    /// The input.
    pub input: PredictInput,
    /// The parameters, if the example has them.
    pub params: Option<Map<String, Value>>,
}

impl<T: Into<PredictInput>> From<T> for InputExample {
    fn from(input: T) -> Self {
        Self { input: input.into(), params: None }
    }
}

impl InputExample {
    /// Adds parameters; anything but a dictionary takes them away.
    #[must_use]
    pub fn with_params(mut self, params: Value) -> Self {
        self.params = match params {
            Value::Object(params) => Some(params),
            _ => None,
        };
        self
    }

    /// The contents of the two files, and what `MLmodel` says of them.
    pub(crate) fn files(&self) -> Result<ExampleFiles, Error> {
        if let Some(params) = &self.params {
            infer_params(params)?;
        }
        let (kind, mut example) = match &self.input {
            PredictInput::Value(Value::Null) => {
                let problem =
                    "expected a text, a list, a dictionary, a table or an array, but got null".to_owned();
                return Err(Error::InputExample { problem });
            }
            PredictInput::Value(value) => ("json_object", value.clone()),
            PredictInput::Array(array) => ("ndarray", array.to_value()),
            PredictInput::Frame(frame) => ("dataframe", split(frame)),
        };
        let orient = if example.get("columns").is_some() { "split" } else { "values" };
        let unified = kind == "json_object" && is_unified(&example);
        let mut serving = match kind {
            "dataframe" => json!({"dataframe_split": example}),
            _ if unified => example.clone(),
            _ => json!({"inputs": example}),
        };
        if let Some(params) = &self.params {
            example = json!({"inputs": example, "params": params});
            if let Some(entries) = serving.as_object_mut() {
                if unified {
                    entries.extend(params.clone());
                } else {
                    entries.insert("params".to_owned(), json!(params));
                }
            }
        }
        let info = ExampleInfo {
            artifact_path: EXAMPLE_FILE.to_owned(),
            pandas_orient: (kind == "dataframe").then(|| orient.to_owned()),
            params: self.params.as_ref().is_some_and(|params| !params.is_empty()),
            serving_input_path: Some(SERVING_FILE.to_owned()),
            kind: kind.to_owned(),
            unknown: Map::new(),
        };
        Ok(ExampleFiles { example: dumps(&example), serving: dumps_indented(&serving), info })
    }
}

pub(crate) const EXAMPLE_FILE: &str = "input_example.json";
pub(crate) const SERVING_FILE: &str = "serving_input_example.json";

/// What [`InputExample::files`] makes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExampleFiles {
    pub(crate) example: String,
    pub(crate) serving: String,
    pub(crate) info: ExampleInfo,
}

/// Whether a request has the unified form, in which the whole object is the input.
pub(crate) fn is_unified(value: &Value) -> bool {
    ["messages", "prompt", "input"].iter().any(|key| value.get(key).is_some())
}

/// pandas' orient `split` without the index; the default names of columns are left out.
fn split(frame: &Frame) -> Value {
    let columns = frame.columns();
    let rows = (0..frame.rows()).map(|row| {
        columns.iter().map(|(_, values)| values.get(row).cloned().unwrap_or_default()).collect::<Value>()
    });
    let rows: Value = rows.collect();
    let numbered = columns.iter().enumerate().all(|(index, (name, _))| *name == ColumnName::Index(index));
    if numbered {
        return json!({"data": rows});
    }
    let names: Value = columns.iter().map(|(name, _)| name.to_value()).collect();
    json!({"columns": names, "data": rows})
}

impl Array {
    /// Nested lists.
    pub(crate) fn to_value(&self) -> Value {
        let mut level = self.values().to_vec();
        for width in self.shape().iter().skip(1).rev() {
            level = level.chunks((*width).max(1)).map(|items| Value::Array(items.to_vec())).collect();
        }
        if self.shape().is_empty() {
            return level.pop().unwrap_or_default();
        }
        Value::Array(level)
    }
}
