//! The texts of one call, tokenised and each kept once.

use std::collections::HashMap;

use ndarray::{Array2, Axis};

use crate::tokenizer::Tokenized;

/// The texts of one call as tokens, and how much of each is prompt.
pub(crate) struct Prepared {
    /// Each text once, however often the call repeats it: real data does, and the answer is the same.
    pub(crate) distinct: Vec<Tokenized>,
    /// For each text of the call its place in `distinct`.
    pub(crate) places: Vec<usize>,
    /// How many of the first tokens of each text pooling leaves out.
    pub(crate) prompt_tokens: usize,
}

impl Prepared {
    pub(crate) fn new(texts: Vec<Tokenized>, prompt_tokens: usize) -> Self {
        let mut seen: HashMap<Tokenized, usize> = HashMap::with_capacity(texts.len());
        let mut places = Vec::with_capacity(texts.len());
        for text in texts {
            let next = seen.len();
            places.push(*seen.entry(text).or_insert(next));
        }
        let mut distinct: Vec<_> = seen.into_iter().collect();
        distinct.sort_unstable_by_key(|(_, place)| *place);
        Self { distinct: distinct.into_iter().map(|(text, _)| text).collect(), places, prompt_tokens }
    }

    /// The texts in the order of the call.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Tokenized> {
        self.places.iter().filter_map(|&place| self.distinct.get(place))
    }

    /// How many texts lost tokens.
    pub(crate) fn truncated(&self) -> usize {
        self.texts().filter(|text| text.is_truncated()).count()
    }

    /// Rows of distinct texts to rows of the call.
    pub(crate) fn repeat(&self, rows: Array2<f32>) -> Array2<f32> {
        if self.distinct.len() == self.places.len() { rows } else { rows.select(Axis(0), &self.places) }
    }
}
