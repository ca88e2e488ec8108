//! Whether the values of a column fit its type.

use serde_json::{Map, Value, json};

use crate::ColumnName;
use crate::python_repr::{repr, str_of, type_name};
use crate::signature::types::{ColType, DataType, Property};

/// The type that pandas gives a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    Str,
    Bool,
    Int64,
    Float64,
    Object,
}

impl Dtype {
    fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bool => "bool",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Object => "object",
        }
    }
}

/// The type that pandas gives a column of these values; null turns whole numbers into floats.
pub(crate) fn dtype_of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Dtype {
    let mut common = None;
    let mut nulls = false;
    for value in values {
        let dtype = match value {
            Value::Null => {
                nulls = true;
                continue;
            }
            Value::String(_) => Dtype::Str,
            Value::Bool(_) => Dtype::Bool,
            Value::Number(number) if number.is_f64() => Dtype::Float64,
            Value::Number(_) => Dtype::Int64,
            _ => Dtype::Object,
        };
        common = Some(match (common, dtype) {
            (None, dtype) => dtype,
            (Some(Dtype::Int64 | Dtype::Float64), Dtype::Float64) | (Some(Dtype::Float64), Dtype::Int64) => {
                Dtype::Float64
            }
            (Some(before), dtype) if before == dtype => dtype,
            _ => Dtype::Object,
        });
    }
    match common {
        None => Dtype::Object,
        Some(Dtype::Int64) if nulls => Dtype::Float64,
        Some(Dtype::Bool) if nulls => Dtype::Object,
        Some(dtype) => dtype,
    }
}

/// Checks a column, and casts where MLflow casts.
pub(super) fn enforce(
    name: &ColumnName,
    values: &[Value],
    kind: &ColType,
    required: bool,
) -> Result<Vec<Value>, String> {
    match kind {
        ColType::Scalar(kind) => scalars(&name.to_string(), values, *kind),
        _ => values.iter().map(|value| enforce_value(value, kind, required)).collect(),
    }
}

fn scalars(name: &str, values: &[Value], kind: DataType) -> Result<Vec<Value>, String> {
    let dtype = dtype_of(values);
    let zeros_and_ones = || values.iter().all(|value| matches!(value.as_f64(), Some(0.0 | 1.0)));
    let fits = match (dtype, kind) {
        (Dtype::Object | Dtype::Str, DataType::String | DataType::Binary)
        | (Dtype::Object | Dtype::Bool, DataType::Boolean)
        | (Dtype::Int64, DataType::Long)
        | (Dtype::Float64, DataType::Double) => true,
        (Dtype::Object, DataType::Double) => return to_numbers(name, values),
        (Dtype::Int64, DataType::Float | DataType::Double) if zeros_and_ones() => {
            return Ok(values.iter().map(|value| json!(value.as_f64())).collect());
        }
        _ => false,
    };
    if fits {
        return Ok(values.to_vec());
    }
    let (from, to) = (dtype.name(), kind.numpy_name());
    Err(format!("Incompatible input types for column {name}. Can not safely convert {from} to {to}."))
}

/// pandas' `to_numeric`, which MLflow reaches for every column of mixed values that should be `double`.
fn to_numbers(name: &str, values: &[Value]) -> Result<Vec<Value>, String> {
    let number = |(position, value): (usize, &Value)| match value {
        Value::Null => Ok(Value::Null),
        Value::Bool(flag) => Ok(json!(if *flag { 1.0 } else { 0.0 })),
        Value::Number(number) => Ok(json!(number.as_f64())),
        Value::String(text) => text
            .trim()
            .parse::<f64>()
            .map(|number| json!(number))
            .map_err(|_| format!("Failed to convert column {name} from type object to DataType.double.")),
        _ => Err(format!("Invalid object type at position {position}")),
    };
    values.iter().enumerate().map(number).collect()
}

/// Checks one value against a type.
pub(crate) fn enforce_value(value: &Value, kind: &ColType, required: bool) -> Result<Value, String> {
    match kind {
        ColType::Scalar(kind) => scalar(value, *kind, required),
        ColType::Array(item) => array(value, item, required),
        ColType::SparkMlVector => array(value, &ColType::Scalar(DataType::Double), required),
        ColType::Object(properties) => object(value, properties, required),
        ColType::Map(of) => map(value, of, required),
        ColType::Any => Ok(value.clone()),
    }
}

fn scalar(value: &Value, kind: DataType, required: bool) -> Result<Value, String> {
    if !required && value.is_null() {
        return Ok(Value::Null);
    }
    if matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) {
        return Err(format!("Expected data to be scalar, got {}", type_name(value)));
    }
    let mut values = scalars("", std::slice::from_ref(value), kind).map_err(|_| {
        format!("Failed to enforce schema of data `{}` with dtype `{}`", str_of(value), kind.name())
    })?;
    Ok(values.pop().unwrap_or_default())
}

fn array(value: &Value, item: &ColType, required: bool) -> Result<Value, String> {
    let lenient = !required || *item == ColType::Any;
    let items = match value {
        Value::Null if lenient => return Ok(Value::Null),
        Value::Array(items) => items,
        _ => return Err(format!("Expected data to be list or numpy array, got {}", type_name(value))),
    };
    let ColType::Scalar(kind) = item else {
        return items.iter().map(|value| enforce_value(value, item, required)).collect();
    };
    let values = scalars("", items, *kind)?;
    if values.iter().any(|value| value.is_array() || value.is_object()) {
        return Err("setting an array element with a sequence".to_owned());
    }
    // A list of several types that should be text becomes text; null stays what it is.
    let text = |value: Value| if value.is_null() { value } else { Value::from(str_of(&value)) };
    Ok(if *kind == DataType::String { values.into_iter().map(text).collect() } else { Value::Array(values) })
}

fn object(value: &Value, properties: &[Property], required: bool) -> Result<Value, String> {
    let entries = match value {
        Value::Null if !required => return Ok(Value::Null),
        Value::Object(entries) if !required && entries.is_empty() => return Ok(value.clone()),
        Value::Object(entries) => entries,
        _ => {
            let kind = ColType::Object(properties.to_vec());
            let (data, found) = (str_of(value), type_name(value));
            return Err(format!(
                "Failed to enforce schema of '{data}' with type '{kind}'. Expected data to be dictionary, got {found}"
            ));
        }
    };
    let missing =
        properties.iter().filter(|property| property.required && !entries.contains_key(&property.name));
    let missing: Vec<&str> = missing.map(|property| property.name.as_str()).collect();
    if !missing.is_empty() {
        return Err(format!("Missing required properties: {}", set_text(&missing)));
    }
    let find = |name: &str| properties.iter().find(|property| property.name == name);
    let invalid: Vec<&str> = entries.keys().map(String::as_str).filter(|name| find(name).is_none()).collect();
    if !invalid.is_empty() {
        return Err(format!("Invalid properties not defined in the schema found: {}", set_text(&invalid)));
    }
    let mut enforced = Map::new();
    for (name, value) in entries {
        let Some(property) = find(name) else { continue };
        let value = enforce_value(value, &property.kind, property.required).map_err(|_| {
            let (expected, found) = (property.kind.name(), type_name(value));
            format!(
                "Failed to enforce schema for key `{name}`. Expected type {expected}, received type {found}"
            )
        })?;
        enforced.insert(name.clone(), value);
    }
    Ok(Value::Object(enforced))
}

fn map(value: &Value, of: &ColType, required: bool) -> Result<Value, String> {
    let lenient = !required || *of == ColType::Any;
    match value {
        Value::Null if lenient => Ok(Value::Null),
        Value::Object(entries) => {
            let value = |(name, value): (&String, &Value)| {
                enforce_value(value, of, required).map(|value| (name.clone(), value))
            };
            entries.iter().map(value).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        _ => Err(format!("Expected data to be a dict, got {}", type_name(value))),
    }
}

/// Names as Python shows a set of them.
fn set_text(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| repr(&json!(name))).collect();
    format!("{{{}}}", names.join(", "))
}
