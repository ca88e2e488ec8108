//! Rust source with everything that is not code blanked out: comments, strings and characters.
//!
//! Lines stay where they are, so that a finding in the masked text has the line number of the file.

/// The source as code only; what is masked becomes blanks, line ends stay.
pub(super) fn code(source: &str) -> String {
    let mut masked = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let previous = masked.chars().next_back();
        let foreign = foreign_length(rest, previous);
        let (text, blank) = if foreign == 0 { (first.len_utf8(), false) } else { (foreign, true) };
        let (head, tail) = rest.split_at(text);
        if blank {
            masked.extend(head.chars().map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            masked.push_str(head);
        }
        rest = tail;
    }
    masked
}

/// Bytes of the comment, string or character that begins here; 0 if code does.
fn foreign_length(text: &str, previous: Option<char>) -> usize {
    let inside_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if text.starts_with('\'') {
        return character(text);
    }
    if inside_word { 0 } else { raw_string(text) }
}

/// Comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut end = 0;
    while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        let (step, change) = match rest {
            _ if rest.starts_with("/*") => (2, 1),
            _ if rest.starts_with("*/") => (2, -1),
            _ => (rest.chars().next().map_or(1, char::len_utf8), 0),
        };
        end += step;
        depth = depth.saturating_add_signed(change);
        if depth == 0 {
            break;
        }
    }
    end
}

/// Up to the closing quote, backslashes understood.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (position, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return position + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A character, or 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(text, '\''),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#`, `b"…"` and their like, or 0.
fn raw_string(text: &str) -> usize {
    let after = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let Some(raw) = after.strip_prefix('r') else {
        let plain = after.len() < text.len() && after.starts_with('"');
        return if plain { 1 + quoted(after, '"') } else { 0 };
    };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let Some(body) = raw.get(hashes..).and_then(|body| body.strip_prefix('"')) else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    body.find(&end).map_or(text.len(), |position| text.len() - body.len() + position + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let masked = code(source);
        assert_eq!(masked, expected);
        assert_eq!(masked.lines().count(), source.lines().count());
    }

    #[test]
    fn comments_become_blanks() {
        check("a // b\nc", "a     \nc");
        check("a /* b /* c */ d */ e", "a                   e");
        check("/// `todo!()`\nfn f() {}", "             \nfn f() {}");
    }

    #[test]
    fn strings_become_blanks() {
        check(r#"f("a\"b", c)"#, "f(      , c)");
        check(r##"f(r#"a"b"#, c)"##, "f(        , c)");
        check("f(b\"ab\", br\"c\")", "f(     ,      )");
        check("hair\"x\"", "hair   ");
    }

    #[test]
    fn characters_become_blanks_and_lifetimes_stay() {
        check("f('a', 'é', '\\'', x)", "f(   ,    ,     , x)");
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
    }
}
