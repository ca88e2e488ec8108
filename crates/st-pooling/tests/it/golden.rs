//! Reads golden files and compares with them.

use ndarray::{Array1, Array2, Array3, ArrayView, Dimension};
use serde_json::Value;

/// The cases of one file of `fixtures/golden/pooling/`.
pub(crate) fn cases(text: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(text).expect("golden files are JSON");
    let cases = file["cases"].take();
    let cases = cases.as_array().cloned().unwrap_or_default();
    assert!(!cases.is_empty(), "a golden file without cases tests nothing");
    cases
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).expect("a list")
}

/// A number; `null` stands for minus infinity.
#[expect(clippy::cast_possible_truncation, reason = "the file spells 32-bit floats")]
fn float(value: &Value) -> f32 {
    if value.is_null() { f32::NEG_INFINITY } else { value.as_f64().expect("a number") as f32 }
}

pub(crate) fn integer<T: TryFrom<i64>>(value: &Value) -> T {
    value.as_i64().and_then(|value| value.try_into().ok()).expect("an integer in range")
}

pub(crate) fn vector(value: &Value) -> Array1<f32> {
    items(value).iter().map(float).collect()
}

fn matrix_of<T>(value: &Value, item: impl Fn(&Value) -> T) -> Array2<T> {
    let rows = items(value);
    let width = rows.first().map_or(0, |row| items(row).len());
    let flat = rows.iter().flat_map(items).map(item).collect();
    Array2::from_shape_vec((rows.len(), width), flat).expect("rows of one width")
}

pub(crate) fn matrix(value: &Value) -> Array2<f32> {
    matrix_of(value, float)
}

pub(crate) fn integers<T: TryFrom<i64>>(value: &Value) -> Array2<T> {
    matrix_of(value, integer)
}

pub(crate) fn tensor(value: &Value) -> Array3<f32> {
    let texts: Vec<_> = items(value).iter().map(matrix).collect();
    let texts: Vec<_> = texts.iter().map(|text| text.view()).collect();
    ndarray::stack(ndarray::Axis(0), &texts).expect("texts of one shape")
}

/// Element by element within 1e-6, absolutely or relatively: `f32` sums in another order than torch's.
#[track_caller]
pub(crate) fn assert_close<D: Dimension>(
    name: &str,
    got: ArrayView<'_, f32, D>,
    want: ArrayView<'_, f32, D>,
) {
    assert_eq!(got.shape(), want.shape(), "{name}");
    for (place, (got, want)) in got.iter().zip(&want).enumerate() {
        let close = (got - want).abs() <= 1e-6 * want.abs().max(1.0);
        assert!(close || got.to_bits() == want.to_bits(), "{name}: element {place} is {got}, not {want}");
    }
}

#[test]
#[should_panic(expected = "scale: element 1 is 8, not 0.8")]
fn scale_errors_are_caught() {
    let (got, want) = (Array1::from_vec(vec![0.6, 8.0]), Array1::from_vec(vec![0.6, 0.8]));
    assert_close("scale", got.view(), want.view());
}
