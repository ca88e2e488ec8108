//! Whether an array, or a table that stands for one, fits a tensor.

use serde_json::Value;

use super::Enforced;
use crate::python_repr::{str_of, type_name};
use crate::signature::types::TensorSpec;
use crate::{Array, ColumnName, Frame, PredictInput};

/// A shape as a Python tuple.
pub(super) fn shape_text(shape: &[usize]) -> String {
    let axes: Vec<i64> = shape.iter().map(|axis| i64::try_from(*axis).unwrap_or(i64::MAX)).collect();
    crate::signature::write::shape_text(&axes)
}

pub(super) fn enforce(input: &PredictInput, tensors: &[TensorSpec]) -> Result<Enforced, String> {
    let [tensor] = tensors else {
        return Err("a signature of several tensors says nothing about texts".to_owned());
    };
    match (&tensor.name, input) {
        (None, PredictInput::Array(array)) => check(array.clone(), tensor).map(Enforced::Array),
        (None, PredictInput::Frame(frame)) => from_frame(frame, tensor).map(Enforced::Array),
        (None, PredictInput::Value(value)) => Err(format!(
            "This model contains a tensor-based model signature with no input names, which suggests a numpy array input or a pandas dataframe input with proper column values, but an input of type <class '{}'> was found.",
            type_name(value)
        )),
        (Some(name), PredictInput::Frame(frame)) => {
            let given = |column: &&(ColumnName, Vec<Value>)| column.0 == ColumnName::Text(name.clone());
            let Some((_, values)) = frame.columns().iter().find(given) else {
                return Err(format!("Model is missing inputs ['{name}']."));
            };
            let array = check(column(Some(name), values, tensor)?, tensor)?;
            let column = (ColumnName::Text(name.clone()), array.values().to_vec());
            Ok(Enforced::Frame(Frame::with_rows(vec![column], frame.rows())))
        }
        (Some(name), PredictInput::Value(Value::Object(entries))) if !entries.contains_key(name) => {
            Err(format!("Model is missing inputs ['{name}']."))
        }
        (Some(_), _) => Err(
            "This model contains a tensor-based model signature with input names, which suggests a dictionary input mapping input name to tensor, or a pandas DataFrame input containing columns mapping input name to flattened list value from tensor"
                .to_owned(),
        ),
    }
}

fn from_frame(frame: &Frame, tensor: &TensorSpec) -> Result<Array, String> {
    match frame.columns() {
        _ if frame.rows() == 0 => Err("Input DataFrame is empty.".to_owned()),
        [] => Err("Input DataFrame is empty.".to_owned()),
        [(_, values)] => check(column(None, values, tensor)?, tensor),
        columns => Err(format!(
            "This model contains a model signature with an unnamed input. Since the input data is a pandas DataFrame containing multiple columns, the input shape must be of the structure (-1, number_of_dataframe_columns). Instead, the input DataFrame passed had {} columns and an input shape of {} with all values within the DataFrame of scalar type.",
            columns.len(),
            crate::signature::write::shape_text(&tensor.shape)
        )),
    }
}

/// A column of scalars as an array of the shape and the element type of the tensor.
fn column(name: Option<&str>, values: &[Value], tensor: &TensorSpec) -> Result<Array, String> {
    let shape = match tensor.shape.as_slice() {
        [-1] => vec![values.len()],
        [-1, 1] => vec![values.len(), 1],
        _ => {
            return Err(format!(
                "The input pandas dataframe column '{}' contains scalar values, which requires the shape to be (-1,) or (-1, 1), but got tensor spec shape of {}.",
                name.unwrap_or("None"),
                crate::signature::write::shape_text(&tensor.shape)
            ));
        }
    };
    if values.iter().any(|value| value.is_array() || value.is_object()) {
        return Err(format!(
            "The value in the Input DataFrame column '{}' could not be converted to the expected shape of: '{}'.",
            name.unwrap_or("None"),
            crate::signature::write::shape_text(&tensor.shape)
        ));
    }
    if tensor.dtype == "str" {
        let text = |value: &Value| if value.is_null() { Value::Null } else { Value::from(str_of(value)) };
        return Ok(Array::from_parts("str", shape, values.iter().map(text).collect()));
    }
    let array = Array::new(&Value::Array(values.to_vec())).map_err(|error| error.to_string())?;
    Ok(Array::from_parts(array.dtype(), shape, array.values().to_vec()))
}

fn check(array: Array, tensor: &TensorSpec) -> Result<Array, String> {
    let fits = |(axis, expected): (&usize, &i64)| *expected == -1 || i64::try_from(*axis) == Ok(*expected);
    if array.shape().len() != tensor.shape.len() || !array.shape().iter().zip(&tensor.shape).all(fits) {
        return Err(format!(
            "Shape of input {} does not match expected shape {}.",
            shape_text(array.shape()),
            crate::signature::write::shape_text(&tensor.shape)
        ));
    }
    if array.dtype() != tensor.dtype {
        let expected = if tensor.dtype == "str" { "<U0" } else { &tensor.dtype };
        return Err(format!("dtype of input {} does not match expected dtype {expected}", array.dtype()));
    }
    Ok(array)
}
