//! The types of a signature.

use serde_json::Value;

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
    pub name: Option<crate::ColumnName>,
    /// Whether the column must be there.
    pub required: bool,
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

/// Columns or tensors: all named or none, never a mixture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub(crate) kind: SchemaKind,
}

/// What a [`Schema`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaKind {
    /// Columns.
    Columns(Vec<ColSpec>),
    /// Tensors.
    Tensors(Vec<TensorSpec>),
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
    pub fn default_for_encoders() -> Self {
        todo!()
    }
}
