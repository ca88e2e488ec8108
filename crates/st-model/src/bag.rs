//! Bags of words: a dimension for each word of a vocabulary.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use ndarray::Array2;
use serde::Deserialize;

use crate::Error;
use crate::spec::read_json;
use crate::tokenizer::{Tokenized, WordTokenizer};

/// A `BoW` of the reference.
#[derive(Debug)]
pub(crate) struct Bag {
    /// The distinct words, in their order.
    pub(crate) words: Vec<String>,
    /// What each word counts.
    weights: Vec<f32>,
    /// Whether a word counts as often as it comes, or once.
    cumulative: bool,
}

/// The part that `WordWeights` has, too.
#[derive(Deserialize)]
pub(crate) struct WeightConfig {
    pub(crate) vocab: Vec<String>,
    #[serde(default)]
    word_weights: HashMap<String, f64>,
    #[serde(default = "one")]
    unknown_word_weight: f64,
}

#[derive(Deserialize)]
struct Config {
    #[serde(flatten)]
    weights: WeightConfig,
    #[serde(default = "yes")]
    cumulative_term_frequency: bool,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

impl WeightConfig {
    /// Reads the `config.json` of a module.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let config: Self = read_json(path)?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        match self.weights().iter().position(|weight| !weight.is_finite()) {
            Some(place) => Err(Error::Config {
                path: path.to_owned(),
                problem: format!("the weight of `{}` is no usable number", self.vocab[place]),
            }),
            None => Ok(()),
        }
    }

    /// What each word counts: by its own name, else in lower case, else as an unknown one.
    #[expect(clippy::cast_possible_truncation, reason = "models compute in single precision")]
    pub(crate) fn weights(&self) -> Vec<f32> {
        let known = |word: &str| {
            self.word_weights.get(word).or_else(|| self.word_weights.get(word.to_lowercase().as_str()))
        };
        self.vocab.iter().map(|word| *known(word).unwrap_or(&self.unknown_word_weight) as f32).collect()
    }
}

impl Bag {
    /// Reads the folder of the module.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        let mut config: Config = read_json(&path)?;
        config.weights.check(&path)?;
        let mut seen = HashSet::new();
        config.weights.vocab.retain(|word| seen.insert(word.clone()));
        let weights = config.weights.weights();
        Ok(Self { words: config.weights.vocab, weights, cumulative: config.cumulative_term_frequency })
    }

    /// Splits texts into the words of the bag.
    pub(crate) fn tokenizer(&self) -> WordTokenizer {
        WordTokenizer::new(self.words.clone(), Vec::new(), false)
    }

    /// `[texts, words]`.
    pub(crate) fn rows(&self, texts: &[Tokenized]) -> Array2<f32> {
        let mut rows = Array2::zeros((texts.len(), self.words.len()));
        for (mut row, text) in rows.outer_iter_mut().zip(texts) {
            for &id in &text.ids {
                // The tokenizer has no other words.
                let place = id as usize;
                let before = if self.cumulative { row[place] } else { 0.0 };
                row[place] = before + self.weights[place];
            }
        }
        rows
    }
}
