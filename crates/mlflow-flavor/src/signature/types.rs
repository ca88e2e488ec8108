//! The types of a signature.

use serde_json::Value;

use crate::{ColumnName, Error};

/// A scalar type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// True or false.
    Boolean,
    /// 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    Long,
    /// 32 bits, floating point.
    Float,
    /// 64 bits, floating point.
    Double,
    /// Text.
    String,
    /// Bytes.
    Binary,
    /// A point in time.
    Datetime,
}

impl DataType {
    /// Every type, in MLflow's order.
    pub const ALL: &'static [Self] = &[
        Self::Boolean,
        Self::Integer,
        Self::Long,
        Self::Float,
        Self::Double,
        Self::String,
        Self::Binary,
        Self::Datetime,
    ];

    /// MLflow's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Datetime => "datetime",
        }
    }

    /// NumPy's spelling in messages.
    pub(crate) const fn numpy_name(self) -> &'static str {
        match self {
            Self::Boolean => "bool",
            Self::Integer => "int32",
            Self::Long => "int64",
            Self::Float => "float32",
            Self::Double => "float64",
            Self::String => "<U0",
            Self::Binary => "|S0",
            Self::Datetime => "datetime64[ns]",
        }
    }
}

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColType {
    /// A scalar.
    Scalar(DataType),
    /// A list with items of one type.
    Array(Box<ColType>),
    /// A dictionary with known keys, in the order of their names.
    Object(Vec<Property>),
    /// A dictionary with values of one type.
    Map(Box<ColType>),
    /// Whatever JSON can say.
    Any,
    /// A vector of Spark ML.
    SparkMlVector,
}

/// A key of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key.
    pub name: String,
    /// The type of its value.
    pub kind: ColType,
    /// Whether the key must be there.
    pub required: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColSpec {
    /// The type of its values.
    pub kind: ColType,
    /// Its name: text, or a number for a table without header.
    pub name: Option<ColumnName>,
    /// Whether the column must be there.
    pub required: bool,
}

impl ColSpec {
    /// A column without a name.
    pub fn unnamed(kind: ColType) -> Self {
        Self { kind, name: None, required: true }
    }

    /// A column that must be there.
    pub fn named(name: impl Into<String>, kind: ColType) -> Self {
        Self { kind, name: Some(ColumnName::Text(name.into())), required: true }
    }
}

/// A tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name.
    pub name: Option<String>,
    /// NumPy's name of the element type.
    pub dtype: String,
    /// The length of each axis; -1 is any.
    pub shape: Vec<i64>,
}

impl TensorSpec {
    /// A tensor without a name.
    pub fn unnamed(dtype: impl Into<String>, shape: Vec<i64>) -> Self {
        Self { name: None, dtype: dtype.into(), shape }
    }
}

/// Columns or tensors: all named or none, never a mixture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    kind: SchemaKind,
}

/// What a [`Schema`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaKind {
    /// Columns.
    Columns(Vec<ColSpec>),
    /// Tensors.
    Tensors(Vec<TensorSpec>),
}

impl Schema {
    /// Joins columns.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if there are none, if some have names and some have not, or if one without a name
    /// is optional.
    pub fn columns(columns: Vec<ColSpec>) -> Result<Self, Error> {
        let named = columns.iter().filter(|column| column.name.is_some()).count();
        let problem = if columns.is_empty() {
            "Creating Schema with empty inputs is not allowed."
        } else if named != 0 && named != columns.len() {
            "Creating Schema with a combination of named and unnamed inputs is not allowed."
        } else if named == 0 && columns.iter().any(|column| !column.required) {
            "Creating Schema with unnamed optional inputs is not supported."
        } else {
            return Ok(Self { kind: SchemaKind::Columns(columns) });
        };
        Err(Error::Signature { problem: problem.to_owned() })
    }

    /// Joins tensors.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if there are none, or several that have not all a name.
    pub fn tensors(tensors: Vec<TensorSpec>) -> Result<Self, Error> {
        let named = tensors.iter().filter(|tensor| tensor.name.is_some()).count();
        let problem = if tensors.is_empty() {
            "Creating Schema with empty inputs is not allowed."
        } else if named != 0 && named != tensors.len() {
            "Creating Schema with a combination of named and unnamed inputs is not allowed."
        } else if named == 0 && tensors.len() > 1 {
            "Creating Schema with multiple unnamed TensorSpecs is not supported."
        } else {
            return Ok(Self { kind: SchemaKind::Tensors(tensors) });
        };
        Err(Error::Signature { problem: problem.to_owned() })
    }

    /// What it is made of.
    pub fn kind(&self) -> &SchemaKind {
        &self.kind
    }

    /// The columns, if it is made of columns.
    pub fn as_columns(&self) -> Option<&[ColSpec]> {
        match &self.kind {
            SchemaKind::Columns(columns) => Some(columns),
            SchemaKind::Tensors(_) => None,
        }
    }

    /// Whether its columns or tensors have names.
    pub fn has_names(&self) -> bool {
        match &self.kind {
            SchemaKind::Columns(columns) => columns.iter().any(|column| column.name.is_some()),
            SchemaKind::Tensors(tensors) => tensors.iter().any(|tensor| tensor.name.is_some()),
        }
    }
}

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// A scalar.
    Scalar(DataType),
    /// A list of scalars: shape `[-1]`.
    List(DataType),
    /// A dictionary.
    Object(Vec<Property>),
}

/// A parameter of `predict`.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParamType,
    /// Its value if the caller gives none.
    pub default: Value,
}

/// What goes in, what comes out, and which parameters there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSignature {
    /// What goes in.
    pub inputs: Option<Schema>,
    /// What comes out; MLflow never checks it.
    pub outputs: Option<Schema>,
    /// The parameters.
    pub params: Option<Vec<ParamSpec>>,
}

impl ModelSignature {
    /// The signature that the flavor gives where nothing else is known: a text in, `float64 [-1]` out.
    ///
    /// The true answer is `float32 [-1, dim]`; the literal of Python's flavor is kept.
    pub fn default_for_encoders() -> Self {
        Self {
            inputs: Some(column(ColSpec::unnamed(ColType::Scalar(DataType::String)))),
            outputs: Some(Self::tensor_output("float64", vec![-1])),
            params: None,
        }
    }

    /// The signature of a model with the task `llm/v1/embeddings`.
    pub fn for_embeddings_task() -> Self {
        let scalar = ColType::Scalar;
        let key = |name: &str, kind| Property { name: name.to_owned(), kind, required: true };
        let item = ColType::Object(vec![
            key("embedding", ColType::Array(Box::new(scalar(DataType::Double)))),
            key("index", scalar(DataType::Long)),
            key("object", scalar(DataType::String)),
        ]);
        let usage = ColType::Object(vec![
            key("prompt_tokens", scalar(DataType::Long)),
            key("total_tokens", scalar(DataType::Long)),
        ]);
        let outputs = vec![
            ColSpec::named("object", scalar(DataType::String)),
            ColSpec::named("data", ColType::Array(Box::new(item))),
            ColSpec::named("usage", usage),
        ];
        Self {
            inputs: Some(column(ColSpec::named("input", scalar(DataType::String)))),
            outputs: Some(Schema { kind: SchemaKind::Columns(outputs) }),
            params: None,
        }
    }

    /// One tensor without a name, as the outputs of a signature.
    pub(crate) fn tensor_output(dtype: &str, shape: Vec<i64>) -> Schema {
        Schema { kind: SchemaKind::Tensors(vec![TensorSpec::unnamed(dtype, shape)]) }
    }
}

fn column(column: ColSpec) -> Schema {
    Schema { kind: SchemaKind::Columns(vec![column]) }
}
