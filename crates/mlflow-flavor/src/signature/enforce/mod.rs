//! Whether an input fits a schema, by the rules of MLflow's `_enforce_schema`.

mod column;
mod frame;
mod params;
mod tensor;

use serde_json::Value;

pub(crate) use column::{Dtype, dtype_of, enforce_value};
pub(crate) use frame::from_list as frame_from_list;
pub(super) use params::check_param;
pub(crate) use params::enforce_params;

use super::types::{ColSpec, Schema, SchemaKind};
use super::write::names_text;
use crate::python_repr::{excerpt, repr};
use crate::{Array, ColumnName, Error, Frame, PredictInput, Warning};

/// An input that fits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Enforced {
    /// A table.
    Frame(Frame),
    /// An array.
    Array(Array),
}

/// Checks `input` against `schema` and puts it into the form that the model gets.
///
/// Columns that a schema without names does not count stay in the table, so that the caller sees them.
///
/// # Errors
///
/// [`Error::Schema`].
pub(crate) fn enforce(input: &PredictInput, schema: &Schema) -> Result<(Enforced, Vec<Warning>), Error> {
    let enforced = match schema.kind() {
        SchemaKind::Tensors(tensors) => {
            tensor::enforce(input, tensors).map(|enforced| (enforced, Vec::new()))
        }
        SchemaKind::Columns(columns) => enforce_columns(input, columns),
    };
    enforced.map_err(|problem| Error::Schema {
        data: excerpt(&data_text(input)),
        schema: schema.to_string(),
        problem,
    })
}

fn data_text(input: &PredictInput) -> String {
    match input {
        PredictInput::Value(Value::String(text)) => text.clone(),
        PredictInput::Value(value) => repr(value),
        PredictInput::Array(array) => repr(&array.values().iter().take(100).cloned().collect()),
        PredictInput::Frame(frame) => names_text(frame.columns().iter().map(|(name, _)| name)),
    }
}

fn enforce_columns(input: &PredictInput, columns: &[ColSpec]) -> Result<(Enforced, Vec<Warning>), String> {
    let frame = frame::from_input(input, columns)?;
    let has_names = columns.iter().any(|column| column.name.is_some());
    let (frame, warnings) =
        if has_names { named(&frame, columns)? } else { (unnamed(&frame, columns)?, Vec::new()) };
    Ok((Enforced::Frame(frame), warnings))
}

fn named(frame: &Frame, columns: &[ColSpec]) -> Result<(Frame, Vec<Warning>), String> {
    let given = |name: &ColumnName| frame.columns().iter().find(|(other, _)| other == name);
    let names = columns.iter().filter_map(|column| Some((column, column.name.as_ref()?)));
    let missing: Vec<&ColumnName> = names
        .clone()
        .filter(|(column, name)| column.required && given(name).is_none())
        .map(|(_, name)| name)
        .collect();
    let in_schema = |name: &ColumnName| columns.iter().any(|column| column.name.as_ref() == Some(name));
    let extra: Vec<&ColumnName> =
        frame.columns().iter().map(|(name, _)| name).filter(|name| !in_schema(name)).collect();
    if !missing.is_empty() {
        let note = match extra.as_slice() {
            [] => String::new(),
            extra => format!(" Note that there were extra inputs: {}.", names_text(extra.iter().copied())),
        };
        return Err(format!("Model is missing inputs {}.{note}", names_text(missing)));
    }
    let mut warnings = Vec::new();
    if !extra.is_empty() {
        warnings.push(Warning {
            message: format!(
                "Found extra inputs in the model input that are not defined in the model signature: `{}`. These inputs will be ignored.",
                names_text(extra)
            ),
        });
    }
    let mut enforced = Vec::new();
    for (column, name) in names {
        if let Some((name, values)) = given(name) {
            enforced.push((name.clone(), column::enforce(name, values, &column.kind, column.required)?));
        }
    }
    Ok((Frame::with_rows(enforced, frame.rows()), warnings))
}

fn unnamed(frame: &Frame, columns: &[ColSpec]) -> Result<Frame, String> {
    let found = frame.columns().len();
    if found < columns.len() {
        return Err(format!(
            "Model inference is missing inputs. The model signature declares {} inputs  but the provided value only has {found} inputs. Note: the inputs were not named in the signature so we can only verify their count.",
            columns.len()
        ));
    }
    let mut enforced = Vec::new();
    for (index, (name, values)) in frame.columns().iter().enumerate() {
        let values = match columns.get(index) {
            Some(column) => column::enforce(name, values, &column.kind, true)?,
            None => values.clone(),
        };
        enforced.push((name.clone(), values));
    }
    Ok(Frame::with_rows(enforced, frame.rows()))
}
