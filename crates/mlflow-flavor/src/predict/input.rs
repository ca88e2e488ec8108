//! What a caller may hand to a model: the values that Python's `predict` takes, as far as JSON can say them.

use std::fmt;

use serde_json::Value;

use crate::Error;

/// The input of [`PyFunc::predict`](crate::PyFunc::predict).
///
/// ```
/// use mlflow_flavor::{Frame, PredictInput};
/// use serde_json::json;
///
/// let one = PredictInput::from("a text");
/// let many = PredictInput::from(vec!["one", "two"]);
/// let unified = PredictInput::Value(json!({"input": ["one", "two"]}));
/// let table = PredictInput::Frame(Frame::named([("text", vec![json!("one"), json!("two")])])?);
/// # let _ = (one, many, unified, table);
/// # Ok::<(), mlflow_flavor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PredictInput {
    /// A scalar, a list, a dictionary, a list of records, or null.
    Value(Value),
    /// A table: pandas' `DataFrame`.
    Frame(Frame),
    /// An array with one element type: NumPy's `ndarray`.
    Array(Array),
}

impl From<&str> for PredictInput {
    fn from(text: &str) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<String> for PredictInput {
    fn from(text: String) -> Self {
        Self::Value(Value::from(text))
    }
}

impl<T: Into<String>> From<Vec<T>> for PredictInput {
    fn from(texts: Vec<T>) -> Self {
        Self::Value(texts.into_iter().map(Into::<String>::into).collect())
    }
}

impl From<Value> for PredictInput {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<Frame> for PredictInput {
    fn from(frame: Frame) -> Self {
        Self::Frame(frame)
    }
}

impl From<Array> for PredictInput {
    fn from(array: Array) -> Self {
        Self::Array(array)
    }
}

/// The name of a column; a table without a header numbers them from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnName {
    /// A name.
    Text(String),
    /// A position.
    Index(usize),
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(name) => f.pad(name),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// A table: named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    columns: Vec<(ColumnName, Vec<Value>)>,
    rows: usize,
}

impl Frame {
    /// Joins columns.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] if they differ in length.
    pub fn new(columns: Vec<(ColumnName, Vec<Value>)>) -> Result<Self, Error> {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        if columns.iter().all(|(_, values)| values.len() == rows) {
            Ok(Self { columns, rows })
        } else {
            Err(Error::Request { message: "All arrays must be of the same length".to_owned() })
        }
    }

    /// Joins columns that have names.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn named<N: Into<String>>(columns: impl IntoIterator<Item = (N, Vec<Value>)>) -> Result<Self, Error> {
        Self::new(columns.into_iter().map(|(name, values)| (ColumnName::Text(name.into()), values)).collect())
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[(ColumnName, Vec<Value>)] {
        &self.columns
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A table that has rows but perhaps no columns, as pandas makes of `[{}]`.
    pub(crate) fn with_rows(columns: Vec<(ColumnName, Vec<Value>)>, rows: usize) -> Self {
        Self { columns, rows }
    }
}

/// An array with one element type and a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    dtype: &'static str,
    shape: Vec<usize>,
    values: Vec<Value>,
}

impl Array {
    /// Makes an array of nested lists of equal length, or of one scalar (shape `[]`).
    ///
    /// The element type is `str`, `bool`, `int64` or `float64`; numbers beside texts become texts, as in NumPy.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] if the lists are ragged, or hold a dictionary or null.
    pub fn new(value: &Value) -> Result<Self, Error> {
        super::array::build(value).map_err(|message| Error::Request { message })
    }

    /// Makes an array of texts: everything else becomes what Python's `str` shows.
    pub(crate) fn texts(value: &Value) -> Result<Self, String> {
        super::array::build_texts(value)
    }

    pub(crate) fn from_parts(dtype: &'static str, shape: Vec<usize>, values: Vec<Value>) -> Self {
        Self { dtype, shape, values }
    }

    /// NumPy's name of the element type.
    pub fn dtype(&self) -> &'static str {
        self.dtype
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, last axis fastest.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}
