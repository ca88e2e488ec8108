//! Inputs as tables, as MLflow and pandas make them.

use serde_json::{Map, Value};

use crate::signature::types::{ColSpec, ColType};
use crate::{Array, ColumnName, Frame, PredictInput};

/// The table that `_enforce_schema` makes of an input, given the columns of the schema.
pub(super) fn from_input(input: &PredictInput, columns: &[ColSpec]) -> Result<Frame, String> {
    match input {
        PredictInput::Frame(frame) => Ok(frame.clone()),
        PredictInput::Array(array) => from_array(array),
        PredictInput::Value(Value::Null) => Err("Expected input to be DataFrame. Found: NoneType".to_owned()),
        PredictInput::Value(Value::Array(items)) => from_list(items),
        PredictInput::Value(Value::Object(entries)) => from_dictionary(entries, columns),
        PredictInput::Value(scalar) => {
            Ok(Frame::with_rows(vec![(ColumnName::Index(0), vec![scalar.clone()])], 1))
        }
    }
}

/// An array of one axis is a column, of two axes a table.
pub(super) fn from_array(array: &Array) -> Result<Frame, String> {
    match *array.shape() {
        [rows] => Ok(Frame::with_rows(vec![(ColumnName::Index(0), array.values().to_vec())], rows)),
        [rows, width] => {
            let column = |index| {
                let values = array.values().iter().skip(index).step_by(width.max(1));
                (ColumnName::Index(index), values.cloned().collect())
            };
            Ok(Frame::with_rows((0..width).map(column).collect(), rows))
        }
        _ => Err(format!("Must pass 2-d input. shape={}", super::tensor::shape_text(array.shape()))),
    }
}

/// A list of records, of rows, or of values.
pub(crate) fn from_list(items: &[Value]) -> Result<Frame, String> {
    match items.first() {
        None => Ok(Frame::default()),
        Some(Value::Object(_)) => from_records(items),
        Some(Value::Array(_)) => from_rows(items),
        Some(_) => Ok(Frame::with_rows(vec![(ColumnName::Index(0), items.to_vec())], items.len())),
    }
}

fn from_records(items: &[Value]) -> Result<Frame, String> {
    let mut names: Vec<&String> = Vec::new();
    for (row, item) in items.iter().enumerate() {
        let record =
            item.as_object().ok_or_else(|| format!("row {row} is no record, unlike the first row"))?;
        for name in record.keys() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let column = |name: &String| {
        let values = items.iter().map(|item| item.get(name).cloned().unwrap_or(Value::Null));
        (ColumnName::Text(name.clone()), values.collect())
    };
    Ok(Frame::with_rows(names.into_iter().map(column).collect(), items.len()))
}

/// Rows of values; short rows are filled up with nulls.
fn from_rows(items: &[Value]) -> Result<Frame, String> {
    let row = |(row, item): (usize, &'_ Value)| match item {
        Value::Array(values) => Ok(values.len()),
        _ => Err(format!("row {row} is no list, unlike the first row")),
    };
    let lengths = items.iter().enumerate().map(row).collect::<Result<Vec<_>, _>>()?;
    let width = lengths.into_iter().max().unwrap_or(0);
    let column = |index: usize| {
        let values = items.iter().map(|item| item.get(index).cloned().unwrap_or(Value::Null));
        (ColumnName::Index(index), values.collect())
    };
    Ok(Frame::with_rows((0..width).map(column).collect(), items.len()))
}

fn from_dictionary(entries: &Map<String, Value>, columns: &[ColSpec]) -> Result<Frame, String> {
    let structured =
        |kind: &ColType| matches!(kind, ColType::Array(_) | ColType::Object(_) | ColType::SparkMlVector);
    let one_row =
        columns.iter().any(|column| structured(&column.kind)) || entries.values().all(fits_one_cell);
    if one_row {
        let cell = |(name, value): (&String, &Value)| (ColumnName::Text(name.clone()), vec![value.clone()]);
        return Ok(Frame::with_rows(entries.iter().map(cell).collect(), 1));
    }
    let cast = |problem: &str| {
        format!(
            "This model contains a column-based signature, which suggests a DataFrame input. There was an error casting the input data to a DataFrame: {problem}"
        )
    };
    // pandas takes a dictionary for a column whose keys label the rows.
    let labels = |value: &Value| value.as_object().map(|rows| rows.keys().cloned().collect::<Vec<_>>());
    let mut labelled = entries.values().filter_map(labels);
    let first = labelled.next();
    if labelled.any(|labels| Some(&labels) != first.as_ref()) {
        return Err(cast("the columns have different row labels"));
    }
    if first.is_some() && entries.values().any(Value::is_array) {
        return Err(cast("Mixing dicts with non-Series may lead to ambiguous ordering."));
    }
    let mut lengths = entries.values().filter_map(|value| value.as_array().map(Vec::len));
    let rows = first.map(|labels| labels.len()).or_else(|| lengths.next()).unwrap_or(1);
    if lengths.any(|length| length != rows) {
        return Err(cast("All arrays must be of the same length"));
    }
    let column = |(name, value): (&String, &Value)| {
        let values = match value {
            Value::Array(items) => items.clone(),
            Value::Object(rows) => rows.values().cloned().collect(),
            scalar => vec![scalar.clone(); rows],
        };
        (ColumnName::Text(name.clone()), values)
    };
    Ok(Frame::with_rows(entries.iter().map(column).collect(), rows))
}

fn fits_one_cell(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        Value::Object(_) => false,
        _ => true,
    }
}
