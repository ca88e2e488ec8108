//! Answers that are not vectors: to people as aligned lines, to programs as JSON.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::error::Error;
use crate::settings::Settings;
use crate::table;

/// Columns of a line that is cut to fit.
const WIDTH: usize = 100;

/// Columns of a list, beside the name that it has.
const LIST_WIDTH: usize = 80;

/// Columns of a value at least, however narrow the terminal.
const LEAST_ROOM: usize = 24;

/// Named values, in order; an object among them is a section.
///
/// Names that end in `bytes` or `seconds` are shown with a unit.
pub(crate) type Report = Map<String, Value>;

/// Prints a report in the form that was asked for.
pub(crate) fn print(report: &Report, settings: &Settings) -> Result<(), Error> {
    if settings.json { print_json(report) } else { print_text(&lines(report)) }
}

/// Prints one JSON value and a line end.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(stdout)
}

/// Prints finished lines.
pub(crate) fn print_text(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(stdout)
}

/// Says something beside the answer, on standard error.
pub(crate) fn note(kind: &str, text: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{kind}: {text}");
}

/// Prints a report on standard error, where standard output holds the vectors or nothing.
pub(crate) fn print_aside(report: &Report) {
    let _ = io::stderr().lock().write_all(lines(report).as_bytes());
}

fn stdout(source: io::Error) -> Error {
    Error::Stdout { source }
}

/// A report as aligned lines.
pub(crate) fn lines(report: &Report) -> String {
    lines_within(report, table::terminal_width())
}

/// The same; texts with blanks are wrapped at so many columns.
fn lines_within(report: &Report, limit: usize) -> String {
    let mut out = String::new();
    rows(report.iter().filter(|(_, value)| !value.is_object()), "", limit, &mut out);
    for (name, value) in report {
        if let Value::Object(section) = value {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&spaced(name));
            out.push('\n');
            rows(section.iter(), "  ", limit, &mut out);
        }
    }
    out
}

fn rows<'a>(
    entries: impl Iterator<Item = (&'a String, &'a Value)>,
    indent: &str,
    limit: usize,
    out: &mut String,
) {
    let entries: Vec<_> = entries.filter(|(_, value)| !value.is_null()).collect();
    let width = entries.iter().map(|(name, _)| label(name).chars().count()).max().unwrap_or_default();
    for (name, value) in entries {
        let blank = format!("\n{indent}{:width$}  ", "");
        let room = limit.saturating_sub(indent.len() + width + 2).max(LEAST_ROOM);
        let text = wrapped(&shown(name, value), room).replace('\n', &blank);
        let line = format!("{indent}{:<width$}  {text}", label(name));
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A text with line ends where words would pass the last column; a word that is longer alone stays whole.
fn wrapped(text: &str, room: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for part in text.split_inclusive([' ', '\n']) {
        let length = part.trim_end().chars().count();
        if column > 0 && column + length > room {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            column = 0;
        }
        out.push_str(part);
        column = if part.ends_with('\n') { 0 } else { column + part.chars().count() };
    }
    out
}

/// The unit is in the value; the name need not say it.
fn label(name: &str) -> String {
    let name = match name {
        "bytes" => "size",
        "seconds" => "time",
        _ => name.strip_suffix("_bytes").or_else(|| name.strip_suffix("_seconds")).unwrap_or(name),
    };
    spaced(name)
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Number(number) if name.ends_with("bytes") => bytes(number.as_f64().unwrap_or_default()),
        Value::Number(number) if name.ends_with("seconds") => {
            format!("{:.2} s", number.as_f64().unwrap_or_default())
        }
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), grouped),
        // Blanks at the ends are part of a prompt, and nobody sees them there.
        Value::String(text) if text.is_empty() || text.trim() != text => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => String::new(),
        Value::Array(items) => shown_list(items),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name} {}", shown(name, value)));
            entries.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A section, after a blank line, of names and values that are not ours: both as they are, but for what would steer a
/// terminal.
pub(crate) fn foreign(title: &str, entries: &[(String, String)]) -> String {
    let plain = |text: &str| {
        let kept = |character: char| character == '\n' || !character.is_control();
        text.chars().map(|character| if kept(character) { character } else { '\u{fffd}' }).collect::<String>()
    };
    let width = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let blank = format!("\n  {:width$}  ", "");
    let room = table::terminal_width().saturating_sub(width + 4).max(LEAST_ROOM);
    let mut out = format!("\n{title}\n");
    for (name, value) in entries {
        let text = wrapped(&plain(value), room).replace('\n', &blank);
        let line = format!("  {:<width$}  {text}", plain(name));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Beside each other as far as the line reaches.
fn shown_list(items: &[Value]) -> String {
    let mut out = String::new();
    let mut column = 0;
    for item in items {
        let item = shown("", item);
        let length = item.chars().count() + 2;
        if column > 0 {
            let full = column + length > LIST_WIDTH;
            out.push_str(if full { ",\n" } else { ", " });
            column = if full { 0 } else { column };
        }
        out.push_str(&item);
        column += length;
    }
    out
}

/// A size with three digits and a decimal unit.
pub(crate) fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    let mut units = ["B", "kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text on one line, cut where the line ends.
pub(crate) fn snippet(text: &str, used: usize) -> String {
    let room = WIDTH.saturating_sub(used).max(20);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= room {
        return line;
    }
    let mut cut: String = line.chars().take(room - 1).collect();
    cut.truncate(cut.trim_end().len());
    cut + "…"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_have_units_and_groups() {
        for (name, value, expected) in [
            ("weights_bytes", json!(90_868_376), "90.9 MB"),
            ("weights_bytes", json!(999), "999 B"),
            ("load_seconds", json!(0.1234), "0.12 s"),
            ("parameters", json!(22_713_216), "22,713,216"),
            ("normalize", json!(true), "yes"),
            ("query", json!("search query: "), "\"search query: \""),
            ("modes", json!(["mean", "max"]), "mean, max"),
            ("dtypes", json!({"F32": 1200}), "F32 1,200"),
        ] {
            assert_eq!(shown(name, &value), expected, "{name}");
        }
    }

    #[test]
    fn sections_follow_the_plain_values() {
        let Value::Object(report) =
            json!({"model": "m", "limits": {"max_tokens": 256, "vocabulary": null}, "total_bytes": 1500})
        else {
            unreachable!("an object")
        };
        assert_eq!(lines(&report), "model  m\ntotal  1.5 kB\n\nlimits\n  max tokens  256\n");
    }

    #[test]
    fn long_texts_are_wrapped_under_themselves() {
        let report = Report::from_iter([
            ("state".to_owned(), json!("works")),
            ("hint".to_owned(), json!("nothing listens at that address, or so it seems")),
        ]);
        let expected = "state  works\nhint   nothing listens at that\n       address, or so it seems\n";
        assert_eq!(lines_within(&report, 32), expected);
        assert_eq!(wrapped("/a/very/long/path/alone and more", 10), "/a/very/long/path/alone\nand more");
        assert_eq!(wrapped("two\nlines of text", 8), "two\nlines of\ntext");
    }

    #[test]
    fn foreign_names_stay_as_they_are() {
        let entries = [("recall_at_10", "0.93"), ("eval_seconds", "2"), ("note", "a\u{1b}[2J\nb")];
        let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = "\nmetrics\n  recall_at_10  0.93\n  eval_seconds  2\n  note          a\u{fffd}[2J\n                b\n";
        assert_eq!(foreign("metrics", &entries), expected);
    }

    #[test]
    fn snippets_fit_the_line() {
        assert_eq!(snippet("a\n  b", 0), "a b");
        let cut = snippet(&"é".repeat(300), 60);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (40, true));
    }
}
