//! Nested lists as arrays.
use serde_json::Value;

use super::Array;

pub(super) fn build(value: &Value) -> Result<Array, String> {
    let _ = value;
    todo!()
}
