//! Nested lists as arrays, with the element types that NumPy gives them.

use serde_json::{Value, json};

use super::Array;
use crate::python_repr::{repr, str_of, type_name};

/// Deepest nesting: what NumPy allows.
const MAX_AXES: usize = 64;

/// The array of nested lists, or of one scalar.
pub(super) fn build(value: &Value) -> Result<Array, String> {
    let (shape, leaves) = flatten(value)?;
    if let Some(leaf) = leaves.iter().find(|leaf| leaf.is_null() || leaf.is_object()) {
        return Err(format!("an array cannot hold {}: {}", type_name(leaf), repr(leaf)));
    }
    let any = |test: fn(&Value) -> bool| leaves.iter().any(|leaf| test(leaf));
    let is_float = |leaf: &Value| leaf.is_f64();
    let (dtype, values): (_, Vec<Value>) = if any(Value::is_string) {
        ("str", leaves.into_iter().map(|leaf| Value::from(str_of(leaf))).collect())
    } else if leaves.is_empty() || any(is_float) {
        ("float64", leaves.into_iter().map(|leaf| json!(number(leaf))).collect())
    } else if any(Value::is_number) {
        let whole = |leaf: &Value| leaf.as_bool().map_or_else(|| leaf.clone(), |flag| json!(i64::from(flag)));
        ("int64", leaves.into_iter().map(whole).collect())
    } else {
        ("bool", leaves.into_iter().cloned().collect())
    };
    Ok(Array::from_parts(dtype, shape, values))
}

fn number(leaf: &Value) -> f64 {
    leaf.as_f64().unwrap_or_else(|| if leaf == &Value::Bool(true) { 1.0 } else { 0.0 })
}

/// The array of texts of nested lists, or of one scalar.
pub(super) fn build_texts(value: &Value) -> Result<Array, String> {
    let (shape, leaves) = flatten(value)?;
    Ok(Array::from_parts("str", shape, leaves.into_iter().map(|leaf| Value::from(str_of(leaf))).collect()))
}

/// The shape of nested lists, and their leaves in order.
fn flatten(value: &Value) -> Result<(Vec<usize>, Vec<&Value>), String> {
    let mut shape = Vec::new();
    let mut level = vec![value];
    while let Some(first) = level.first().and_then(|value| value.as_array()) {
        let ragged = || {
            format!(
                "setting an array element with a sequence. The requested array has an inhomogeneous shape after {} dimensions.",
                shape.len()
            )
        };
        if shape.len() == MAX_AXES {
            return Err(format!("nested deeper than {MAX_AXES} levels"));
        }
        let width = first.len();
        let mut next = Vec::new();
        for value in &level {
            let items = value.as_array().filter(|items| items.len() == width).ok_or_else(ragged)?;
            next.extend(items);
        }
        shape.push(width);
        level = next;
    }
    if level.iter().any(|value| value.is_array()) {
        return Err("setting an array element with a sequence".to_owned());
    }
    Ok((shape, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: Value, dtype: &str, shape: &[usize]) {
        let array = build(&value).unwrap();
        assert_eq!((array.dtype(), array.shape()), (dtype, shape));
        assert_eq!(array.values().len(), shape.iter().product::<usize>());
    }

    #[test]
    fn types_and_shapes_are_those_of_numpy() {
        check(json!("a"), "str", &[]);
        check(json!(["a", 1]), "str", &[2]);
        check(json!([[1, true], [2, false]]), "int64", &[2, 2]);
        check(json!([1, 2.5]), "float64", &[2]);
        check(json!([true]), "bool", &[1]);
        check(json!([]), "float64", &[0]);
        check(json!([[], []]), "float64", &[2, 0]);
        for ragged in
            [json!([["a"], ["b", "c"]]), json!(["a", ["b"]]), json!([["a"], "b"]), json!([null]), json!([{}])]
        {
            assert!(build(&ragged).is_err(), "{ragged}");
        }
    }
}
