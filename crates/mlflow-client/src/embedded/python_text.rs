//! How Python writes texts and lists, where MLflow stores or says what Python wrote.

use std::fmt::Write;

use serde_json::Value;

/// A text as Python's `repr` has it.
pub(super) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            character if character == quote => {
                written.push('\\');
                written.push(character);
            }
            character if character.is_control() && u32::from(character) < 0x100 => {
                push(&mut written, format_args!("\\x{:02x}", u32::from(character)));
            }
            character => written.push(character),
        }
    }
    written.push(quote);
    written
}

/// A list of texts as Python's `repr` has it.
pub(super) fn repr_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", texts.into_iter().map(repr).collect::<Vec<_>>().join(", "))
}

/// A value as Python's `json.dumps` has it: a space behind commas and colons, and no character beyond ASCII.
pub(super) fn json(value: &Value) -> String {
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
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::new();
    for character in Value::from(text).to_string().chars() {
        if character.is_ascii() && character != '\u{7f}' {
            written.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                push(&mut written, format_args!("\\u{unit:04x}"));
            }
        }
    }
    written
}

fn push(written: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _infallible_for_strings = written.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        assert_eq!(repr("lr"), "'lr'");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("it's \"so\""), r#"'it\'s "so"'"#);
        assert_eq!(repr("a\n\u{1}ö\\"), "'a\\n\\x01ö\\\\'");
        assert_eq!(repr_list(["a", "b"]), "['a', 'b']");
        let value = serde_json::json!([{"name": "größe 𝄞", "version": 1}, null, true]);
        assert_eq!(json(&value), r#"[{"name": "gr\u00f6\u00dfe \ud834\udd1e", "version": 1}, null, true]"#);
    }
}
