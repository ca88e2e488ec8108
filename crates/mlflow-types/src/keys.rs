//! The keys of metrics, params and tags: what MLflow lets them be.
//!
//! A key may become the name of a file, so it must be a path that nothing can shorten: no empty part, no `.` or `..`, no
//! slash at either end.

use std::borrow::Cow;
use std::fmt;

use crate::limits::KEY_CHARACTERS;

/// Why a text cannot be a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// It has a character that is no letter, digit, `_`, `-`, `.`, space, `:` or `/`.
    Characters,
    /// As a path it would be another.
    Path {
        /// The path that it would be.
        normalised: String,
    },
    /// It has too many characters.
    TooLong {
        /// How many it has.
        characters: usize,
    },
}

impl fmt::Display for KeyProblem {
    /// The end of a sentence.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Characters => formatter.write_str(
                "may only have letters, digits, underscores, dashes, periods, spaces, colons and slashes",
            ),
            Self::Path { normalised } => write!(formatter, "would, as a path, be {normalised:?}"),
            Self::TooLong { characters } => {
                write!(formatter, "has {characters} characters, but {KEY_CHARACTERS} at most are allowed")
            }
        }
    }
}

/// What is wrong with a key, if anything is; in the order in which the server looks.
pub fn problem(key: &str) -> Option<KeyProblem> {
    let allowed = |character: char| character.is_alphanumeric() || "_-. :/".contains(character);
    if !key.chars().all(allowed) {
        return Some(KeyProblem::Characters);
    }
    let normalised = normalised(key);
    if normalised != key || key == "." || key.starts_with("..") || key.starts_with('/') {
        return Some(KeyProblem::Path { normalised: normalised.into_owned() });
    }
    let characters = key.chars().count();
    (characters > KEY_CHARACTERS).then_some(KeyProblem::TooLong { characters })
}

/// A path of POSIX with its empty, `.` and `..` parts resolved; nothing is `.`.
fn normalised(path: &str) -> Cow<'_, str> {
    // Two slashes at the beginning mean something of their own; three do not.
    let slashes = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." || (slashes.is_empty() && parts.last().is_none_or(|last| *last == "..")) {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let whole = format!("{slashes}{}", parts.join("/"));
    if whole.is_empty() { Cow::Borrowed(".") } else { Cow::Owned(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, expected: &str) {
        assert_eq!(problem(key).map_or_else(String::new, |problem| problem.to_string()), expected, "{key:?}");
    }

    #[test]
    fn keys() {
        for key in ["a", "a b", "a/b.c-d_e:f", "é", "1", "a..b", ".a", "a."] {
            check(key, "");
        }
        check(
            "a,b",
            "may only have letters, digits, underscores, dashes, periods, spaces, colons and slashes",
        );
        check("", "would, as a path, be \".\"");
        check("/a", "would, as a path, be \"/a\"");
        check("//a", "would, as a path, be \"//a\"");
        check("///a", "would, as a path, be \"/a\"");
        check("a//b", "would, as a path, be \"a/b\"");
        check("a/", "would, as a path, be \"a\"");
        check("a/../b", "would, as a path, be \"b\"");
        check("../b", "would, as a path, be \"../b\"");
        check("/../b", "would, as a path, be \"/b\"");
        check("..a", "would, as a path, be \"..a\"");
        check(&"k".repeat(250), "");
        check(&"k".repeat(251), "has 251 characters, but 250 at most are allowed");
    }
}
