//! The tokenizer of models that are older than transformers: words between spaces, as a vocabulary has them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use st_core::BoxError;

use super::{Tokenized, Tokenizer};
use crate::Error;
use crate::spec::read_json;

/// The file of a `WhitespaceTokenizer`.
const FILE: &str = "whitespacetokenizer_config.json";

/// Splits at spaces and takes the words that it knows: as they are, else without the punctuation around them, else that in
/// lower case. All others are left out, and so are stop words.
#[derive(Debug)]
pub(crate) struct WordTokenizer {
    words: Vec<String>,
    ids: HashMap<String, u32>,
    stop_words: HashSet<String>,
    lowercase: bool,
}

/// The file as the reference writes it.
#[derive(Deserialize)]
struct Config {
    vocab: Vec<String>,
    stop_words: Vec<String>,
    #[serde(default)]
    do_lower_case: bool,
}

impl WordTokenizer {
    /// Reads that of a `WordEmbeddings` with a table of `rows` rows.
    pub(crate) fn load(folder: &Path, rows: usize) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let config: Config = read_json(&path)?;
        if config.vocab.len() > rows {
            let problem = format!("has {} words, but the table ends after {rows} rows", config.vocab.len());
            return Err(Error::Config { path, problem });
        }
        Ok(Self::new(config.vocab, config.stop_words, config.do_lower_case))
    }

    /// A tokenizer of those words, whose ids are their places; of equal ones the last counts.
    pub(crate) fn new(words: Vec<String>, stop_words: Vec<String>, lowercase: bool) -> Self {
        let ids = words.iter().cloned().zip(0..).collect();
        Self { words, ids, stop_words: stop_words.into_iter().collect(), lowercase }
    }

    fn split(&self, text: &str) -> Vec<u32> {
        let lowered = self.lowercase.then(|| text.to_lowercase());
        lowered.as_deref().unwrap_or(text).split(is_space).filter_map(|word| self.find(word)).collect()
    }

    /// The id of a word between spaces, if it has one and is no stop word in any of its forms up to there.
    fn find(&self, word: &str) -> Option<u32> {
        // What is between two spaces is no word.
        if word.is_empty() {
            return None;
        }
        let bare = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
        for form in [word, bare] {
            if self.stop_words.contains(form) {
                return None;
            }
            if let Some(&id) = self.ids.get(form).filter(|_| !form.is_empty()) {
                return Some(id);
            }
        }
        let lowered = bare.to_lowercase();
        self.ids.get(&lowered).copied().filter(|_| !self.stop_words.contains(&lowered))
    }
}

/// What Python's `str.split` takes for space: four control characters more than Unicode does.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

impl Tokenizer for WordTokenizer {
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError> {
        let mut ids = self.split(text);
        let full_length = ids.len();
        ids.truncate(max_tokens.unwrap_or(usize::MAX));
        Ok(Tokenized { ids, full_length, ..Tokenized::default() })
    }

    fn tokenize_pair(&self, _: &str, _: &str, _: Option<usize>) -> Result<Tokenized, BoxError> {
        Err("a tokenizer of words has no pairs".into())
    }

    fn tokenize_plain(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(self.split(text))
    }

    fn special_tokens(&self) -> usize {
        0
    }

    fn pair_special_tokens(&self) -> usize {
        0
    }

    fn ends_with_special(&self) -> bool {
        false
    }

    fn pad_id(&self) -> u32 {
        0
    }

    fn mask_id(&self) -> Option<u32> {
        None
    }

    fn token(&self, id: u32) -> Option<String> {
        self.words.get(usize::try_from(id).ok()?).cloned()
    }

    fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    fn vocab_size(&self) -> usize {
        self.words.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tokenizer: &WordTokenizer, text: &str, expected: &[&str]) {
        let ids = tokenizer.tokenize(text, None).unwrap().ids;
        let words: Vec<String> = ids.into_iter().filter_map(|id| tokenizer.token(id)).collect();
        assert_eq!(words, expected, "{text:?}");
    }

    fn tokenizer(stop_words: &[&str], lowercase: bool) -> WordTokenizer {
        let words = ["PAD", "paris", "Paris", "u.s.", "don't", "straße", "σας", "the"];
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        WordTokenizer::new(owned(&words), owned(stop_words), lowercase)
    }

    #[test]
    fn words_are_looked_for_in_three_forms() {
        let plain = tokenizer(&[], false);
        check(&plain, "Paris, (paris) PARIS!", &["Paris", "paris", "paris"]);
        check(&plain, "u.s. u.s. U.S. unknown", &["u.s.", "u.s."]);
        check(&plain, "\"don't\"\u{1f}don't\u{85}\u{3000}don't ... ", &["don't", "don't", "don't"]);
        check(&plain, "STRASSE Straße ΣΑΣ", &["straße", "σας"]);
        check(&plain, "", &[]);
        check(&tokenizer(&[], true), "Paris The", &["paris", "the"]);
    }

    #[test]
    fn stop_words_go_in_the_form_in_which_they_are_met() {
        check(&tokenizer(&["the", "paris"], false), "The the (the) Paris, PARIS", &["Paris"]);
        check(&tokenizer(&["Paris"], false), "Paris paris Paris. PARIS", &["paris", "paris"]);
    }

    #[test]
    fn a_text_is_cut_to_its_first_words() {
        let cut = tokenizer(&[], false).tokenize("paris the paris the", Some(3)).unwrap();
        assert_eq!((cut.ids.as_slice(), cut.full_length), ([1, 7, 1].as_slice(), 4));
    }
}
