//! Punctuation that the library knows and its released versions do not: they follow Unicode 8.
//!
//! Where words end at punctuation, a newer mark would cut what the reference leaves whole.

use std::cmp::Ordering;

/// Marks that came after Unicode 8.
const NEWER: [(char, char); 40] = [
    ('\u{61d}', '\u{61d}'),
    ('\u{9fd}', '\u{9fd}'),
    ('\u{a76}', '\u{a76}'),
    ('\u{c77}', '\u{c77}'),
    ('\u{c84}', '\u{c84}'),
    ('\u{1b4e}', '\u{1b4f}'),
    ('\u{1b7d}', '\u{1b7f}'),
    ('\u{2e43}', '\u{2e4f}'),
    ('\u{2e52}', '\u{2e5d}'),
    ('\u{10d6e}', '\u{10d6e}'),
    ('\u{10ead}', '\u{10ead}'),
    ('\u{10ed0}', '\u{10ed0}'),
    ('\u{10f55}', '\u{10f59}'),
    ('\u{10f86}', '\u{10f89}'),
    ('\u{113d4}', '\u{113d5}'),
    ('\u{113d7}', '\u{113d8}'),
    ('\u{1144b}', '\u{1144f}'),
    ('\u{1145a}', '\u{1145b}'),
    ('\u{1145d}', '\u{1145d}'),
    ('\u{11660}', '\u{1166c}'),
    ('\u{116b9}', '\u{116b9}'),
    ('\u{1183b}', '\u{1183b}'),
    ('\u{11944}', '\u{11946}'),
    ('\u{119e2}', '\u{119e2}'),
    ('\u{11a3f}', '\u{11a46}'),
    ('\u{11a9a}', '\u{11a9c}'),
    ('\u{11a9e}', '\u{11aa2}'),
    ('\u{11b00}', '\u{11b09}'),
    ('\u{11be1}', '\u{11be1}'),
    ('\u{11c41}', '\u{11c45}'),
    ('\u{11c70}', '\u{11c71}'),
    ('\u{11ef7}', '\u{11ef8}'),
    ('\u{11f43}', '\u{11f4f}'),
    ('\u{11fff}', '\u{11fff}'),
    ('\u{12ff1}', '\u{12ff2}'),
    ('\u{16d6d}', '\u{16d6f}'),
    ('\u{16e97}', '\u{16e9a}'),
    ('\u{16fe2}', '\u{16fe2}'),
    ('\u{1e5ff}', '\u{1e5ff}'),
    ('\u{1e95e}', '\u{1e95f}'),
];

/// Marks that Unicode took back, and others of their length that it kept.
const TAKEN_BACK: [(char, char); 2] = [('\u{166d}', '\u{2016}'), ('\u{111c9}', '\u{10100}')];

/// Whether a text has a character that the two see differently.
pub(super) fn differs(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(|character| stand_in(character).is_some())
}

/// The text with such characters replaced by ones that both see as the reference does, byte by byte as long.
pub(super) fn replaced(text: &str) -> String {
    text.chars().map(|character| stand_in(character).unwrap_or(character)).collect()
}

fn stand_in(character: char) -> Option<char> {
    if character < NEWER[0].0 {
        return None;
    }
    if let Some((_, kept)) = TAKEN_BACK.iter().find(|(mark, _)| *mark == character) {
        return Some(*kept);
    }
    let place = |range: &(char, char)| match (range.1 < character, range.0 > character) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    };
    NEWER.binary_search_by(place).ok()?;
    Some(match character.len_utf8() {
        2 => 'é',
        3 => 'あ',
        _ => '\u{20000}',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_characters_are_as_long() {
        assert!(!differs("plain, text… あ"));
        for (first, last) in NEWER.into_iter().chain(TAKEN_BACK.map(|(mark, _)| (mark, mark))) {
            for character in first..=last {
                let text = format!("a{character}b");
                assert!(differs(&text), "{character:?}");
                assert_eq!(replaced(&text).len(), text.len(), "{character:?}");
                assert!(!differs(&replaced(&text)), "{character:?}");
            }
        }
        assert!(NEWER.is_sorted());
    }
}
