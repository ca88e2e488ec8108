//! Text to token ids.

use std::fmt;
use std::path::Path;

use serde_json::Value;
use st_core::BoxError;

use self::pipeline::Pipeline;
use self::template::{Side, Template};
use self::vocabulary::Vocabulary;
use crate::Error;
use crate::spec::TransformerSpec;

mod adapt;
mod pipeline;
mod template;
mod vocabulary;

/// A text or a pair of texts as token ids, special tokens included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokenized {
    /// The ids that the model reads, cut to the limit.
    pub ids: Vec<u32>,
    /// The type of each id, such as 1 for the second text of a pair; empty where all are 0.
    pub types: Vec<u8>,
    /// Length before the cut.
    pub full_length: usize,
}

impl Tokenized {
    /// Whether the text lost tokens.
    pub fn is_truncated(&self) -> bool {
        self.full_length > self.ids.len()
    }
}

/// Splits texts into token ids; immutable, so that threads share it.
pub trait Tokenizer: fmt::Debug + Send + Sync {
    /// Splits `text`, adds special tokens and cuts to `max_tokens`, special tokens included.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer library reports.
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError>;

    /// Splits a pair, puts special tokens around and between, and cuts the longer text first.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer library reports.
    fn tokenize_pair(
        &self,
        first: &str,
        second: &str,
        max_tokens: Option<usize>,
    ) -> Result<Tokenized, BoxError>;

    /// Splits `text` and does nothing else: no special tokens, no limit.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer library reports.
    fn tokenize_plain(&self, text: &str) -> Result<Vec<u32>, BoxError>;

    /// Number of special tokens that are put around a text.
    fn special_tokens(&self) -> usize;

    /// Number of special tokens that are put around and between the texts of a pair.
    fn pair_special_tokens(&self) -> usize;

    /// Whether the last token of every text is a special one.
    fn ends_with_special(&self) -> bool;

    /// The id that fills up shorter texts of a batch; 0 where the tokenizer has no token for it.
    fn pad_id(&self) -> u32;

    /// The id that stands for a hidden token.
    fn mask_id(&self) -> Option<u32>;

    /// The token of an id, as the vocabulary writes it.
    fn token(&self, id: u32) -> Option<String>;

    /// The id of a token, as the vocabulary writes it.
    fn id(&self, token: &str) -> Option<u32>;

    /// Number of tokens, added ones included.
    fn vocab_size(&self) -> usize;
}

/// A tokenizer of a folder, as the reference would use it.
pub(crate) struct JsonTokenizer {
    pipeline: Pipeline,
    vocabulary: Vocabulary,
    single: Template,
    pair: Template,
    side: Side,
    pad: u32,
    mask: Option<u32>,
}

impl JsonTokenizer {
    /// Loads the tokenizer of a transformer folder.
    pub(crate) fn load(spec: &TransformerSpec) -> Result<Self, Error> {
        let path = spec.folder.join("tokenizer.json");
        if !path.is_file() {
            return Err(Error::NoTokenizer { folder: spec.folder.clone() });
        }
        let mut value = adapt::read(&path)?;
        adapt::adapt(&mut value, spec);
        let side = if spec.tokenizer.truncate_left { Side::Left } else { Side::Right };
        Self::build(value, side).map_err(|source| Error::Tokenizer { path, source })
    }

    /// Loads one `tokenizer.json` as it is, which is what a static embedding does.
    #[expect(dead_code, reason = "static embeddings are read elsewhere")]
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let value = adapt::read(path)?;
        Self::build(value, Side::Right).map_err(|source| Error::Tokenizer { path: path.to_owned(), source })
    }

    fn build(value: Value, side: Side) -> Result<Self, BoxError> {
        let vocabulary = vocabulary(&value)?;
        let pad = value.pointer("/padding/pad_id").and_then(as_id);
        let pipeline = Pipeline::new(value)?;
        Ok(Self {
            single: pipeline.single().untyped(),
            pair: pipeline.pair(),
            side,
            pad: pad.or_else(|| vocabulary.id("[PAD]")).or_else(|| vocabulary.id("<pad>")).unwrap_or(0),
            mask: vocabulary.id("[MASK]").or_else(|| vocabulary.id("<mask>")),
            pipeline,
            vocabulary,
        })
    }
}

fn as_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

/// The tokens of the model, an object of ids or Unigram's list of pieces and scores, and those added to it.
fn vocabulary(value: &Value) -> Result<Vocabulary, BoxError> {
    let model: Vec<(&str, u32)> = match value.pointer("/model/vocab") {
        Some(Value::Object(tokens)) => {
            tokens.iter().filter_map(|(token, id)| Some((token.as_str(), as_id(id)?))).collect()
        }
        Some(Value::Array(pieces)) => {
            let tokens = pieces.iter().map(|piece| piece.get(0).and_then(Value::as_str));
            tokens.zip(0..).filter_map(|(token, id)| Some((token?, id))).collect()
        }
        _ => Vec::new(),
    };
    let added = value.get("added_tokens").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // The library numbers them in this order, whatever the numbers are.
    let mut added: Vec<&Value> = added.iter().collect();
    added.sort_by_key(|token| token.get("id").and_then(Value::as_u64));
    let added: Vec<&str> = added.into_iter().filter_map(|token| token.get("content")?.as_str()).collect();
    Vocabulary::new(&model, &added)
}

impl fmt::Debug for JsonTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonTokenizer")
            .field("single", &self.single)
            .field("pair", &self.pair)
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

impl Tokenizer for JsonTokenizer {
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError> {
        Ok(self.single.apply(&self.pipeline.encode(text)?, &[], max_tokens, self.side))
    }

    fn tokenize_pair(
        &self,
        first: &str,
        second: &str,
        max_tokens: Option<usize>,
    ) -> Result<Tokenized, BoxError> {
        let (first, second) = (self.pipeline.encode(first)?, self.pipeline.encode(second)?);
        Ok(self.pair.apply(&first, &second, max_tokens, self.side))
    }

    fn tokenize_plain(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        self.pipeline.encode(text)
    }

    fn special_tokens(&self) -> usize {
        self.single.special_tokens()
    }

    fn pair_special_tokens(&self) -> usize {
        self.pair.special_tokens()
    }

    fn ends_with_special(&self) -> bool {
        !self.single.suffix.is_empty()
    }

    fn pad_id(&self) -> u32 {
        self.pad
    }

    fn mask_id(&self) -> Option<u32> {
        self.mask
    }

    fn token(&self, id: u32) -> Option<String> {
        self.vocabulary.token(id).map(str::to_owned)
    }

    fn id(&self, token: &str) -> Option<u32> {
        self.vocabulary.id(token)
    }

    fn vocab_size(&self) -> usize {
        self.vocabulary.len()
    }
}
