//! What a tokenizer is built from, once it is known what the folder means.

use serde_json::{Map, Value, json};
use st_core::BoxError;

use super::template::Side;
use super::vocabulary::Vocabulary;

/// A `tokenizer.json` and what is not in it.
#[derive(Debug, Default)]
pub(super) struct Recipe {
    /// The tokenizer without its post-processor.
    pub(super) json: Map<String, Value>,
    pub(super) wrapping: Wrapping,
    /// The token that fills up a batch.
    pub(super) pad: Option<String>,
    /// The token that hides another.
    pub(super) mask: Option<String>,
    /// The token of what is not in the vocabulary.
    pub(super) unknown: Option<String>,
    /// Whether the reference tells the model which text a token belongs to.
    pub(super) typed: bool,
    pub(super) side: Side,
    /// Whether special tokens that stand in a text are split like any other word.
    pub(super) split_special: bool,
}

/// What stands around one text and around a pair.
#[derive(Debug)]
pub(super) enum Wrapping {
    /// As a `tokenizer.json` says it.
    Stored(Value),
    Made {
        single: Vec<Part>,
        pair: Vec<Part>,
    },
}

/// One place of a template, with its type id.
#[derive(Clone, Debug)]
pub(super) enum Part {
    First(u8),
    Second(u8),
    Token(String, u8),
}

impl Default for Wrapping {
    fn default() -> Self {
        Self::Stored(Value::Null)
    }
}

impl Recipe {
    /// The id of a token by its name; a token that is nowhere counts as an unknown one.
    pub(super) fn id(&self, vocabulary: &Vocabulary, token: &str) -> Option<u32> {
        vocabulary.id(token).or_else(|| vocabulary.id(self.unknown.as_deref()?))
    }

    /// The post-processor, its tokens replaced by their ids.
    pub(super) fn post_processor(&self, vocabulary: &Vocabulary) -> Result<Value, BoxError> {
        let (single, pair) = match &self.wrapping {
            Wrapping::Stored(value) => return Ok(value.clone()),
            Wrapping::Made { single, pair } => (single, pair),
        };
        let part = |part: &Part| match part {
            Part::First(kind) => Ok(json!({"seq": "A", "type_id": kind})),
            Part::Second(kind) => Ok(json!({"seq": "B", "type_id": kind})),
            Part::Token(token, kind) => {
                let id = self.id(vocabulary, token);
                let id = id.ok_or_else(|| format!("the special token `{token}` is not in the vocabulary"))?;
                Ok::<_, BoxError>(json!({"ids": [id], "type_id": kind}))
            }
        };
        let parts = |parts: &[Part]| parts.iter().map(part).collect::<Result<Value, _>>();
        Ok(json!({"type": "TemplateProcessing", "single": parts(single)?, "pair": parts(pair)?}))
    }
}
