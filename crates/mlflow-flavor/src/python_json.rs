//! JSON as Python's `json.dumps` writes it: its spacing, its escapes and its numbers.

use std::fmt::Write as _;

use serde_json::Value;

/// `json.dumps(value)`.
pub(crate) fn dumps(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, None, 0);
    out
}

/// `json.dumps(value, indent=2)`.
pub(crate) fn dumps_indented(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, Some(2), 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: Option<usize>, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => push_float(out, float),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => push_text(out, text),
        Value::Array(items) => {
            let write = |out: &mut String, item: &Value| write_value(out, item, indent, depth + 1);
            write_items(out, ['[', ']'], items.iter(), indent, depth, write);
        }
        Value::Object(entries) => {
            let write = |out: &mut String, (key, item): (&String, &Value)| {
                push_text(out, key);
                out.push_str(": ");
                write_value(out, item, indent, depth + 1);
            };
            write_items(out, ['{', '}'], entries.iter(), indent, depth, write);
        }
    }
}

fn write_items<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl ExactSizeIterator<Item = T>,
    indent: Option<usize>,
    depth: usize,
    write: impl Fn(&mut String, T),
) {
    let line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    out.push(open);
    let empty = items.len() == 0;
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        line(out, depth + 1);
        write(out, item);
    }
    if !empty {
        line(out, depth);
    }
    out.push(close);
}

/// A text in double quotes, everything beyond ASCII escaped.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(ch),
            _ => {
                for unit in ch.encode_utf16(&mut [0; 2]) {
                    push_fmt(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// Python's `repr` of a float: the shortest digits that read back, `1e-05` and `1e+16` outwards with an exponent.
pub(crate) fn push_float(out: &mut String, value: f64) {
    let start = out.len();
    let size = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if size == 0.0 || (1e-4..1e16).contains(&size) {
        push_fmt(out, format_args!("{value:?}"));
        if is_odd(out.as_bytes().last()) {
            settle_tie(out, start, value);
        }
    } else {
        push_fmt(out, format_args!("{value:e}"));
        // Rust writes `1e-5` where Python writes `1e-05`.
        if let Some(at) = out.get(start..).and_then(|text| text.find('e')) {
            let power = out.split_off(start + at + 1);
            let mantissa = out.len() - 1;
            if is_odd(out.as_bytes().get(mantissa.wrapping_sub(1))) {
                out.truncate(mantissa);
                let digits = out.get(start..).map_or(0, significant_digits);
                out.truncate(start);
                let exact = format!("{value:.*e}", digits.saturating_sub(1));
                out.push_str(exact.split('e').next().unwrap_or_default());
                out.push('e');
            }
            let (sign, digits) =
                power.strip_prefix('-').map_or(('+', power.as_str()), |digits| ('-', digits));
            push_fmt(out, format_args!("{sign}{digits:0>2}"));
        }
    }
}

fn is_odd(digit: Option<&u8>) -> bool {
    digit.is_some_and(|digit| digit % 2 == 1)
}

fn significant_digits(text: &str) -> usize {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.skip_while(|digit| *digit == b'0').count()
}

/// Of two shortest texts at the same distance Python takes the one with the even last digit.
///
/// Doubles that were 32-bit floats have short decimal expansions, so that this happens.
fn settle_tie(out: &mut String, start: usize, value: f64) {
    let Some(text) = out.get(start..) else { return };
    let decimals = text.find('.').map_or(0, |point| text.len() - point - 1);
    if significant_digits(text) >= 15 {
        out.truncate(start);
        push_fmt(out, format_args!("{value:.decimals$}"));
    }
}

fn push_fmt(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` has no way to fail.
    let _ = out.write_fmt(arguments);
}

/// Python's `repr` of a float.
pub(crate) fn float_text(value: f64) -> String {
    let mut out = String::new();
    push_float(&mut out, value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_those_of_python() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-5, "1.5e-05"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (5e-324, "5e-324"),
            (1e300, "1e+300"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float_text(value), expected);
        }
    }
}
