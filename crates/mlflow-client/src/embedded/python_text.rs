//! How Python writes texts and lists, where MLflow says or stores what Python wrote.

use std::fmt::Write;

pub(super) use crate::python_json::{json, quoted};

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
    }
}
