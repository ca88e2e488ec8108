//! Which plain scalars PyYAML takes for something else than text: the implicit types of YAML 1.1.

/// Whether PyYAML reads the plain scalar `text` as text.
pub(super) fn resolves_to_text(text: &str) -> bool {
    let special =
        matches!(text, "" | "~" | "null" | "Null" | "NULL" | "=" | "<<" | "!" | "&" | "*") || is_bool(text);
    !(special || is_float(text) || is_int(text) || is_timestamp(text))
}

fn is_bool(text: &str) -> bool {
    ["yes", "no", "true", "false", "on", "off"].iter().any(|word| {
        let mut capital = word[..1].to_ascii_uppercase();
        capital.push_str(&word[1..]);
        text == *word || text == capital || text == word.to_ascii_uppercase()
    })
}

fn strip_sign(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, allowed: fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| allowed(byte) || byte == b'_')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[0-9][0-9_]*`
fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && all(text, |byte| byte.is_ascii_digit())
}

/// `(?::[0-5]?[0-9])+` after a number that `first` accepts.
fn is_sexagesimal(text: &str, first: fn(&str) -> bool) -> bool {
    let mut parts = text.split(':');
    let head = parts.next().is_some_and(first);
    let mut rest = parts.peekable();
    head && rest.peek().is_some()
        && rest.all(|part| match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
            _ => false,
        })
}

fn is_int(text: &str) -> bool {
    let digits = strip_sign(text);
    if let Some(rest) = digits.strip_prefix("0b") {
        return !rest.is_empty() && all(rest, |byte| matches!(byte, b'0' | b'1'));
    }
    if let Some(rest) = digits.strip_prefix("0x") {
        return !rest.is_empty() && all(rest, |byte| byte.is_ascii_hexdigit());
    }
    if let Some(rest) = digits.strip_prefix('0') {
        return all(rest, |byte| (b'0'..=b'7').contains(&byte));
    }
    is_number(digits) || is_sexagesimal(digits, is_number)
}

fn is_float(text: &str) -> bool {
    let digits = strip_sign(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let exponent_fits = exponent.is_none_or(|power| power.strip_prefix(['-', '+']).is_some_and(is_digits));
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    let digits_after = all(fraction, |byte| byte.is_ascii_digit());
    if whole.is_empty() {
        return text.starts_with('.') && is_number(fraction) && exponent_fits;
    }
    let plain = is_number(whole) && digits_after && exponent_fits;
    plain || (exponent.is_none() && digits_after && is_sexagesimal(whole, is_number))
}

/// `2026-11-23`, and the longer forms with a time of day and a zone.
fn is_timestamp(text: &str) -> bool {
    let mut rest = text;
    let Some((year, after_year)) = take_digits(rest) else { return false };
    rest = after_year;
    let Some((month, after_month)) = rest.strip_prefix('-').and_then(take_digits) else { return false };
    let Some((day, after_day)) = after_month.strip_prefix('-').and_then(take_digits) else { return false };
    if year != 4 || month > 2 || day > 2 {
        return false;
    }
    if after_day.is_empty() {
        return month == 2 && day == 2;
    }
    let time =
        after_day.strip_prefix(['T', 't']).unwrap_or_else(|| after_day.trim_start_matches([' ', '\t']));
    time.len() < after_day.len() && is_time(time)
}

fn is_time(text: &str) -> bool {
    let Some((hours, rest)) = take_digits(text) else { return false };
    let Some((minutes, rest)) = rest.strip_prefix(':').and_then(take_digits) else { return false };
    let Some((seconds, mut rest)) = rest.strip_prefix(':').and_then(take_digits) else { return false };
    if hours > 2 || minutes != 2 || seconds != 2 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    if rest.is_empty() {
        return true;
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    if zone == "Z" {
        return true;
    }
    let Some((hours, rest)) = zone.strip_prefix(['-', '+']).and_then(take_digits) else { return false };
    hours <= 2 && (rest.is_empty() || rest.strip_prefix(':').and_then(take_digits) == Some((2, "")))
}

/// How many digits stand first, and what follows them.
fn take_digits(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let count = text.len() - rest.len();
    (count > 0).then_some((count, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_implicit_types_of_yaml_1_1() {
        for text in [
            "no",
            "Yes",
            "ON",
            "~",
            "",
            "=",
            "<<",
            "012",
            "1_000",
            "0x1f",
            "0b11",
            "-1",
            "1:20",
            "190:20:30.15",
            "1.",
            "1.5e+3",
            ".5",
            "-.inf",
            ".NaN",
            "2026-11-23",
            "2026-1-1 1:00:00",
            "2026-11-23T18:50:40.5Z",
            "2026-11-23 18:50:40 +1:30",
        ] {
            assert!(!resolves_to_text(text), "{text}");
        }
        for text in [
            "nO",
            "y",
            "08",
            "1e3",
            "-.5",
            "1.5e3",
            "0o17",
            "1:60",
            "_1",
            "0x",
            "2026-1-1",
            "2026-11-23 18:50",
            "1.2.3",
            "+.nan",
            ".",
        ] {
            assert!(resolves_to_text(text), "{text}");
        }
    }
}
