//! Writing, byte for byte as `yaml.safe_dump(value, default_flow_style=False)`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::scalar::{Analysis, Style, analyze, style};
use crate::python_json::float_text;

/// Lines are folded at the first space after this column.
const WIDTH: usize = 80;
/// Keys this long get a line of their own, after `? `; PyYAML counts the tag `!!str` in.
const LONGEST_KEY: usize = 128 - "!!str".len();

/// Writes `value` with sorted keys.
pub(crate) fn dump(value: &Value) -> String {
    dump_with(value, true)
}

/// Writes `value` with keys in their order.
pub(crate) fn dump_unsorted(value: &Value) -> String {
    dump_with(value, false)
}

fn dump_with(value: &Value, sorted: bool) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, whitespace: true, indention: true, sorted };
    emitter.node(value, None, Place::Root);
    if emitter.column > 0 {
        emitter.out.push('\n');
    }
    emitter.out
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

/// PyYAML's emitter, as far as block style needs it; the fields have its names.
struct Emitter {
    out: String,
    column: usize,
    whitespace: bool,
    indention: bool,
    sorted: bool,
}

impl Emitter {
    fn node(&mut self, value: &Value, indent: Option<usize>, place: Place) {
        let plain = |text: &'static str| Cow::Borrowed(text);
        let text = match value {
            Value::Null => plain("null"),
            Value::Bool(true) => plain("true"),
            Value::Bool(false) => plain("false"),
            Value::Number(number) if number.is_f64() => {
                Cow::Owned(yaml_float(number.as_f64().unwrap_or_default()))
            }
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::String(text) => return self.text(text, indent, place),
            Value::Array(items) if items.is_empty() => return self.indicator("[]", true, false),
            Value::Object(entries) if entries.is_empty() => return self.indicator("{}", true, false),
            Value::Array(items) => return self.sequence(items, indent, place),
            Value::Object(entries) => return self.mapping(entries, indent),
        };
        self.plain(&text, deeper(indent), place != Place::Key);
    }

    fn text(&mut self, text: &str, indent: Option<usize>, place: Place) {
        let key = place == Place::Key;
        let indent = deeper(indent);
        match style(text, analyze(text), key) {
            Style::Plain => self.plain(text, indent, !key),
            Style::Single => self.single_quoted(text, indent, !key),
            Style::Double => self.double_quoted(text, indent, !key),
        }
    }

    fn sequence(&mut self, items: &[Value], indent: Option<usize>, place: Place) {
        let indentless = place == Place::Value && !self.indention;
        let indent = match indent {
            None => 0,
            Some(indent) if indentless => indent,
            Some(indent) => indent + 2,
        };
        for item in items {
            self.indent(indent);
            self.indicator("-", true, true);
            self.node(item, Some(indent), Place::Item);
        }
    }

    fn mapping(&mut self, entries: &Map<String, Value>, indent: Option<usize>) {
        let indent = indent.map_or(0, |indent| indent + 2);
        let mut entries: Vec<(&String, &Value)> = entries.iter().collect();
        if self.sorted {
            entries.sort_by(|left, right| left.0.cmp(right.0));
        }
        for (key, value) in entries {
            self.indent(indent);
            if is_simple_key(key, analyze(key)) {
                self.text(key, Some(indent), Place::Key);
                self.indicator(":", false, false);
                self.node(value, Some(indent), Place::Value);
            } else {
                self.indicator("?", true, true);
                self.text(key, Some(indent), Place::Value);
                self.indent(indent);
                self.indicator(":", true, true);
                self.node(value, Some(indent), Place::Value);
            }
        }
    }

    fn put(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn indicator(&mut self, indicator: &str, need_whitespace: bool, indention: bool) {
        if need_whitespace && !self.whitespace {
            self.put(" ");
        }
        self.whitespace = false;
        self.indention &= indention;
        self.put(indicator);
    }

    fn indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        if self.column < indent {
            self.whitespace = true;
            let spaces = " ".repeat(indent - self.column);
            self.put(&spaces);
        }
    }

    fn line_break(&mut self) {
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
        self.out.push('\n');
    }

    fn plain(&mut self, text: &str, indent: usize, split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(" ");
        }
        self.whitespace = false;
        self.indention = false;
        for (index, run) in runs(text).enumerate() {
            let fold = run == " " && self.column > WIDTH && split && index > 0;
            if fold {
                self.indent(indent);
                self.whitespace = false;
                self.indention = false;
            } else {
                self.put(run);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, split: bool) {
        self.indicator("'", true, false);
        let count = runs(text).count();
        for (index, run) in runs(text).enumerate() {
            let inside = index > 0 && index + 1 < count;
            if run.starts_with('\n') {
                self.line_break();
                for _ in run.chars() {
                    self.line_break();
                }
                self.indent(indent);
            } else if run == " " && self.column > WIDTH && split && inside {
                self.indent(indent);
            } else {
                self.put(&run.replace('\'', "''"));
            }
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &str, indent: usize, split: bool) {
        let chars: Vec<char> = text.chars().collect();
        self.indicator("\"", true, false);
        let mut start = 0;
        for end in 0..=chars.len() {
            let ch = chars.get(end).copied();
            if ch.is_none_or(|ch| matches!(ch, '"' | '\\') || !(' '..='~').contains(&ch)) {
                self.put(&chars[start..end].iter().collect::<String>());
                start = end;
                if let Some(ch) = ch {
                    self.put(&escape(ch));
                    start = end + 1;
                }
            }
            let inside = end > 0 && end + 1 < chars.len();
            if inside && (ch == Some(' ') || start >= end) && self.column + end > WIDTH + start && split {
                if start < end {
                    self.put(&chars[start..end].iter().collect::<String>());
                    start = end;
                }
                self.put("\\");
                self.indent(indent);
                self.whitespace = false;
                self.indention = false;
                if chars.get(start) == Some(&' ') {
                    self.put("\\");
                }
            }
        }
        self.indicator("\"", false, false);
    }
}

fn deeper(indent: Option<usize>) -> usize {
    indent.map_or(2, |indent| indent + 2)
}

fn is_simple_key(key: &str, analysis: Analysis) -> bool {
    key.chars().count() < LONGEST_KEY && !key.is_empty() && !analysis.multiline
}

/// A text cut into runs of spaces, runs of line breaks, and what is between them.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let class = |ch: char| match ch {
        ' ' => 0,
        '\n' => 1,
        _ => 2,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = class(rest.chars().next()?);
        let end = rest.find(|ch| class(ch) != first).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

fn escape(ch: char) -> String {
    let short = match ch {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(ch);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// Python's `repr`, with the fraction that YAML 1.1 wants before an exponent.
fn yaml_float(value: f64) -> String {
    let text = float_text(value);
    match text.find('e') {
        Some(at) if !text.contains('.') => format!("{}.0{}", &text[..at], &text[at..]),
        _ => text,
    }
}
