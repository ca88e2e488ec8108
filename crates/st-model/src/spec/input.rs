//! What reads the text: the first module of a way through a model.

use std::path::{Path, PathBuf};

use st_export::Task;

use super::modules::ModuleKind;
use super::transformer::TransformerSpec;
use super::words::WordsSpec;
use crate::Error;
use crate::bag::Bag;

/// What reads the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputSpec {
    /// A transformer, under the head that is given beside it.
    Transformer(Box<TransformerSpec>, Task),
    /// A table of vectors, one for each word, which modules behind it join.
    Words(WordsSpec),
    /// A table of vectors, one for each token.
    Static {
        /// Where table and tokenizer are.
        folder: PathBuf,
    },
    /// A table of numbers, one for each token.
    SparseStatic {
        /// Where table and tokenizer are.
        folder: PathBuf,
    },
    /// A dimension for each word.
    Bag {
        /// Where the words are.
        folder: PathBuf,
    },
}

impl InputSpec {
    /// Where its files are.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Transformer(transformer, _) => &transformer.folder,
            Self::Words(words) => &words.folder,
            Self::Static { folder } | Self::SparseStatic { folder } | Self::Bag { folder } => folder,
        }
    }

    /// Longest text in tokens, special tokens included; tables have no limit.
    pub fn max_tokens(&self) -> Option<usize> {
        match self {
            Self::Transformer(transformer, _) => transformer.max_tokens,
            Self::Words(words) => Some(words.max_tokens),
            _ => None,
        }
    }

    /// Tokens that there are, where the configuration says it.
    pub(super) fn vocab_size(&self) -> Option<usize> {
        match self {
            Self::Transformer(transformer, _) => transformer.vocab_size,
            Self::Words(words) => Some(words.vocab_size),
            _ => None,
        }
    }

    /// Whether a graph runs it, and answers an embedding for each token.
    pub fn has_graph(&self) -> bool {
        matches!(self, Self::Transformer(..) | Self::Words(_))
    }
}

/// What reads the text, and the width of what it answers; `None` for modules that do not read text.
pub(super) fn read(folder: &Path, kind: ModuleKind) -> Option<Result<(InputSpec, usize), Error>> {
    match kind {
        ModuleKind::Transformer => Some(TransformerSpec::read(folder).map(|transformer| {
            let (task, width) = if transformer.fills_masks {
                (Task::Vocabulary, transformer.vocab_size.unwrap_or(0))
            } else {
                (Task::Features, transformer.hidden_size)
            };
            (InputSpec::Transformer(Box::new(transformer), task), width)
        })),
        ModuleKind::MlmTransformer => Some(TransformerSpec::read(folder).map(|transformer| {
            let width = transformer.vocab_size.unwrap_or(0);
            (InputSpec::Transformer(Box::new(transformer), Task::Vocabulary), width)
        })),
        ModuleKind::StaticEmbedding => Some(
            crate::table::width(folder).map(|width| (InputSpec::Static { folder: folder.to_owned() }, width)),
        ),
        ModuleKind::WordEmbeddings => Some(WordsSpec::read(folder).map(|words| {
            let width = words.hidden_size;
            (InputSpec::Words(words), width)
        })),
        ModuleKind::BoW => {
            Some(Bag::read(folder).map(|bag| (InputSpec::Bag { folder: folder.to_owned() }, bag.words.len())))
        }
        ModuleKind::SparseStaticEmbedding => Some(
            crate::table::width(folder)
                .map(|width| (InputSpec::SparseStatic { folder: folder.to_owned() }, width)),
        ),
        _ => None,
    }
}
