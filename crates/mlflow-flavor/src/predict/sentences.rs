//! From an input to the texts that are encoded, by the rules of Python's model wrapper.

use serde_json::Value;

use crate::python_repr::type_name;
use crate::signature::{Enforced, enforce};
use crate::{Array, ColumnName, Error, Frame, PredictInput, Schema, Warning};

/// The name of the column that the task `llm/v1/embeddings` answers with an envelope.
const TASK_COLUMN: &str = "input";

/// The texts of an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sentences {
    /// The texts, in order.
    pub(crate) texts: Vec<String>,
    /// One text that was not in a list: its answer is a vector, not a matrix.
    pub(crate) single: bool,
    /// They came in a table, in the column `input`.
    pub(crate) in_task_column: bool,
}

impl Sentences {
    pub(super) fn borrowed(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }
}

/// Enforces the schema, if there is one, and takes the texts out.
pub(crate) fn sentences(
    input: &PredictInput,
    schema: Option<&Schema>,
) -> Result<(Sentences, Vec<Warning>), Error> {
    let Some(schema) = schema else { return Ok((without_schema(input)?, Vec::new())) };
    let (enforced, warnings) = enforce(input, schema)?;
    let sentences = match enforced {
        Enforced::Frame(frame) => from_frame(&frame)?,
        Enforced::Array(array) => from_array(&array)?,
    };
    Ok((sentences, warnings))
}

fn without_schema(input: &PredictInput) -> Result<Sentences, Error> {
    match input {
        PredictInput::Frame(frame) => from_frame(frame),
        PredictInput::Array(array) => from_array(array),
        PredictInput::Value(Value::String(text)) => {
            Ok(Sentences { texts: vec![text.clone()], single: true, in_task_column: false })
        }
        PredictInput::Value(Value::Array(items)) => {
            Ok(Sentences { texts: texts(items)?, ..Sentences::default() })
        }
        PredictInput::Value(other) => {
            Err(Error::NotText { problem: format!("the input is of the type {}", type_name(other)) })
        }
    }
}

fn from_array(array: &Array) -> Result<Sentences, Error> {
    let is_list = array.shape().len() == 1;
    if is_list && (array.dtype() == "str" || array.values().is_empty()) {
        return Ok(Sentences { texts: texts(array.values())?, ..Sentences::default() });
    }
    let (dtype, axes) = (array.dtype(), array.shape().len());
    Err(Error::NotText { problem: format!("the input is an array of {dtype} with {axes} axes") })
}

fn from_frame(frame: &Frame) -> Result<Sentences, Error> {
    let (name, values) = match frame.columns() {
        [] => return Err(Error::NotText { problem: "the table has no columns".to_owned() }),
        [column] => column,
        [first, second, ..] => {
            return Err(Error::Dropped {
                part: format!("column `{}` (and all others but `{}`)", second.0, first.0),
                remedy: "send one column",
            });
        }
    };
    let texts = match values.as_slice() {
        [Value::Array(items)] => texts(items)?,
        [Value::Array(_), _, ..] => {
            return Err(Error::Dropped {
                part: format!("everything after row 0 of column `{name}`, which holds a list,"),
                remedy: "send one row with all texts in its list, or one text a row",
            });
        }
        values => texts(values)?,
    };
    let in_task_column = *name == ColumnName::Text(TASK_COLUMN.to_owned());
    Ok(Sentences { texts, single: false, in_task_column })
}

/// The texts of a list.
pub(super) fn texts(values: &[Value]) -> Result<Vec<String>, Error> {
    let text = |(row, value): (usize, &Value)| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err(Error::NotText { problem: format!("row {row} is missing") }),
        other => Err(Error::NotText {
            problem: format!("row {row} is of the type {}, not a text", type_name(other)),
        }),
    };
    values.iter().enumerate().map(text).collect()
}
