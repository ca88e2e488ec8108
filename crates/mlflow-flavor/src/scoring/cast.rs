//! What MLflow's server does to the data of a request before it calls the model: casts by the signature.

use serde_json::{Map, Value};

use super::invalid;
use crate::python_repr::{excerpt, repr, str_of, type_name};
use crate::signature::{Dtype, dtype_of, enforce_value};
use crate::{
    Array, ColSpec, ColType, ColumnName, DataType, Error, Frame, PredictInput, Schema, SchemaKind, TensorSpec,
};

/// One column or tensor of a schema.
#[derive(Clone, Copy)]
enum Spec<'a> {
    Column(&'a ColSpec),
    Tensor(&'a TensorSpec),
}

/// A value of a request after its cast.
enum Cast {
    Array(Array),
    Value(Value),
}

impl Cast {
    fn into_value(self) -> Value {
        match self {
            Self::Array(array) => array.to_value(),
            Self::Value(value) => value,
        }
    }
}

fn first_spec(schema: Option<&Schema>) -> Option<Spec<'_>> {
    match schema?.kind() {
        SchemaKind::Columns(columns) => columns.first().map(Spec::Column),
        SchemaKind::Tensors(tensors) => tensors.first().map(Spec::Tensor),
    }
}

fn named_spec<'a>(schema: Option<&'a Schema>, name: &str) -> Option<Spec<'a>> {
    match schema?.kind() {
        SchemaKind::Columns(columns) => {
            let is_it = |column: &&ColSpec| column.name.as_ref().is_some_and(|other| other.is(name));
            columns.iter().find(is_it).map(Spec::Column)
        }
        SchemaKind::Tensors(tensors) => {
            tensors.iter().find(|tensor| tensor.name.as_deref() == Some(name)).map(Spec::Tensor)
        }
    }
}

impl ColumnName {
    fn is(&self, text: &str) -> bool {
        matches!(self, Self::Text(name) if name == text)
    }
}

/// The value of `inputs`.
pub(super) fn cast_inputs(value: &Value, schema: Option<&Schema>) -> Result<PredictInput, Error> {
    let has_dictionaries = |items: &[Value]| items.iter().any(Value::is_object);
    if let (Some(name), Value::Array(items)) = (only_name(schema), value)
        && !has_dictionaries(items)
    {
        let entries = [(name, value.clone())].into_iter().collect();
        return columns(cast_entries(&entries, schema)?, schema);
    }
    if schema.is_some_and(|schema| !schema.has_names()) && matches!(value, Value::Null | Value::Object(_)) {
        return Err(invalid(format_args!(
            "Failed to parse input data. This model contains an un-named  model signature which expects a single n-dimensional array or a single value as input, however, an input of type <class '{}'> was found.",
            type_name(value)
        )));
    }
    match value {
        Value::Object(entries) => columns(cast_entries(entries, schema)?, schema),
        Value::Array(items) if items.iter().all(Value::is_object) && !items.is_empty() => {
            let record = |item: &Value| {
                let entries = cast_entries(item.as_object().unwrap_or(&Map::new()), schema)?;
                Ok(entries.into_iter().map(|(name, cast)| (name, cast.into_value())).collect::<Value>())
            };
            items.iter().map(record).collect::<Result<_, Error>>().map(PredictInput::Value)
        }
        // Python leaves an empty list a list: it counts as a list of dictionaries.
        Value::Array(items) if items.is_empty() => Ok(PredictInput::Value(value.clone())),
        _ => {
            let spec = first_spec(schema);
            let cast = convert(value, spec).map_err(|error| match spec {
                Some(Spec::Column(column)) if !value.is_array() => invalid(format_args!(
                    "Failed to convert data `{}` to type `{column}` defined in the model signature.",
                    excerpt(&str_of(value))
                )),
                _ => error,
            })?;
            Ok(match cast {
                Cast::Array(array) => PredictInput::Array(array),
                Cast::Value(value) => PredictInput::Value(value),
            })
        }
    }
}

/// The value of `instances`: records become columns.
pub(super) fn cast_instances(value: &Value, schema: Option<&Schema>) -> Result<PredictInput, Error> {
    let mut pivoted: Vec<(String, Vec<Value>)> = Vec::new();
    match value {
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            for item in items {
                let record =
                    item.as_object().ok_or_else(|| invalid("an instance is no record, unlike the first"))?;
                for (name, cast) in cast_entries(record, schema)? {
                    let value = cast.into_value();
                    match pivoted.iter_mut().find(|(other, _)| *other == name) {
                        Some((_, values)) => values.push(value),
                        None => pivoted.push((name, vec![value])),
                    }
                }
            }
        }
        Value::Object(entries) => {
            let input = cast_inputs(value, schema)?;
            let lengths = entries.iter().filter_map(|(name, value)| Some((name, value.as_array()?.len())));
            return check_lengths(lengths, schema).map(|()| input);
        }
        _ => return cast_inputs(value, schema),
    }
    check_lengths(pivoted.iter().map(|(name, values)| (name, values.len())), schema)?;
    if schema.and_then(Schema::as_columns).is_none() {
        let entries = pivoted.into_iter().map(|(name, values)| (name, Value::Array(values)));
        return Ok(PredictInput::Value(Value::Object(entries.collect())));
    }
    let columns = pivoted.into_iter().map(|(name, values)| (ColumnName::Text(name), values));
    frame(columns.collect(), schema)
}

/// MLflow compares the required columns of a schema with names, else all of them.
fn check_lengths<'a>(
    lengths: impl Iterator<Item = (&'a String, usize)>,
    schema: Option<&Schema>,
) -> Result<(), Error> {
    let named = schema.filter(|schema| schema.has_names());
    let compared = |name: &str| match (named, named_spec(named, name)) {
        (None, _) => true,
        (Some(_), Some(Spec::Column(column))) => column.required && !matches!(column.kind, ColType::Array(_)),
        (Some(_), other) => other.is_some(),
    };
    let mut lengths = lengths.filter(|(name, _)| compared(name)).map(|(_, length)| length);
    let first = lengths.next();
    if lengths.any(|length| Some(length) != first) {
        return Err(invalid("The length of values for each input/column name are not the same"));
    }
    Ok(())
}

fn only_name(schema: Option<&Schema>) -> Option<String> {
    match schema?.kind() {
        SchemaKind::Columns(columns) => match columns.as_slice() {
            [ColSpec { name: Some(ColumnName::Text(name)), .. }] => Some(name.clone()),
            _ => None,
        },
        SchemaKind::Tensors(tensors) => match tensors.as_slice() {
            [TensorSpec { name, .. }] => name.clone(),
            _ => None,
        },
    }
}

fn cast_entries(entries: &Map<String, Value>, schema: Option<&Schema>) -> Result<Vec<(String, Cast)>, Error> {
    let entry = |(name, value): (&String, &Value)| {
        convert(value, named_spec(schema, name)).map(|cast| (name.clone(), cast))
    };
    entries.iter().map(entry).collect()
}

/// MLflow's `convert_data_type`.
fn convert(value: &Value, spec: Option<Spec<'_>>) -> Result<Cast, Error> {
    let texts = |value: &Value| Array::texts(value).map(Cast::Array).map_err(invalid);
    match spec {
        // What NumPy would make an array of objects stays as it is; no model takes it for text.
        None => {
            Array::texts(value).map_err(invalid)?;
            Ok(Array::new(value).map_or_else(|_| Cast::Value(value.clone()), Cast::Array))
        }
        Some(Spec::Tensor(tensor)) if tensor.dtype == "str" => texts(value),
        Some(Spec::Tensor(_)) => {
            Array::new(value).map(Cast::Array).map_err(|error| invalid(error.to_string()))
        }
        Some(Spec::Column(column)) => match (&column.kind, value) {
            (ColType::Scalar(DataType::String), Value::Array(_)) => texts(value),
            (ColType::Scalar(DataType::String), scalar) => Ok(Cast::Value(Value::from(str_of(scalar)))),
            (ColType::Scalar(_) | ColType::Any, _) => Ok(Cast::Value(value.clone())),
            (kind, _) => enforce_value(value, kind, column.required).map(Cast::Value).map_err(invalid),
        },
    }
}

/// A dictionary of cast values as the input of the model.
fn columns(entries: Vec<(String, Cast)>, schema: Option<&Schema>) -> Result<PredictInput, Error> {
    let Some(columns) = schema.and_then(Schema::as_columns) else {
        let entries = entries.into_iter().map(|(name, cast)| (name, cast.into_value()));
        return Ok(PredictInput::Value(Value::Object(entries.collect())));
    };
    let structured =
        columns.iter().any(|column| matches!(column.kind, ColType::Array(_) | ColType::Object(_)));
    let is_column = |cast: &Cast| match cast {
        Cast::Array(array) => !array.shape().is_empty(),
        Cast::Value(value) => value.is_array(),
    };
    let one_row = structured || !entries.iter().any(|(_, cast)| is_column(cast));
    let values = |cast: Cast| match cast.into_value() {
        Value::Array(items) if !one_row => (items, true),
        scalar => (vec![scalar], false),
    };
    let cells: Vec<(String, (Vec<Value>, bool))> =
        entries.into_iter().map(|(name, cast)| (name, values(cast))).collect();
    let rows = cells.iter().find(|(_, (_, is_list))| *is_list).map_or(1, |(_, (values, _))| values.len());
    // A scalar beside lists stands in every row, as in pandas.
    let widened = cells.into_iter().map(|(name, (values, is_list))| {
        let values = if is_list { values } else { values.iter().cycle().take(rows).cloned().collect() };
        (ColumnName::Text(name), values)
    });
    frame(widened.collect(), schema)
}

fn frame(columns: Vec<(ColumnName, Vec<Value>)>, schema: Option<&Schema>) -> Result<PredictInput, Error> {
    let names: Value = columns.iter().map(|(name, _)| name.to_value()).collect();
    if columns.is_empty() {
        return Ok(PredictInput::Frame(Frame::with_rows(columns, 1)));
    }
    Frame::new(columns).map(PredictInput::Frame).map_err(|error| Error::Schema {
        data: excerpt(&repr(&names)),
        schema: schema.map(ToString::to_string).unwrap_or_default(),
        problem: format!(
            "This model contains a column-based signature, which suggests a DataFrame input. There was an error casting the input data to a DataFrame: {error}"
        ),
    })
}

/// MLflow's `cast_df_types_according_to_schema`, as far as texts are concerned.
pub(super) fn cast_frame(frame: Frame, schema: Option<&Schema>) -> Result<Frame, Error> {
    let Some(columns) = schema.and_then(Schema::as_columns) else { return Ok(frame) };
    for (position, (name, values)) in frame.columns().iter().enumerate() {
        let by_name = columns.iter().find(|column| column.name.as_ref() == Some(name));
        let by_position = columns.get(position).filter(|column| column.name.is_none());
        let Some(column) = by_name.or(by_position) else { continue };
        match &column.kind {
            ColType::Scalar(DataType::String) => check_texts(name, values)?,
            ColType::Scalar(_) | ColType::Any => {}
            kind => {
                let failed = |problem: String| {
                    invalid(format_args!(
                        "Data is not compatible with model signature. Failed to convert column {name} to type '{kind}'. Error: '{problem}'"
                    ))
                };
                for value in values {
                    enforce_value(value, kind, column.required).map_err(failed)?;
                }
            }
        }
    }
    Ok(frame)
}

/// Python lets a column of numbers pass the schema here, and the model fails on it.
fn check_texts(name: &ColumnName, values: &[Value]) -> Result<(), Error> {
    match (dtype_of(values), values.iter().position(|value| !value.is_null())) {
        (Dtype::Bool | Dtype::Int64 | Dtype::Float64, Some(row)) => {
            let found = values.get(row).map_or("null", type_name);
            Err(Error::NotText {
                problem: format!("row {row} of column `{name}` is of the type {found}, not a text"),
            })
        }
        _ => Ok(()),
    }
}
