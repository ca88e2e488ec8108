//! Signatures from JSON.

use serde_json::{Map, Value};

use super::enforce::check_param;
use super::types::{
    ColSpec, ColType, DataType, ModelSignature, ParamSpec, ParamType, Property, Schema, TensorSpec,
};
use crate::{ColumnName, Error};

/// Deepest nesting of types; the JSON reader stops at 128 levels of its own.
const MAX_DEPTH: usize = 32;

fn wrong(problem: impl Into<String>) -> Error {
    Error::Signature { problem: problem.into() }
}

impl ModelSignature {
    /// Reads the three texts of the file `MLmodel`.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if one of them is no JSON or no schema.
    pub fn parse(inputs: Option<&str>, outputs: Option<&str>, params: Option<&str>) -> Result<Self, Error> {
        Ok(Self {
            inputs: inputs.map(Schema::parse).transpose()?,
            outputs: outputs.map(Schema::parse).transpose()?,
            params: params.map(parse_params).transpose()?,
        })
    }
}

impl Schema {
    /// Reads the JSON text of a schema.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if it is no JSON, or something that MLflow does not allow.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let specs = entries(text)?;
        let is_tensor = |spec: &Map<String, Value>| spec.get("type").is_some_and(|kind| kind == "tensor");
        let tensors = specs.iter().filter(|spec| is_tensor(spec)).count();
        if tensors == 0 {
            return Self::columns(specs.into_iter().map(col_spec).collect::<Result<_, _>>()?);
        }
        if tensors != specs.len() {
            return Err(wrong(
                "Creating Schema with a combination of ColSpec and TensorSpec is not supported.",
            ));
        }
        Self::tensors(specs.into_iter().map(tensor_spec).collect::<Result<_, _>>()?)
    }
}

/// A JSON list of dictionaries.
fn entries(text: &str) -> Result<Vec<Map<String, Value>>, Error> {
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(format!("not JSON: {error}")))?;
    let Value::Array(items) = value else { return Err(wrong("not a list of specifications")) };
    let dictionary = |item| match item {
        Value::Object(entries) => Ok(entries),
        _ => Err(wrong("not a list of dictionaries")),
    };
    items.into_iter().map(dictionary).collect()
}

fn col_spec(mut spec: Map<String, Value>) -> Result<ColSpec, Error> {
    let name = match spec.shift_remove("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(ColumnName::Text(name)),
        Some(other) => {
            let index = other.as_u64().and_then(|index| usize::try_from(index).ok());
            Some(ColumnName::Index(
                index.ok_or_else(|| wrong("a column name is neither text nor a position"))?,
            ))
        }
    };
    let required = take_required(&mut spec)?;
    let kind = col_type(&spec, 0)?;
    if let (ColType::Scalar(_), Some(key)) = (&kind, spec.keys().find(|key| *key != "type")) {
        return Err(wrong(format!("unexpected key `{key}` in a column")));
    }
    Ok(ColSpec { kind, name, required })
}

fn take_required(spec: &mut Map<String, Value>) -> Result<bool, Error> {
    match spec.shift_remove("required") {
        None | Some(Value::Null) => Ok(true),
        Some(Value::Bool(required)) => Ok(required),
        Some(_) => Err(wrong("`required` is neither true nor false")),
    }
}

fn col_type(spec: &Map<String, Value>, depth: usize) -> Result<ColType, Error> {
    if depth == MAX_DEPTH {
        return Err(wrong(format!("types are nested deeper than {MAX_DEPTH} levels")));
    }
    let Some(Value::String(kind)) = spec.get("type") else { return Err(wrong("a key `type` is missing")) };
    let inner = |key: &str| match spec.get(key) {
        Some(Value::Object(inner)) => col_type(inner, depth + 1).map(Box::new),
        _ => Err(wrong(format!("Missing keys in {kind} JSON. Expected to find key `{key}`"))),
    };
    match kind.as_str() {
        "array" => inner("items").map(ColType::Array),
        "map" => inner("values").map(ColType::Map),
        "object" => properties(spec, depth).map(ColType::Object),
        "any" => Ok(ColType::Any),
        "sparkml_vector" => Ok(ColType::SparkMlVector),
        name => data_type(name).map(ColType::Scalar),
    }
}

fn data_type(name: &str) -> Result<DataType, Error> {
    DataType::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
        let known = DataType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        wrong(format!("Unsupported type '{name}', expected one of {known}"))
    })
}

fn properties(spec: &Map<String, Value>, depth: usize) -> Result<Vec<Property>, Error> {
    let Some(Value::Object(entries)) = spec.get("properties") else {
        return Err(wrong("Missing keys in Object JSON. Expected to find keys `properties` and `type`"));
    };
    if entries.is_empty() {
        return Err(wrong("Creating Object with empty properties is not allowed."));
    }
    let property = |(name, value): (&String, &Value)| {
        let Value::Object(spec) = value else {
            return Err(wrong(format!("property `{name}` is no dictionary")));
        };
        let mut spec = spec.clone();
        let required = take_required(&mut spec)?;
        Ok(Property { name: name.clone(), kind: col_type(&spec, depth + 1)?, required })
    };
    let mut properties = entries.iter().map(property).collect::<Result<Vec<_>, _>>()?;
    properties.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(properties)
}

fn tensor_spec(spec: Map<String, Value>) -> Result<TensorSpec, Error> {
    let Some(Value::Object(info)) = spec.get("tensor-spec") else {
        return Err(wrong("Missing keys in TensorSpec JSON. Expected to find keys `tensor-spec` and `type`"));
    };
    let (Some(Value::String(dtype)), Some(Value::Array(shape))) = (info.get("dtype"), info.get("shape"))
    else {
        return Err(wrong("Missing keys in TensorSpec JSON. Expected to find keys `dtype` and `shape`"));
    };
    let axis = |axis: &Value| axis.as_i64().ok_or_else(|| wrong("an axis of a shape is no whole number"));
    let name = match spec.get("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(wrong("the name of a tensor is no text")),
    };
    Ok(TensorSpec { name, dtype: dtype.clone(), shape: shape.iter().map(axis).collect::<Result<_, _>>()? })
}

/// Reads the JSON text of the parameters.
pub(crate) fn parse_params(text: &str) -> Result<Vec<ParamSpec>, Error> {
    let params = entries(text)?.into_iter().map(param).collect::<Result<Vec<ParamSpec>, _>>()?;
    for (index, param) in params.iter().enumerate() {
        if params.iter().take(index).any(|other| other.name == param.name) {
            return Err(wrong(format!("Duplicated parameters found in schema: ['{}']", param.name)));
        }
    }
    Ok(params)
}

fn param(spec: Map<String, Value>) -> Result<ParamSpec, Error> {
    // Files of MLflow before 2.10 say `dtype`.
    let kind = spec.get("type").or_else(|| spec.get("dtype")).and_then(Value::as_str);
    let (Some(name), Some(kind), Some(default)) = (spec.get("name"), kind, spec.get("default")) else {
        return Err(wrong(
            "Missing keys in ParamSpec JSON. Expected to find keys `name`, `type` and `default`",
        ));
    };
    let is_list = match spec.get("shape") {
        None | Some(Value::Null) => false,
        Some(Value::Array(axes)) if axes.len() == 1 && axes.iter().all(|axis| axis == -1) => true,
        Some(_) => {
            return Err(wrong(
                "Shape must be None for scalar or dictionary value, or (-1,) for 1D array value",
            ));
        }
    };
    let kind = match (kind, is_list) {
        ("binary", _) => return Err(wrong("Binary type is not supported for parameters")),
        ("object", false) => ParamType::Object(properties(&spec, 0)?),
        (name, false) => ParamType::Scalar(data_type(name)?),
        (name, true) => ParamType::List(data_type(name)?),
    };
    let mut param = ParamSpec { name: crate::python_repr::str_of(name), kind, default: default.clone() };
    param.default = check_param(&param, default).map_err(wrong)?;
    Ok(param)
}
