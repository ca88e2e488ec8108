//! Text to token ids.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};
use st_core::BoxError;

use self::pipeline::Pipeline;
use self::recipe::Recipe;
use self::template::{Side, Template};
use self::vocabulary::Vocabulary;
use crate::Error;
use crate::bag::Bag;
use crate::spec::{InputSpec, TransformerSpec};

mod added;
mod charsmap;
mod class;
mod folder;
mod lower;
mod parts;
mod pipeline;
mod punctuation;
mod rebuild;
mod recipe;
mod rules;
mod sentencepiece;
mod sound;
mod source;
mod template;
mod vocabulary;
mod words;

pub(crate) use words::WordTokenizer;

/// A text or a pair of texts as token ids, special tokens included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokenized {
    /// The ids that the model reads, cut to the limit.
    pub ids: Vec<u32>,
    /// The type of each id, such as 1 for the second text of a pair; empty where all are 0.
    pub types: Vec<u8>,
    /// Length before the cut.
    pub full_length: usize,
    /// How many of the last ids the model does not attend to, though it answers vectors for them.
    pub unattended: usize,
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

    /// The longest text that its own file allows, where that counts.
    fn stored_limit(&self) -> Option<usize> {
        None
    }
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
    limit: Option<usize>,
}

/// Reads the tokenizer of a folder without its model, as the reference would use it.
///
/// # Errors
///
/// A folder without a tokenizer, or with one that cannot be used.
pub fn read_tokenizer(folder: &Path) -> Result<Box<dyn Tokenizer>, Error> {
    Ok(Box::new(JsonTokenizer::build(rebuild::read(folder)?).map_err(|source| unusable(folder, source))?))
}

/// What makes tokens for an input.
pub(crate) fn load(input: &InputSpec) -> Result<Box<dyn Tokenizer>, Error> {
    Ok(match input {
        InputSpec::Transformer(transformer, _) => Box::new(JsonTokenizer::load(transformer)?),
        InputSpec::Words(words) => Box::new(WordTokenizer::load(&words.folder, words.vocab_size)?),
        InputSpec::Static { folder } => Box::new(JsonTokenizer::open(&folder.join("tokenizer.json"))?),
        InputSpec::SparseStatic { folder } => read_tokenizer(folder)?,
        InputSpec::Bag { folder } => Box::new(Bag::read(folder)?.tokenizer()),
    })
}

fn unusable(folder: &Path, source: BoxError) -> Error {
    let path = folder.join("tokenizer.json");
    Error::Tokenizer { path: if path.is_file() { path } else { folder.to_owned() }, source }
}

impl JsonTokenizer {
    /// Loads the tokenizer of a transformer folder.
    pub(crate) fn load(spec: &TransformerSpec) -> Result<Self, Error> {
        let mut recipe = rebuild::read(&spec.folder)?;
        if spec.lowercase {
            let normalizer = recipe.json.remove("normalizer").unwrap_or_default();
            recipe.json.insert("normalizer".to_owned(), lower::lowercase_first(normalizer));
        }
        Self::build(recipe).map_err(|source| unusable(&spec.folder, source))
    }

    /// The longest text that `tokenizer_config.json` of a folder allows.
    pub(crate) fn limit(folder: &Path) -> Result<Option<usize>, Error> {
        crate::spec::TokenizerSpec::read(folder).map(|spec| spec.max_tokens)
    }

    /// Loads one `tokenizer.json` as a static embedding does: with the limit in it, and with nothing around a text.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::Tokenizer { path: path.to_owned(), source };
        let mut json = folder::object(path)?.ok_or_else(|| fail("there is no such file".into()))?;
        json.remove("post_processor");
        let truncation = json.remove("truncation").unwrap_or_default();
        let side = if folder::loses_beginning(&truncation) { Side::Left } else { Side::Right };
        let limit = truncation.get("max_length").and_then(Value::as_u64);
        let tokenizer = Self::build(Recipe { json, side, ..Recipe::default() }).map_err(fail)?;
        Ok(Self { limit: limit.and_then(|limit| usize::try_from(limit).ok()), ..tokenizer })
    }

    fn build(mut recipe: Recipe) -> Result<Self, BoxError> {
        let mut json = std::mem::take(&mut recipe.json);
        let vocabulary = vocabulary(&json)?;
        json.insert("post_processor".to_owned(), recipe.post_processor(&vocabulary)?);
        json.get("normalizer").map_or(Ok(()), charsmap::check)?;
        lower::lower(&mut json);
        let pipeline = Pipeline::new(Value::Object(json), recipe.split_special)?;
        let typed = |template: Template| if recipe.typed { template } else { template.untyped() };
        let id = |token: Option<&String>| recipe.id(&vocabulary, token?);
        Ok(Self {
            single: typed(pipeline.single()),
            pair: typed(pipeline.pair()),
            side: recipe.side,
            pad: id(recipe.pad.as_ref()).unwrap_or(0),
            mask: id(recipe.mask.as_ref()),
            limit: None,
            pipeline,
            vocabulary,
        })
    }
}

/// The tokens of the model, an object of ids or Unigram's list of pieces and scores, and those added to it.
fn vocabulary<'json>(json: &'json Map<String, Value>) -> Result<Vocabulary, BoxError> {
    // The library takes `8e8` for an id, too; nobody else writes one so.
    let numbered = |(token, value): (&'json String, &Value)| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| format!("`{token}` has the id {value}, which is none"))?;
        Ok::<_, String>((token.as_str(), id))
    };
    let model: Vec<(&str, u32)> = match json.get("model").and_then(|model| model.get("vocab")) {
        Some(Value::Object(tokens)) => tokens.iter().map(numbered).collect::<Result<_, _>>()?,
        Some(Value::Array(pieces)) => {
            let tokens = pieces.iter().map(|piece| piece.get(0).and_then(Value::as_str));
            tokens.zip(0..).filter_map(|(token, id)| Some((token?, id))).collect()
        }
        _ => Vec::new(),
    };
    let added = added::of_file(json);
    let added: Vec<&str> = added.iter().map(|(_, token)| token.content.as_str()).collect();
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

    fn stored_limit(&self) -> Option<usize> {
        self.limit
    }
}
