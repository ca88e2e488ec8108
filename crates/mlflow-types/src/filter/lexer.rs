//! A filter's text becomes lexemes.
//!
//! The server reads filters with a parser of SQL. The rules here are what is left of it: which characters a bare key may
//! have, and how a quoted text ends.

use super::InvalidFilter;

/// A piece of a filter's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme<'a> {
    /// A word, a quoted key, or several of them with dots between; as written, quotes included.
    Name(&'a str),
    /// A text in single quotes; the quotes are not included, what is within them is as written.
    Text(&'a str),
    /// A number as written.
    Number(&'a str),
    /// `=`, `!=`, `<=`, …
    Operator(&'a str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}

impl Lexeme<'_> {
    /// The lexeme as written.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Name(text) | Self::Number(text) | Self::Operator(text) => (*text).to_owned(),
            Self::Text(text) => format!("'{text}'"),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::Comma => ",".to_owned(),
        }
    }

    /// Whether it is a word of the language, in capital letters or small ones.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Name(text) if text.eq_ignore_ascii_case(word))
    }
}

/// The lexemes of a text.
pub(super) fn lexemes(text: &str) -> Result<Vec<Lexeme<'_>>, InvalidFilter> {
    let mut rest = text.trim_start();
    let mut lexemes = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (lexeme, length) = lexeme(rest, first)?;
        lexemes.push(lexeme);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(lexemes)
}

fn lexeme(rest: &str, first: char) -> Result<(Lexeme<'_>, usize), InvalidFilter> {
    let invalid = || InvalidFilter::new(format!("Invalid clause(s) in filter string: '{rest}'"));
    let part = |length: usize| rest.get(..length).unwrap_or_default();
    Ok(match first {
        '(' => (Lexeme::Open, 1),
        ')' => (Lexeme::Close, 1),
        ',' => (Lexeme::Comma, 1),
        '\'' => {
            let end = quoted(rest, '\'').ok_or_else(invalid)?;
            (Lexeme::Text(rest.get(1..end - 1).unwrap_or_default()), end)
        }
        '=' | '!' | '<' | '>' => {
            let length = rest.chars().take_while(|next| matches!(next, '=' | '!' | '<' | '>')).count();
            (Lexeme::Operator(part(length)), length)
        }
        '-' | '.' | '0'..='9' => {
            let length = number(rest).ok_or_else(invalid)?;
            (Lexeme::Number(part(length)), length)
        }
        '`' | '"' | '_' => name(rest).map(|length| (Lexeme::Name(part(length)), length))?,
        letter if letter.is_alphabetic() => name(rest).map(|length| (Lexeme::Name(part(length)), length))?,
        _ => return Err(invalid()),
    })
}

/// The bytes up to and with the closing quote. A doubled quote and one behind a backslash close nothing, unless nothing
/// else does.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    let mut fallback = None;
    while let Some((index, character)) = characters.next() {
        let quote_follows = characters.peek().is_some_and(|(_, next)| *next == quote);
        if quote_follows && (character == quote || (character == '\\' && quote != '`')) {
            fallback = characters.next().map(|(index, _)| index + 1);
        } else if character == quote {
            return Some(index + 1);
        }
    }
    fallback
}

/// The bytes of a number: digits, a point, digits, and perhaps an exponent without plus sign.
fn number(rest: &str) -> Option<usize> {
    let digits = |from: usize| rest.bytes().skip(from).take_while(u8::is_ascii_digit).count() + from;
    let at = |index: usize| rest.as_bytes().get(index).copied();
    let start = usize::from(at(0) == Some(b'-'));
    let mut end = digits(start);
    if at(end) == Some(b'.') {
        end = digits(end + 1);
    }
    if !rest.get(start..end)?.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if matches!(at(end), Some(b'e' | b'E')) {
        let sign = usize::from(at(end + 1) == Some(b'-'));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    Some(end + rest.get(end..)?.bytes().take_while(u8::is_ascii_alphanumeric).count())
}

/// The bytes of a name with dots. A bare key ends where a letter, digit or `_` does not follow; what follows it directly
/// must not be another part of a key.
fn name(rest: &str) -> Result<usize, InvalidFilter> {
    let mut end = 0;
    while let Some(next) = rest.get(end..).and_then(|tail| tail.chars().next()) {
        let after_dot = end == 0 || rest.get(..end).is_some_and(|name| name.ends_with('.'));
        if matches!(next, '`' | '"' | '\'') && after_dot {
            let tail = rest.get(end..).unwrap_or_default();
            end += quoted(tail, next)
                .ok_or_else(|| InvalidFilter::new(format!("Invalid clause(s) in filter string: '{rest}'")))?;
        } else if next.is_alphanumeric() || matches!(next, '_' | '.') {
            end += next.len_utf8();
        } else {
            break;
        }
    }
    let next = rest.get(end..).and_then(|tail| tail.chars().next());
    if next.is_none_or(|next| next.is_whitespace() || matches!(next, '=' | '!' | '<' | '>' | ',' | '(' | ')'))
    {
        return Ok(end);
    }
    let whole: String = rest.chars().take_while(|next| !next.is_whitespace()).collect();
    Err(InvalidFilter::new(format!("Invalid comparison clause. Expected 'Identifier' found '{whole}'")))
}
