//! Signatures as JSON, in the order of keys and the spacing of Python, and as MLflow's messages show them.

use std::fmt;

use serde_json::{Map, Value, json};

use super::types::{
    ColSpec, ColType, ModelSignature, ParamSpec, ParamType, Property, Schema, SchemaKind, TensorSpec,
};
use crate::ColumnName;
use crate::python_json::dumps;
use crate::python_repr::{repr, str_of};

impl ModelSignature {
    /// The three texts of the file `MLmodel`: inputs, outputs, parameters.
    pub fn to_json(&self) -> [Option<String>; 3] {
        let params = self.params.as_ref().map(|params| dumps(&params.iter().map(param).collect()));
        [self.inputs.as_ref().map(Schema::to_json), self.outputs.as_ref().map(Schema::to_json), params]
    }
}

impl Schema {
    /// The JSON text, with the spacing of Python's `json.dumps`.
    pub fn to_json(&self) -> String {
        dumps(&match self.kind() {
            SchemaKind::Columns(columns) => columns.iter().map(col_spec).collect(),
            SchemaKind::Tensors(tensors) => tensors.iter().map(tensor_spec).collect::<Value>(),
        })
    }
}

fn col_spec(column: &ColSpec) -> Value {
    let mut entries = col_type(&column.kind);
    if let Some(name) = &column.name {
        entries.insert("name".into(), name.to_value());
    }
    entries.insert("required".into(), json!(column.required));
    Value::Object(entries)
}

/// `{"type": …}` and what belongs to the type.
fn col_type(kind: &ColType) -> Map<String, Value> {
    let mut entries = Map::new();
    entries.insert("type".into(), json!(kind.name()));
    match kind {
        ColType::Scalar(_) | ColType::Any | ColType::SparkMlVector => {}
        ColType::Array(item) => {
            entries.insert("items".into(), Value::Object(col_type(item)));
        }
        ColType::Map(value) => {
            entries.insert("values".into(), Value::Object(col_type(value)));
        }
        ColType::Object(properties) => {
            entries.insert("properties".into(), object_properties(properties));
        }
    }
    entries
}

fn object_properties(properties: &[Property]) -> Value {
    let entry = |property: &Property| {
        let mut entries = col_type(&property.kind);
        entries.insert("required".into(), json!(property.required));
        (property.name.clone(), Value::Object(entries))
    };
    Value::Object(properties.iter().map(entry).collect())
}

fn tensor_spec(tensor: &TensorSpec) -> Value {
    let mut entries = Map::new();
    if let Some(name) = &tensor.name {
        entries.insert("name".into(), json!(name));
    }
    entries.insert("type".into(), json!("tensor"));
    entries.insert("tensor-spec".into(), json!({"dtype": tensor.dtype, "shape": tensor.shape}));
    Value::Object(entries)
}

fn param(param: &ParamSpec) -> Value {
    let shape = matches!(param.kind, ParamType::List(_)).then_some([-1]);
    let mut entries = Map::new();
    entries.insert("name".into(), json!(param.name));
    entries.insert("default".into(), param.default.clone());
    entries.insert("shape".into(), json!(shape));
    match &param.kind {
        ParamType::Scalar(kind) | ParamType::List(kind) => {
            entries.insert("type".into(), json!(kind.name()));
        }
        ParamType::Object(properties) => {
            entries.insert("type".into(), json!("object"));
            entries.insert("properties".into(), object_properties(properties));
        }
    }
    Value::Object(entries)
}

impl ColType {
    /// MLflow's word for it, without what it is made of.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scalar(kind) => kind.name(),
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Map(_) => "map",
            Self::Any => "any",
            Self::SparkMlVector => "sparkml_vector",
        }
    }
}

impl ColumnName {
    /// The name as JSON: text or a number.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Index(index) => json!(index),
        }
    }
}

impl fmt::Display for ColType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(kind) => f.write_str(kind.name()),
            Self::Array(item) => write!(f, "Array({item})"),
            Self::Object(properties) => write_properties(f, properties),
            // Python shows a scalar by its other name here.
            Self::Map(value) if matches!(**value, Self::Scalar(_)) => {
                write!(f, "Map(str -> DataType.{value})")
            }
            Self::Map(value) => write!(f, "Map(str -> {value})"),
            Self::Any => f.write_str("Any"),
            Self::SparkMlVector => f.write_str("SparkML vector"),
        }
    }
}

fn write_properties(f: &mut fmt::Formatter<'_>, properties: &[Property]) -> fmt::Result {
    f.write_str("{")?;
    for (index, Property { name, kind, required }) in properties.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{name}: {kind} ({})", required_word(*required))?;
    }
    f.write_str("}")
}

fn required_word(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

impl fmt::Display for ColSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{}: ", repr(&name.to_value()))?;
        }
        write!(f, "{} ({})", self.kind, required_word(self.required))
    }
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{}: ", repr(&json!(name)))?;
        }
        write!(f, "Tensor({}, {})", repr(&json!(self.dtype)), shape_text(&self.shape))
    }
}

/// A shape as a Python tuple.
pub(super) fn shape_text(shape: &[i64]) -> String {
    let comma = if shape.len() == 1 { "," } else { "" };
    format!("({}{comma})", shape.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let specs: Vec<String> = match self.kind() {
            SchemaKind::Columns(columns) => columns.iter().map(ToString::to_string).collect(),
            SchemaKind::Tensors(tensors) => tensors.iter().map(ToString::to_string).collect(),
        };
        write!(f, "[{}]", specs.join(", "))
    }
}

impl fmt::Display for ParamSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = repr(&json!(self.name));
        let default = str_of(&self.default);
        match &self.kind {
            ParamType::Scalar(kind) => write!(f, "{name}: {} (default: {default})", kind.name()),
            ParamType::List(kind) => write!(f, "{name}: {} (default: {default}) (shape: (-1,))", kind.name()),
            ParamType::Object(properties) => {
                write!(f, "{name}: ")?;
                write_properties(f, properties)?;
                write!(f, " (default: {default})")
            }
        }
    }
}

/// Names as Python shows a list of them.
pub(super) fn names_text<'a>(names: impl IntoIterator<Item = &'a ColumnName>) -> String {
    repr(&names.into_iter().map(ColumnName::to_value).collect())
}
