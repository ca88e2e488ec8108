//! The parameters of an example.

use serde_json::{Map, Value, json};

use super::infer::of_value;
use super::types::{ColType, DataType, ParamSpec, ParamType};
use crate::Error;
use crate::python_repr::{repr, type_name};

/// The specification of each parameter; the value of the example becomes the default.
pub(crate) fn infer_params(params: &Map<String, Value>) -> Result<Vec<ParamSpec>, Error> {
    let infer = |(name, value): (&String, &Value)| {
        let wrong = |problem| Error::InputExample {
            problem: format!("Failed to infer schema for parameters: `{name}` {problem}"),
        };
        let (kind, default) = of_param(value).map_err(wrong)?;
        Ok(ParamSpec { name: name.clone(), kind, default })
    };
    params.iter().map(infer).collect()
}

fn of_param(value: &Value) -> Result<(ParamType, Value), String> {
    let expected =
        |found: &str| format!("is expected to be a 1D array, a scalar or a dictionary, got {found}");
    match value {
        Value::Array(items) => {
            let (kind, items) = of_list(items)?;
            Ok((ParamType::List(kind), Value::Array(items)))
        }
        _ => match of_value(value)? {
            ColType::Scalar(kind) => Ok((ParamType::Scalar(kind), value.clone())),
            ColType::Object(properties) => Ok((ParamType::Object(properties), value.clone())),
            _ => Err(expected(type_name(value))),
        },
    }
}

fn of_list(items: &[Value]) -> Result<(DataType, Vec<Value>), String> {
    // Python takes the first type that no item contradicts.
    let mut kind = if items.is_empty() { Some(DataType::Datetime) } else { None };
    for item in items {
        let ColType::Scalar(of_item) = of_value(item)? else {
            return Err(format!("is a list with an item that is no scalar: {}", repr(item)));
        };
        kind = Some(match (kind, of_item) {
            (None, of_item) => of_item,
            (Some(DataType::Long | DataType::Double), DataType::Double)
            | (Some(DataType::Double), DataType::Long) => DataType::Double,
            (Some(before), of_item) if before == of_item => before,
            _ => return Err("is a list of several types".to_owned()),
        });
    }
    let kind = kind.unwrap_or(DataType::Datetime);
    let widen = |item: &Value| match item.as_f64() {
        Some(number) if kind == DataType::Double => json!(number),
        _ => item.clone(),
    };
    Ok((kind, items.iter().map(widen).collect()))
}
