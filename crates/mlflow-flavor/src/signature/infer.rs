//! The schema of an example, as `mlflow.models.infer_signature` makes it.

use serde_json::{Map, Value};

use super::enforce::{Dtype, dtype_of};
use super::types::{ColSpec, ColType, DataType, Property, Schema, TensorSpec};
use crate::python_repr::repr;
use crate::{Array, ColumnName, Error, Frame, PredictInput};

const MIXED: &str = "Expected all values in the list to be of the same type.";

impl Schema {
    /// The schema of an input, as `mlflow.models.infer_signature` makes it.
    ///
    /// # Errors
    ///
    /// [`Error::InputExample`] if the values of a column are of several types, or there is nothing to see.
    pub fn infer(input: &PredictInput) -> Result<Self, Error> {
        infer(input).map_err(|problem| Error::InputExample { problem })
    }
}

fn infer(input: &PredictInput) -> Result<Schema, String> {
    match input {
        PredictInput::Frame(frame) => of_frame(frame).and_then(columns),
        PredictInput::Array(array) => of_array(array),
        PredictInput::Value(Value::Array(items)) if items.is_empty() => {
            columns(vec![ColSpec::unnamed(ColType::Scalar(DataType::String))])
        }
        PredictInput::Value(Value::Array(items)) if items.iter().all(Value::is_object) => {
            of_records(items).and_then(columns)
        }
        PredictInput::Value(Value::Array(items)) => {
            of_items(items).and_then(|kind| columns(vec![ColSpec::unnamed(kind)]))
        }
        PredictInput::Value(Value::Object(entries)) => of_dictionary(entries).and_then(columns),
        PredictInput::Value(value) => of_value(value).and_then(|kind| columns(vec![ColSpec::unnamed(kind)])),
    }
}

fn columns(columns: Vec<ColSpec>) -> Result<Schema, String> {
    Schema::columns(columns).map_err(|error| error.to_string())
}

/// The type of one value.
pub(super) fn of_value(value: &Value) -> Result<ColType, String> {
    Ok(match value {
        Value::Null => ColType::Any,
        Value::Bool(_) => ColType::Scalar(DataType::Boolean),
        Value::Number(number) if number.is_f64() => ColType::Scalar(DataType::Double),
        Value::Number(_) => ColType::Scalar(DataType::Long),
        Value::String(_) => ColType::Scalar(DataType::String),
        Value::Array(items) if items.is_empty() => ColType::Any,
        Value::Array(items) => ColType::Array(Box::new(of_items(items)?)),
        Value::Object(entries) if entries.is_empty() => ColType::Any,
        Value::Object(entries) => {
            let mut properties = Vec::new();
            for (name, value) in entries {
                let kind = of_value(value)?;
                properties.push(Property { name: name.clone(), required: kind != ColType::Any, kind });
            }
            properties.sort_by(|left, right| left.name.cmp(&right.name));
            ColType::Object(properties)
        }
    })
}

/// The type that all items of a list have.
fn of_items<'a>(items: impl IntoIterator<Item = &'a Value>) -> Result<ColType, String> {
    let mut common: Option<ColType> = None;
    for item in items {
        let kind = of_value(item)?;
        common = Some(match common {
            None => kind,
            Some(before) => merge(&before, &kind).ok_or(MIXED)?,
        });
    }
    Ok(common.unwrap_or(ColType::Any))
}

/// The type of two values that stand for each other; none if they cannot.
fn merge(left: &ColType, right: &ColType) -> Option<ColType> {
    match (left, right) {
        (ColType::Any, ColType::Any | ColType::Scalar(_)) => Some(right.clone()),
        (ColType::Any, _) => merge(right, left),
        (ColType::Object(properties), ColType::Any) => {
            let optional = |property: &Property| Property { required: false, ..property.clone() };
            Some(ColType::Object(properties.iter().map(optional).collect()))
        }
        (_, ColType::Any) => Some(left.clone()),
        (ColType::Array(left), ColType::Array(right)) => Some(ColType::Array(Box::new(merge(left, right)?))),
        (ColType::Map(left), ColType::Map(right)) => Some(ColType::Map(Box::new(merge(left, right)?))),
        (ColType::Object(left), ColType::Object(right)) => merge_properties(left, right).map(ColType::Object),
        _ => (left == right).then(|| left.clone()),
    }
}

fn merge_properties(left: &[Property], right: &[Property]) -> Option<Vec<Property>> {
    let find =
        |properties: &[Property], name: &str| properties.iter().find(|other| other.name == name).cloned();
    let mut merged = Vec::new();
    for property in left {
        merged.push(match find(right, &property.name) {
            None => Property { required: false, ..property.clone() },
            Some(other) => Property {
                name: other.name,
                kind: merge(&property.kind, &other.kind)?,
                required: property.required && other.required,
            },
        });
    }
    let new = right.iter().filter(|property| find(left, &property.name).is_none());
    merged.extend(new.map(|property| Property { required: false, ..property.clone() }));
    merged.sort_by(|left, right| left.name.cmp(&right.name));
    Some(merged)
}

fn of_records(records: &[Value]) -> Result<Vec<ColSpec>, String> {
    let mut values: Map<String, Value> = Map::new();
    for (name, value) in records.iter().filter_map(Value::as_object).flatten() {
        let column = values.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(column) = column {
            column.push(value.clone());
        }
    }
    let column = |(name, values): (String, Value)| {
        let required = records.iter().all(|record| record.get(&name).is_some_and(|value| !value.is_null()));
        let kind = of_items(values.as_array().into_iter().flatten())?;
        Ok(ColSpec { kind, name: Some(ColumnName::Text(name)), required })
    };
    values.into_iter().map(column).collect()
}

fn of_dictionary(entries: &Map<String, Value>) -> Result<Vec<ColSpec>, String> {
    let column = |(name, value): (&String, &Value)| {
        let required = match value {
            Value::Array(items) => !items.iter().any(Value::is_null),
            other => !other.is_null(),
        };
        Ok(ColSpec { kind: of_value(value)?, name: Some(ColumnName::Text(name.clone())), required })
    };
    entries.iter().map(column).collect()
}

fn of_frame(frame: &Frame) -> Result<Vec<ColSpec>, String> {
    let column = |(name, values): &(ColumnName, Vec<Value>)| {
        let kind = match dtype_of(values) {
            Dtype::Str => ColType::Scalar(DataType::String),
            Dtype::Bool => ColType::Scalar(DataType::Boolean),
            Dtype::Int64 => ColType::Scalar(DataType::Long),
            Dtype::Float64 => ColType::Scalar(DataType::Double),
            Dtype::Object => of_items(values).map_err(|problem| format!("column {name}: {problem}"))?,
        };
        Ok(ColSpec { kind, name: Some(name.clone()), required: !values.iter().any(Value::is_null) })
    };
    frame.columns().iter().map(column).collect()
}

fn of_array(array: &Array) -> Result<Schema, String> {
    let mut shape: Vec<i64> =
        array.shape().iter().map(|axis| i64::try_from(*axis).unwrap_or(i64::MAX)).collect();
    let Some(first) = shape.first_mut() else {
        let values = repr(&array.values().iter().cloned().collect());
        return Err(format!("an array without axes has no variable dimension: {values}"));
    };
    *first = -1;
    Schema::tensors(vec![TensorSpec::unnamed(array.dtype(), shape)]).map_err(|error| error.to_string())
}
