//! Which token has which id: asked for special tokens, and to show what a sparse embedding weighs.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use st_core::BoxError;

/// A higher id is taken for an attack: the table of tokens is as long as the highest id.
const MAX_ID: u32 = 1 << 24;

/// All tokens in one piece of text, since vocabularies have a quarter of a million entries.
#[derive(Default)]
pub(super) struct Vocabulary {
    text: String,
    /// Where the token of each id ends in `text`; ids without a token have an empty one.
    ends: Vec<usize>,
    /// The ids of added tokens, which are asked for while a tokenizer is made.
    added: HashMap<String, u32>,
    /// Ids by their tokens, made when a token is first looked up.
    sorted: OnceLock<Vec<u32>>,
}

impl Vocabulary {
    /// The tokens of a model, and behind them those of `added` that it lacks, in this order.
    pub(super) fn new<'a>(model: &[(&'a str, u32)], added: &[&'a str]) -> Result<Self, BoxError> {
        let names: HashSet<&str> = added.iter().copied().collect();
        let mut seen: HashSet<&str> =
            model.iter().map(|(token, _)| *token).filter(|token| names.contains(token)).collect();
        let new = added.iter().filter(|token| seen.insert(token));
        let next = u32::try_from(model.len())?;
        let mut by_id: Vec<&str> = Vec::new();
        let mut made = Self::default();
        for (token, id) in model.iter().copied().chain(new.copied().zip(next..)) {
            if id > MAX_ID {
                return Err(format!("the id {id} of `{token}` is too high").into());
            }
            let index = id as usize;
            if index >= by_id.len() {
                by_id.resize(index + 1, "");
            }
            by_id[index] = token;
            if names.contains(token) {
                made.added.insert(token.to_owned(), id);
            }
        }
        for token in by_id {
            made.text.push_str(token);
            made.ends.push(made.text.len());
        }
        Ok(made)
    }

    /// The token of an id.
    pub(super) fn token(&self, id: u32) -> Option<&str> {
        let index = id as usize;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end]).filter(|token| !token.is_empty())
    }

    /// The id of a token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        if let Some(id) = self.added.get(token) {
            return Some(*id);
        }
        let sorted = self.sorted.get_or_init(|| {
            let mut ids: Vec<u32> =
                (0..).take(self.ends.len()).filter(|id| self.token(*id).is_some()).collect();
            ids.sort_by_key(|id| self.token(*id));
            ids
        });
        let found = sorted.binary_search_by_key(&Some(token), |id| self.token(*id)).ok()?;
        Some(sorted[found])
    }

    /// How many tokens there are.
    pub(super) fn len(&self) -> usize {
        (0..).take(self.ends.len()).filter(|id| self.token(*id).is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_ids_find_each_other() {
        let vocabulary = Vocabulary::new(&[("b", 0), ("a", 5), ("ä", 1), ("c", 0)], &["a", "d"]).unwrap();
        assert_eq!((vocabulary.token(0), vocabulary.token(1)), (Some("c"), Some("ä")));
        assert_eq!((vocabulary.token(2), vocabulary.token(6)), (None, None));
        assert_eq!((vocabulary.id("a"), vocabulary.id("b"), vocabulary.id("")), (Some(5), None, None));
        assert_eq!((vocabulary.id("d"), vocabulary.len()), (Some(4), 4));
    }
}
