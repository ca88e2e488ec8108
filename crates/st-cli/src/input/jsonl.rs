//! JSON lines: each a text, or an object with columns.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::text::Lines;
use super::{Columns, Record, Records, list};
use crate::error::Error;
use crate::output::jsonl::HEADER_KEY;

/// Reads lines one by one; blank ones are passed over.
pub(super) fn records(reader: impl BufRead + 'static, file: String, columns: Columns) -> Records {
    let lines = Lines::new(reader, file.clone());
    Box::new(
        lines
            .filter(|line| !matches!(line, Ok((number, text)) if text.trim().is_empty() || is_header(*number, text)))
            .map(move |line| line.and_then(|(number, text)| record(&file, number, &text, &columns))),
    )
}

/// The first line that `st encode --header` writes.
fn is_header(line: u64, text: &str) -> bool {
    line == 1
        && text.starts_with("{\"provenance\":{")
        && serde_json::from_str::<Map<String, Value>>(text)
            .is_ok_and(|row| row.len() == 1 && row.contains_key(HEADER_KEY))
}

fn record(file: &str, line: u64, text: &str, columns: &Columns) -> Result<Record, Error> {
    let value =
        serde_json::from_str(text).map_err(|source| Error::Json { file: file.to_owned(), line, source })?;
    match value {
        Value::String(text) if !columns.any() => Ok(Record { text, id: None }),
        Value::Object(row) => {
            let text = take(file, line, &row, columns.text(), false)?;
            let id = columns.id.as_deref().map(|id| take(file, line, &row, id, true)).transpose()?;
            Ok(Record { text, id })
        }
        other => Err(Error::NotRecord { file: file.to_owned(), line, found: kind(&other) }),
    }
}

/// Takes a cell; numbers are fine as ids.
fn take(
    file: &str,
    row: u64,
    cells: &Map<String, Value>,
    column: &str,
    numbers: bool,
) -> Result<String, Error> {
    match cells.get(column) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) if numbers => Ok(number.to_string()),
        Some(other) => Err(Error::NotText {
            file: file.to_owned(),
            row,
            column: column.to_owned(),
            found: kind(other).to_owned(),
        }),
        None => Err(Error::NoColumn {
            file: format!("{file}, line {row}"),
            column: column.to_owned(),
            columns: list(cells.keys().map(String::as_str)),
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
