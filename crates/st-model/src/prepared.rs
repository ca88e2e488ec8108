//! The texts of one call, tokenised and each kept once.

use std::collections::HashMap;

use ndarray::{Array2, Axis};
use st_core::Overlong;

use crate::long_text::{Joints, Pieces};
use crate::tokenizer::Tokenized;

/// The texts of one call as tokens, and how much of each is prompt.
pub(crate) struct Prepared {
    /// Each text once, however often the call repeats it: real data does, and the answer is the same.
    pub(crate) distinct: Vec<Tokenized>,
    /// For each text of the call its place in `distinct`.
    pub(crate) places: Vec<usize>,
    /// How many of the first tokens of each text pooling leaves out.
    pub(crate) prompt_tokens: usize,
    /// Which texts were too long.
    pub(crate) overlong: Vec<Overlong>,
    joints: Option<Joints>,
}

impl Prepared {
    pub(crate) fn new(pieces: Pieces, prompt_tokens: usize) -> Self {
        let (texts, overlong, joints) = pieces.into_parts();
        let mut seen: HashMap<Tokenized, usize> = HashMap::with_capacity(texts.len());
        let mut places = Vec::with_capacity(texts.len());
        for text in texts {
            let next = seen.len();
            places.push(*seen.entry(text).or_insert(next));
        }
        let mut distinct: Vec<_> = seen.into_iter().collect();
        distinct.sort_unstable_by_key(|(_, place)| *place);
        let distinct = distinct.into_iter().map(|(text, _)| text).collect();
        Self { distinct, places, prompt_tokens, overlong, joints }
    }

    /// The texts in the order of the call; of a text in windows, each window.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Tokenized> {
        self.places.iter().filter_map(|&place| self.distinct.get(place))
    }

    /// How many texts lost tokens.
    pub(crate) fn truncated(&self) -> usize {
        self.overlong.iter().filter(|text| text.lost > 0).count()
    }

    /// Rows of distinct texts to rows of the call, those of windows joined.
    pub(crate) fn restore(&self, rows: Array2<f32>, normalize: bool) -> Array2<f32> {
        let all =
            if self.distinct.len() == self.places.len() { rows } else { rows.select(Axis(0), &self.places) };
        Pieces::join(self.joints.as_ref(), all, normalize)
    }
}
