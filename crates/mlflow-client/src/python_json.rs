//! How Python writes JSON, where MLflow stores a text of it.

use std::fmt::Write;

use serde_json::Value;

/// A value as Python's `json.dumps` has it: a space behind commas and colons, and no character beyond ASCII.
pub(crate) fn json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", quoted(key), json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        plain => plain.to_string(),
    }
}

/// A text as Python's `json.dumps` has it.
pub(crate) fn quoted(text: &str) -> String {
    let mut written = String::new();
    for character in Value::from(text).to_string().chars() {
        if character.is_ascii() && character != '\u{7f}' {
            written.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _infallible_for_strings = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        let value = serde_json::json!([{"name": "größe 𝄞", "version": 1}, null, true]);
        assert_eq!(json(&value), r#"[{"name": "gr\u00f6\u00dfe \ud834\udd1e", "version": 1}, null, true]"#);
    }
}
