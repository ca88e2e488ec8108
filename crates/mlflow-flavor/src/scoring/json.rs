//! Requests of the type `application/json`.

use serde_json::{Map, Value};

use super::cast::{cast_frame, cast_inputs, cast_instances};
use super::{Request, invalid};
use crate::input_example::is_unified;
use crate::python_repr::{repr, type_name};
use crate::signature::frame_from_list;
use crate::{ColumnName, Error, Frame, MlModel, PredictInput, Schema};

const FORMATS: [&str; 4] = ["dataframe_records", "dataframe_split", "instances", "inputs"];
const REQUIRED: &str = "The input must be a JSON dictionary with exactly one of the input fields {'dataframe_records', 'dataframe_split', 'instances', 'inputs'}";
const PROTOCOL_CHANGE: &str = "IMPORTANT: The MLflow Model scoring protocol has changed in MLflow version 2.0. If you are seeing this error, you are likely using an outdated scoring request format.";

/// Reads a body of the type `application/json`.
///
/// # Errors
///
/// [`Error::Request`] if it is no JSON or not of the protocol, [`Error::NotText`] if a table holds something else
/// than the texts that the model takes, [`Error::Schema`] if columns differ in length, and [`Error::ParamsKind`] if
/// the parameters are no dictionary.
pub fn parse_json(body: &[u8], mlmodel: &MlModel) -> Result<Request, Error> {
    let mut entries = match serde_json::from_slice(body) {
        Ok(Value::Object(entries)) => entries,
        Ok(Value::Array(_)) => return Err(invalid(format_args!("{REQUIRED}. Received a list."))),
        Ok(other) => {
            let found = type_name(&other);
            return Err(invalid(format_args!(
                "{REQUIRED}. Received unexpected input type '<class '{found}'>."
            )));
        }
        Err(error) => {
            let problem =
                format_args!("Ensure that input is a valid JSON formatted string. Error: '{error}'");
            return Err(invalid(problem));
        }
    };
    let body = Value::Object(entries);
    if is_unified(&body) {
        return Ok(unified(body, mlmodel));
    }
    entries = match body {
        Value::Object(entries) => entries,
        _ => Map::new(),
    };
    let params = match entries.shift_remove("params") {
        None | Some(Value::Null) => None,
        Some(Value::Object(params)) => Some(params),
        Some(other) => {
            return Err(Error::ParamsKind { found: type_name(&other) });
        }
    };
    let input = traditional(entries, mlmodel)?;
    Ok(Request { input, params, unified: false })
}

/// The whole object is the input, but for the keys that are parameters of the model.
fn unified(body: Value, mlmodel: &MlModel) -> Request {
    let specs = mlmodel.param_specs().unwrap_or_default();
    let (mut data, mut params) = (Map::new(), Map::new());
    if let Value::Object(entries) = body {
        for (key, value) in entries {
            let place = if specs.iter().any(|spec| spec.name == key) { &mut params } else { &mut data };
            place.insert(key, value);
        }
    }
    Request { input: PredictInput::Value(Value::Object(data)), params: Some(params), unified: true }
}

fn traditional(mut entries: Map<String, Value>, mlmodel: &MlModel) -> Result<PredictInput, Error> {
    entries.retain(|key, _| FORMATS.contains(&key.as_str()));
    if mlmodel.signature.is_some() && mlmodel.is_signature_from_type_hint {
        let problem = "Request payload must be a dictionary with 'inputs' key when the model contains a valid type hint.";
        let inputs = entries.shift_remove("inputs").map(PredictInput::Value);
        return inputs.ok_or_else(|| Error::Request { message: problem.to_owned() });
    }
    let schema = mlmodel.input_schema();
    let names: Value = entries.keys().map(String::as_str).collect();
    match (entries.len(), entries.into_iter().next()) {
        (1, Some((format, value))) => match format.as_str() {
            "inputs" => cast_inputs(&value, schema),
            "instances" => cast_instances(&value, schema),
            "dataframe_split" => frame(split(&value)?, schema),
            _ => frame(records(&value)?, schema),
        },
        _ => Err(Error::Request {
            message: format!(
                "{REQUIRED}. Received dictionary with input fields: {}. {PROTOCOL_CHANGE}",
                repr(&names)
            ),
        }),
    }
}

fn frame(frame: Frame, schema: Option<&Schema>) -> Result<PredictInput, Error> {
    cast_frame(frame, schema).map(PredictInput::Frame)
}

fn records(value: &Value) -> Result<Frame, Error> {
    let Value::Array(items) = value else {
        let found = if value.is_object() { "dictionary".to_owned() } else { class(value) };
        return Err(invalid(format_args!(
            "Dataframe records format must be a list of records. Got {found}."
        )));
    };
    frame_from_list(items).map_err(|problem| {
        let start =
            "Provided dataframe_records field is not a valid dataframe representation in 'records' format.";
        invalid(format_args!("{start} Error: '{problem}'"))
    })
}

fn class(value: &Value) -> String {
    format!("type <class '{}'>", type_name(value))
}

fn split(value: &Value) -> Result<Frame, Error> {
    let Value::Object(entries) = value else {
        let found = if value.is_array() { "list".to_owned() } else { class(value) };
        return Err(invalid(format_args!("Dataframe split format must be a dictionary. Got {found}.")));
    };
    let known = |key: &String| ["columns", "data", "index"].contains(&key.as_str());
    let data = match entries.get("data") {
        Some(data) if entries.keys().all(known) => data,
        _ => {
            let keys =
                entries.keys().map(|key| repr(&Value::from(key.as_str()))).collect::<Vec<_>>().join(", ");
            return Err(invalid(format_args!(
                "Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. Got {{{keys}}}.'"
            )));
        }
    };
    split_frame(data, entries.get("columns"), entries.get("index")).map_err(|problem| {
        let start =
            "Provided dataframe_split field is not a valid dataframe representation in 'split' format.";
        invalid(format_args!("{start} Error: '{problem}'"))
    })
}

fn split_frame(data: &Value, columns: Option<&Value>, index: Option<&Value>) -> Result<Frame, String> {
    let rows =
        data.as_array().ok_or_else(|| format!("data is of the type {}, not a list", type_name(data)))?;
    if let Some(Value::Array(labels)) = index
        && labels.len() != rows.len()
    {
        return Err(format!(
            "Length of values ({}) does not match length of index ({})",
            rows.len(),
            labels.len()
        ));
    }
    let frame = frame_from_list(rows)?;
    let Some(Value::Array(names)) = columns else { return Ok(frame) };
    let names = names.iter().map(column_name).collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Frame::new(names.into_iter().map(|name| (name, Vec::new())).collect())
            .map_err(|error| error.to_string());
    }
    let found = frame.columns().len();
    if names.len() != found {
        return Err(format!("{} columns passed, passed data had {found} columns", names.len()));
    }
    let columns = names.into_iter().zip(frame.columns()).map(|(name, (_, values))| (name, values.clone()));
    Frame::new(columns.collect()).map_err(|error| error.to_string())
}

fn column_name(name: &Value) -> Result<ColumnName, String> {
    match name {
        Value::String(text) => Ok(ColumnName::Text(text.clone())),
        other => other
            .as_u64()
            .and_then(|index| usize::try_from(index).ok())
            .map(ColumnName::Index)
            .ok_or_else(|| format!("the column name {} is neither text nor a position", repr(other))),
    }
}
