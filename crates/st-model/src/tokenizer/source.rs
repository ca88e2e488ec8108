//! Where a vocabulary comes from: `tokenizer.json`, or the files that were there before it.

use std::path::Path;

use serde_json::{Map, Value};
use st_core::BoxError;

use super::added::Added;
use super::folder::{self, Folder};
use super::sentencepiece::Model;
use crate::Error;

/// The algorithm that splits words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    WordPiece,
    Bpe,
    Unigram,
}

/// Tokens and what belongs to them, before a class builds a tokenizer from them.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Ids by token, or a list of tokens and scores.
    pub(super) vocab: Value,
    /// Pairs of tokens that are joined, in their order.
    pub(super) merges: Value,
    /// SentencePiece's table of replacements, in base64.
    pub(super) charsmap: Option<String>,
    /// What stands around a text, as `tokenizer.json` has it.
    pub(super) post_processor: Value,
    /// The id of unknown tokens that the file names.
    pub(super) unknown: Option<u64>,
    /// Control and user-defined pieces of a SentencePiece model.
    pub(super) pieces: Option<Vec<Added>>,
}

impl Algorithm {
    /// Its name in a `tokenizer.json`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WordPiece => "WordPiece",
            Self::Bpe => "BPE",
            Self::Unigram => "Unigram",
        }
    }
}

impl Source {
    /// The vocabulary of a folder for a class that splits with `algorithm` and knows `files`.
    pub(super) fn find(folder: &mut Folder, algorithm: Algorithm, files: &[&str]) -> Result<Self, Error> {
        if let Some(file) = folder.file.take() {
            return Self::of_json(file, algorithm)
                .map_err(|text| folder::problem(&folder.path.join("tokenizer.json"), text));
        }
        let missing = || folder.missing(&files.join(" with "));
        let paths: Option<Vec<_>> = files.iter().map(|name| folder.find(name)).collect();
        match paths.ok_or_else(missing)?.as_slice() {
            [vocab, merges] => Self::of_merges(vocab, merges),
            [model] if model.extension().is_some_and(|end| end == "model") => {
                Self::of_sentencepiece(model, algorithm)
            }
            [vocab] => Self::of_lines(vocab),
            _ => Err(missing()),
        }
    }

    fn of_json(mut file: Map<String, Value>, algorithm: Algorithm) -> Result<Self, String> {
        let charsmap = charsmap(file.get("normalizer")).map(str::to_owned);
        let post_processor = file.remove("post_processor").unwrap_or_default();
        let mut model = file.remove("model").ok_or("`model` is missing")?;
        let mut take = |key: &str| model.get_mut(key).map(Value::take).unwrap_or_default();
        let (vocab, merges) = (take("vocab"), take("merges"));
        let fits = match algorithm {
            Algorithm::Unigram => vocab.is_array(),
            Algorithm::Bpe => vocab.is_object() && merges.is_array(),
            Algorithm::WordPiece => vocab.is_object() && !merges.is_array(),
        };
        if !fits {
            return Err(format!(
                "`tokenizer_class` splits with {}, for which `model` has no vocabulary",
                algorithm.name()
            ));
        }
        Ok(Self { vocab, merges, charsmap, post_processor, ..Self::default() })
    }

    /// A line a token: its id is its place, and of equal lines the last one counts.
    fn of_lines(path: &Path) -> Result<Self, Error> {
        let text = text(path)?;
        let tokens =
            text.lines().zip(0_u32..).map(|(line, id)| (line.trim_end().to_owned(), Value::from(id)));
        Ok(Self { vocab: Value::Object(tokens.collect()), ..Self::default() })
    }

    fn of_merges(vocab: &Path, merges: &Path) -> Result<Self, Error> {
        let vocab = folder::object(vocab)?.unwrap_or_default();
        let text = text(merges)?;
        let lines = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
        let merges = lines.map(Value::from).collect();
        Ok(Self { vocab: Value::Object(vocab), merges, ..Self::default() })
    }

    fn of_sentencepiece(path: &Path, algorithm: Algorithm) -> Result<Self, Error> {
        let fail = |source: BoxError| Error::Tokenizer { path: path.to_owned(), source };
        let model = Model::parse(&folder::bytes(path)?).map_err(fail)?;
        let mut made = Self {
            charsmap: model.charsmap(),
            unknown: Some(model.unknown),
            pieces: Some(model.added()),
            ..Self::default()
        };
        if algorithm == Algorithm::Bpe {
            (made.vocab, made.merges) = model.merges();
        } else {
            made.vocab = model.scores();
        }
        Ok(made)
    }
}

fn text(path: &Path) -> Result<String, Error> {
    String::from_utf8(folder::bytes(path)?).map_err(|_| folder::problem(path, "is not UTF-8"))
}

/// The table of replacements of a normalizer, or of the first of its steps that has one.
fn charsmap(normalizer: Option<&Value>) -> Option<&str> {
    let normalizer = normalizer?;
    let steps = match normalizer.get("normalizers").and_then(Value::as_array) {
        Some(steps) => steps.iter().collect(),
        None => vec![normalizer],
    };
    steps.into_iter().find_map(|step| step.get("precompiled_charsmap")?.as_str())
}
