//! Tokens that are matched before the model sees the text: how files spell them, and in which order the
//! reference adds them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

/// The names of special tokens, in the order in which the reference adds them.
pub(super) const SLOTS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// A token that is matched as a whole.
#[expect(clippy::struct_excessive_bools, reason = "the flags of the file, under their names there")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) content: String,
    pub(super) single_word: bool,
    pub(super) lstrip: bool,
    pub(super) rstrip: bool,
    /// Whether it is looked for in the normalised text; unless said, special tokens are not.
    pub(super) normalized: Option<bool>,
    pub(super) special: bool,
}

/// A special token as a configuration names it: a mere text leaves it to the class how it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Text(String),
    Token(Added),
}

impl Added {
    /// A special token without wishes.
    pub(super) fn special(content: &str) -> Self {
        Self { content: content.to_owned(), special: true, ..Self::default() }
    }

    /// Reads the object that files hold for a token.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        let flag = |key: &str| value.get(key).and_then(Value::as_bool);
        Some(Self {
            content: value.get("content")?.as_str()?.to_owned(),
            single_word: flag("single_word").unwrap_or(false),
            lstrip: flag("lstrip").unwrap_or(false),
            rstrip: flag("rstrip").unwrap_or(false),
            normalized: flag("normalized"),
            special: flag("special").unwrap_or(false),
        })
    }

    fn to_json(&self, id: usize) -> Value {
        json!({
            "id": id,
            "content": self.content,
            "single_word": self.single_word,
            "lstrip": self.lstrip,
            "rstrip": self.rstrip,
            "normalized": self.normalized.unwrap_or(!self.special),
            "special": self.special,
        })
    }
}

impl Named {
    /// Reads a special token of a configuration.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            other => Added::parse(other).map(Self::Token),
        }
    }

    pub(super) fn content(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Token(token) => &token.content,
        }
    }

    fn to_added(&self) -> Added {
        match self {
            Self::Text(text) => Added::special(text),
            // The reference sets this flag on all tokens that have a name.
            Self::Token(token) => Added { special: true, ..token.clone() },
        }
    }
}

/// The tokens of `tokenizer.json`, in the order of their ids.
pub(super) fn of_file(file: &Map<String, Value>) -> Vec<(u64, Added)> {
    let tokens = file.get("added_tokens").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<_> =
        tokens.iter().filter_map(|token| Some((token.get("id")?.as_u64()?, Added::parse(token)?))).collect();
    found.sort_by_key(|(id, _)| *id);
    found
}

/// The `added_tokens` of a tokenizer: what it has, then `decoder`, then special tokens that are in neither.
///
/// A token that is added twice keeps its place and takes the later flags.
pub(super) fn collect(
    present: Vec<Added>,
    decoder: &[(u64, Added)],
    named: &[Named],
    extra: &[Named],
) -> Value {
    let known: HashSet<String> = present
        .iter()
        .chain(decoder.iter().map(|(_, token)| token))
        .map(|token| token.content.clone())
        .collect();
    let is_new = |token: &&Named| !known.contains(token.content());
    let special: HashSet<&str> = named.iter().map(Named::content).collect();
    let is_named = |token: &Added| token.special || special.contains(token.content.as_str());
    let decoder = decoder.iter().map(|(_, token)| Added { special: is_named(token), ..token.clone() });
    let named_tokens = named.iter().filter(is_new).map(Named::to_added);
    let extra = extra.iter().filter(is_new).map(|token| match token {
        Named::Text(text) => Added::special(text),
        Named::Token(token) => Added { special: is_named(token), ..token.clone() },
    });
    let mut tokens: Vec<Added> = present;
    // Of equal ones in the file itself, the first one is replaced.
    let mut places: HashMap<String, usize> =
        tokens.iter().enumerate().rev().map(|(place, token)| (token.content.clone(), place)).collect();
    for token in decoder.chain(named_tokens).chain(extra).filter(|token| !token.content.is_empty()) {
        match places.entry(token.content.clone()) {
            Entry::Occupied(place) => tokens[*place.get()] = token,
            Entry::Vacant(free) => {
                free.insert(tokens.len());
                tokens.push(token);
            }
        }
    }
    tokens.iter().enumerate().map(|(id, token)| token.to_json(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(tokens: &Value) -> Vec<(&str, bool)> {
        let tokens = tokens.as_array().unwrap();
        tokens.iter().map(|token| (token["content"].as_str().unwrap(), token["special"] == true)).collect()
    }

    #[test]
    fn a_token_that_comes_again_keeps_its_place() {
        let plain = |content: &str| Added { content: content.to_owned(), ..Added::default() };
        let present = vec![plain("a"), plain("b"), plain("a")];
        let decoder = [(9, Added::special("a")), (8, plain("c"))];
        let named = [Named::Text("c".to_owned()), Named::Text("d".to_owned())];
        let extra = ["d", "", "e", "b"].map(|text| Named::Text(text.to_owned()));
        let collected = collect(present, &decoder, &named, &extra);
        let expected = [("a", true), ("b", false), ("a", false), ("c", true), ("d", true), ("e", true)];
        assert_eq!(contents(&collected), expected);
    }

    /// A file of some megabytes has so many; to look through all of them for each would take minutes.
    #[test]
    fn many_tokens_are_collected_at_once() {
        let many: Vec<(u64, Added)> =
            (0..50_000).map(|id| (id, Added::special(&format!("<{id}>")))).collect();
        let present = many.iter().map(|(_, token)| token.clone()).collect();
        let extra: Vec<Named> = many.iter().map(|(id, _)| Named::Text(format!("[{id}]"))).collect();
        assert_eq!(contents(&collect(present, &many, &[], &extra)).len(), 100_000);
    }
}
