//! Modules of before transformers that read text: word embeddings and bags of words.

use std::path::{Path, PathBuf};

use super::json::{Object, read_text};
use crate::Error;

/// What limits a text where the configuration does not.
const DEFAULT_LIMIT: usize = 1_000_000;
/// The table of a `WordEmbeddings`.
const TABLE: &str = "emb_layer.weight";

/// `WordEmbeddings`: a row of a table for each word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordsSpec {
    /// Where table and words are.
    pub folder: PathBuf,
    /// Rows of the table.
    pub vocab_size: usize,
    /// Width of a row.
    pub hidden_size: usize,
    /// Longest text in words; the rest is cut off.
    pub max_tokens: usize,
}

impl WordsSpec {
    /// Reads the configuration and the shape of the table.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("wordembedding_config.json");
        let object = Object::parse(&path, &read_text(&path)?)?;
        check_tokenizer(&object)?;
        let shape = st_export::checkpoint::tensor_shape(folder, TABLE)
            .map_err(|source| Error::Graph { folder: folder.to_owned(), source: Box::new(source) })?;
        if !folder.join("model.safetensors").is_file() {
            return Err(
                object.error("its table must be in `model.safetensors`, which alone the reference reads")
            );
        }
        let &[vocab_size, hidden_size] = shape.as_slice() else {
            return Err(object.error(format!("`{TABLE}` must have two axes, not the shape {shape:?}")));
        };
        let max_tokens = object.count("max_seq_length")?.unwrap_or(DEFAULT_LIMIT);
        Ok(Self { folder: folder.to_owned(), vocab_size, hidden_size, max_tokens })
    }
}

/// Of the three that the reference has, one needs a library for English, and one wraps a tokenizer of transformers, which
/// nobody is known to have saved.
fn check_tokenizer(object: &Object<'_>) -> Result<(), Error> {
    let Some(class) = object.string("tokenizer_class")? else {
        return Err(object.error("`tokenizer_class` is missing; supported is WhitespaceTokenizer"));
    };
    if class.rsplit('.').next() == Some("WhitespaceTokenizer") && class.starts_with("sentence_transformers.")
    {
        return Ok(());
    }
    Err(object.error(format!(
        "`tokenizer_class` is {class}, which is not supported; supported is WhitespaceTokenizer of sentence_transformers"
    )))
}
