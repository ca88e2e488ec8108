//! Whether parameters fit their specifications.

use serde_json::{Map, Value, json};

use super::column::enforce_value;
use crate::python_repr::{repr, str_of, type_name};
use crate::signature::types::{ColType, DataType, ParamSpec, ParamType};
use crate::{Error, Warning};

/// Checks the parameters of a call, casts them, and adds the defaults; what nothing asks for becomes a warning.
///
/// # Errors
///
/// [`Error::Params`].
pub(crate) fn enforce_params(
    given: Option<&Map<String, Value>>,
    specs: Option<&[ParamSpec]>,
) -> Result<(Map<String, Value>, Vec<Warning>), Error> {
    let empty = Map::new();
    let given = given.unwrap_or(&empty);
    let Some(specs) = specs else { return Ok((Map::new(), without_specs(given))) };
    let known = |name: &String| specs.iter().any(|spec| spec.name == *name);
    let ignored: Vec<&String> = given.keys().filter(|name| !known(name)).collect();
    let mut warnings = Vec::new();
    if !ignored.is_empty() {
        let supported = specs.iter().map(|spec| repr(&json!(spec.name))).collect::<Vec<_>>().join(", ");
        warnings.push(Warning {
            message: format!(
                "Unrecognized params {} are ignored for inference. Supported params are: {{{supported}}}. To enable them, please add corresponding schema in ModelSignature.",
                repr(&json!(ignored))
            ),
        });
    }
    let (mut params, mut invalid) = (Map::new(), Vec::new());
    for spec in specs {
        match given.get(&spec.name).map_or_else(|| Ok(spec.default.clone()), |value| check_param(spec, value))
        {
            Ok(value) => {
                params.insert(spec.name.clone(), value);
            }
            Err(problem) => invalid.push(format!("({}, {})", repr(&json!(spec.name)), repr(&json!(problem)))),
        }
    }
    if invalid.is_empty() {
        return Ok((params, warnings));
    }
    Err(Error::Params { problem: format!("{{{}}}", invalid.join(", ")) })
}

fn without_specs(given: &Map<String, Value>) -> Vec<Warning> {
    if given.is_empty() {
        return Vec::new();
    }
    let names: Vec<&String> = given.keys().collect();
    let message = format!(
        "`params` can only be specified at inference time if the model signature defines a params schema. This model does not define a params schema. Ignoring provided params: {}",
        repr(&json!(names))
    );
    vec![Warning { message }]
}

/// Checks one value, and casts it where MLflow casts.
pub(in crate::signature) fn check_param(spec: &ParamSpec, value: &Value) -> Result<Value, String> {
    let checked = match &spec.kind {
        ParamType::Scalar(kind) => cast(value, *kind),
        ParamType::List(kind) => {
            let Some(items) = value.as_array().filter(|items| !items.iter().any(Value::is_array)) else {
                let axes = if value.is_array() { 2 } else { 0 };
                return Err(format!(
                    "Value must be a 1D array with shape (-1,) for param {spec}, received {} with ndim {axes}",
                    type_name(value)
                ));
            };
            items.iter().map(|item| cast(item, *kind)).collect::<Result<_, _>>().map(Value::Array)
        }
        ParamType::Object(properties) => {
            enforce_value(value, &ColType::Object(properties.clone()), true).map(|_| value.clone())
        }
    };
    checked.map_err(|problem| format!("Failed to validate type and shape for {spec}, error: {problem}"))
}

fn cast(value: &Value, kind: DataType) -> Result<Value, String> {
    let number = value.as_f64();
    match (kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (DataType::Datetime | DataType::String, Value::String(_)) | (DataType::Boolean, Value::Bool(_)) => {
            Ok(value.clone())
        }
        (DataType::Integer | DataType::Long, Value::Number(number)) if !number.is_f64() => Ok(value.clone()),
        (DataType::Float | DataType::Double, Value::Number(_)) => Ok(json!(number)),
        (_, Value::Array(_) | Value::Object(_)) => {
            Err(format!("Value must be a scalar for type `DataType.{}`, got `{}`", kind.name(), repr(value)))
        }
        _ => Err(format!(
            "Can not safely convert `<class '{}'>` to `DataType.{}` for value `{}`",
            type_name(value),
            kind.name(),
            str_of(value)
        )),
    }
}
