//! From an input to the pairs that a cross-encoder scores: columns `text` and `text_pair`.

use serde_json::Value;

use super::sentences::texts;
use crate::signature::{Enforced, enforce};
use crate::{ColumnName, Error, Frame, PredictInput, Schema, Warning};

/// The columns that the loader which travels with the model reads.
const COLUMNS: [&str; 2] = ["text", "text_pair"];

/// First texts, each with its second.
type Pairs = Vec<(String, String)>;

/// Enforces the schema, if there is one, and takes the pairs out.
pub(super) fn pairs(input: &PredictInput, schema: Option<&Schema>) -> Result<(Pairs, Vec<Warning>), Error> {
    let Some(schema) = schema else { return Ok((without_schema(input)?, Vec::new())) };
    let (enforced, warnings) = enforce(input, schema)?;
    match enforced {
        Enforced::Frame(frame) => Ok((of_frame(&frame)?, warnings)),
        Enforced::Array(_) => Err(no_pairs("an array")),
    }
}

fn without_schema(input: &PredictInput) -> Result<Pairs, Error> {
    match input {
        PredictInput::Frame(frame) => of_frame(frame),
        PredictInput::Array(_) => Err(no_pairs("an array")),
        PredictInput::Value(Value::Object(columns)) => {
            let column = |name: &str| match columns.get(name) {
                Some(Value::Array(values)) => texts(values),
                _ => Err(no_pairs(&format!("a dictionary without a list `{name}`"))),
            };
            joined(column(COLUMNS[0])?, column(COLUMNS[1])?)
        }
        PredictInput::Value(_) => Err(no_pairs("neither a table nor a dictionary")),
    }
}

fn of_frame(frame: &Frame) -> Result<Pairs, Error> {
    let named = |name: &str| {
        let wanted = ColumnName::Text(name.to_owned());
        let found = frame.columns().iter().find(|(column, _)| *column == wanted);
        let (_, values) = found.ok_or_else(|| no_pairs(&format!("a table without a column `{name}`")))?;
        texts(values)
    };
    joined(named(COLUMNS[0])?, named(COLUMNS[1])?)
}

/// Python would leave out what has no partner.
fn joined(first: Vec<String>, second: Vec<String>) -> Result<Pairs, Error> {
    if first.len() != second.len() {
        let found = format!("{} first texts and {} second ones", first.len(), second.len());
        return Err(no_pairs(&found));
    }
    Ok(first.into_iter().zip(second).collect())
}

fn no_pairs(found: &str) -> Error {
    Error::NotText { problem: format!("the input is {found}; columns `text` and `text_pair` are needed") }
}
