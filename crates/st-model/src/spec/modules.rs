//! `modules.json`: which modules a model is made of, in which order.

use std::path::{Component, Path};

use serde_json::Value;

use super::json::kind;
use crate::Error;

/// What a module does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleKind {
    /// A transformer: text to token embeddings.
    Transformer,
    /// A transformer with its head for the vocabulary: text to a number for each token of it.
    MlmTransformer,
    /// A table: text to the mean of the rows of its tokens.
    StaticEmbedding,
    /// A table: text to a number for each token of the vocabulary that is in it.
    SparseStaticEmbedding,
    /// A table: text to the rows of its words, which are split at spaces.
    WordEmbeddings,
    /// A dimension for each word of a vocabulary.
    BoW,
    /// One list of modules for questions, another for documents.
    Router,
    /// Token embeddings to a sentence embedding.
    Pooling,
    /// Scales each embedding to length one.
    Normalize,
    /// A linear layer and a function.
    Dense,
    /// Normalisation to mean zero and variance one.
    LayerNorm,
    /// Token embeddings become the weighted mean over layers.
    WeightedLayerPooling,
    /// Token embeddings times a number for each word.
    WordWeights,
    /// Convolutions over token embeddings.
    Cnn,
    /// Recurrence over token embeddings.
    Lstm,
    /// Numbers for the vocabulary at every token to one sparse vector.
    SpladePooling,
    /// A sentence embedding to the few largest of many activations.
    SparseAutoEncoder,
    /// Says which tokens take part in late interaction.
    MultiVectorMask,
    /// Switches values off in training; does nothing here.
    Dropout,
}

/// Every kind that runs, in the order in which the manual lists them.
pub(crate) const SUPPORTED: [ModuleKind; 19] = [
    ModuleKind::Transformer,
    ModuleKind::MlmTransformer,
    ModuleKind::StaticEmbedding,
    ModuleKind::SparseStaticEmbedding,
    ModuleKind::WordEmbeddings,
    ModuleKind::BoW,
    ModuleKind::Router,
    ModuleKind::Pooling,
    ModuleKind::Normalize,
    ModuleKind::Dense,
    ModuleKind::LayerNorm,
    ModuleKind::WeightedLayerPooling,
    ModuleKind::WordWeights,
    ModuleKind::Cnn,
    ModuleKind::Lstm,
    ModuleKind::SpladePooling,
    ModuleKind::SparseAutoEncoder,
    ModuleKind::MultiVectorMask,
    ModuleKind::Dropout,
];

/// A class of the reference that does not run here, why not, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The class.
    pub class: &'static str,
    /// Why it does not run.
    pub reason: &'static str,
    /// What to do instead.
    pub way_out: &'static str,
}

/// Classes of the reference that are refused by name.
pub(crate) const REFUSED: [Refusal; 3] = [
    Refusal {
        class: "CLIPModel",
        reason: "it reads pictures, and this release reads text only",
        way_out: "encode with Python",
    },
    Refusal {
        class: "LogitScore",
        reason: "its transformer is a generative reranker",
        way_out: "take a reranker with a classification head",
    },
    Refusal {
        class: "HierarchicalTokenPooling",
        reason: "it clusters the tokens of each document",
        way_out: "remove it from modules.json: all tokens are kept then",
    },
];

/// One entry of `modules.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEntry {
    /// What it does.
    pub kind: ModuleKind,
    /// Folder below the model folder; empty for the model folder itself.
    pub path: String,
}

impl ModuleEntry {
    /// Parses the text of a `modules.json`; `path` is only named in errors.
    ///
    /// All three generations of class paths are understood, by their last part.
    ///
    /// # Errors
    ///
    /// Text that is no such list, a path that leaves the folder, a class that is not supported.
    pub fn parse_list(path: &Path, text: &str) -> Result<Vec<Self>, Error> {
        let value: Value =
            serde_json::from_str(text).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        let Value::Array(entries) = value else {
            return Err(config(path, format!("expected a list of modules, found {}", kind(&value))));
        };
        entries.iter().enumerate().map(|(index, entry)| Self::parse(path, index, entry)).collect()
    }

    fn parse(path: &Path, index: usize, entry: &Value) -> Result<Self, Error> {
        let text = |key: &str| {
            entry
                .get(key)
                .and_then(Value::as_str)
                .ok_or_else(|| config(path, format!("module {index}: `{key}` must be a string")))
        };
        let class = text("type")?;
        let folder = text("path")?;
        check_path(path, folder)?;
        let kind = ModuleKind::parse(path, index, class)?;
        Ok(Self { kind, path: folder.to_owned() })
    }
}

/// Whether a path of a module stays inside of the folder that names it.
pub(super) fn check_path(path: &Path, folder: &str) -> Result<(), Error> {
    if is_inside(folder) {
        return Ok(());
    }
    Err(Error::UnsafePath { path: path.to_owned(), module: folder.to_owned() })
}

impl ModuleKind {
    /// The kind of a Python class; `path` and `index` are only named in errors.
    pub(super) fn parse(path: &Path, index: usize, class: &str) -> Result<Self, Error> {
        if let Some(kind) = Self::of_class(class) {
            return Ok(kind);
        }
        let name = class.rsplit('.').next().unwrap_or_default();
        let refusal = REFUSED.iter().find(|refusal| refusal.class == name);
        Err(match refusal.filter(|_| is_of_the_library(class)) {
            Some(refusal) => Error::RefusedModule { path: path.to_owned(), index, refusal: *refusal },
            None => Error::UnknownModule {
                path: path.to_owned(),
                index,
                kind: class.to_owned(),
                supported: SUPPORTED.map(Self::name).join(", "),
            },
        })
    }

    /// Only classes of the library itself: anything else is Python code of the repository, which we never run.
    fn of_class(class: &str) -> Option<Self> {
        if !is_of_the_library(class) {
            return None;
        }
        Some(match class.rsplit('.').next()? {
            // The last three are names of before 1.0 and hold an ordinary transformer.
            "Transformer" | "BERT" | "RoBERTa" | "DistilBERT" => Self::Transformer,
            "MLMTransformer" => Self::MlmTransformer,
            "StaticEmbedding" => Self::StaticEmbedding,
            "SparseStaticEmbedding" | "IDF" => Self::SparseStaticEmbedding,
            "WordEmbeddings" => Self::WordEmbeddings,
            "BoW" => Self::BoW,
            "Router" | "Asym" => Self::Router,
            "Pooling" => Self::Pooling,
            "Normalize" => Self::Normalize,
            "Dense" => Self::Dense,
            "LayerNorm" => Self::LayerNorm,
            "WeightedLayerPooling" => Self::WeightedLayerPooling,
            "WordWeights" => Self::WordWeights,
            "CNN" => Self::Cnn,
            "LSTM" => Self::Lstm,
            "SpladePooling" => Self::SpladePooling,
            "SparseAutoEncoder" | "CSRSparsity" => Self::SparseAutoEncoder,
            "MultiVectorMask" => Self::MultiVectorMask,
            "Dropout" => Self::Dropout,
            _ => return None,
        })
    }

    /// The class name of the reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transformer => "Transformer",
            Self::MlmTransformer => "MLMTransformer",
            Self::StaticEmbedding => "StaticEmbedding",
            Self::SparseStaticEmbedding => "SparseStaticEmbedding",
            Self::WordEmbeddings => "WordEmbeddings",
            Self::BoW => "BoW",
            Self::Router => "Router",
            Self::Pooling => "Pooling",
            Self::Normalize => "Normalize",
            Self::Dense => "Dense",
            Self::LayerNorm => "LayerNorm",
            Self::WeightedLayerPooling => "WeightedLayerPooling",
            Self::WordWeights => "WordWeights",
            Self::Cnn => "CNN",
            Self::Lstm => "LSTM",
            Self::SpladePooling => "SpladePooling",
            Self::SparseAutoEncoder => "SparseAutoEncoder",
            Self::MultiVectorMask => "MultiVectorMask",
            Self::Dropout => "Dropout",
        }
    }
}

fn is_of_the_library(class: &str) -> bool {
    // PyLate saves its models with the library's classes and one Dense of its own, which is the same.
    class.starts_with("sentence_transformers.") || class == "pylate.models.Dense.Dense"
}

/// Plain names below the folder only: no `..`, no root, no drive, no backslash, no NUL.
fn is_inside(folder: &str) -> bool {
    !folder.contains(['\\', '\0', ':'])
        && Path::new(folder).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn config(path: &Path, problem: String) -> Error {
    Error::Config { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = match ModuleEntry::parse_list(Path::new("modules.json"), text) {
            Ok(list) => list
                .iter()
                .map(|entry| format!("{}={}", entry.kind.name(), entry.path))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn three_generations_of_class_paths() {
        check(
            r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
                {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
                {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.base.modules.normalize.Normalize"}]"#,
            "Transformer= Pooling=1_Pooling Normalize=2_Normalize",
        );
        check(r#"[{"path":"0_BERT","type":"sentence_transformers.models.BERT"}]"#, "Transformer=0_BERT");
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for path in ["../other", "/etc", "1_Pooling/../../x", r"..\\x", "C:/x", "a\\u0000b"] {
            let text = format!(r#"[{{"path":"{path}","type":"sentence_transformers.models.Pooling"}}]"#);
            let error = ModuleEntry::parse_list(Path::new("m/modules.json"), &text).unwrap_err();
            assert!(matches!(error, Error::UnsafePath { .. }), "{path}: {error}");
        }
        check(
            r#"[{"path":"../x","type":"sentence_transformers.models.Pooling"}]"#,
            "modules.json: the path `../x` leaves the model folder",
        );
    }

    #[test]
    fn unknown_modules_are_named() {
        let supported = SUPPORTED.map(ModuleKind::name).join(", ");
        for class in ["custom_code.Transformer", "sentence_transformers.models.Oracle", "custom.CNN"] {
            check(
                &format!(r#"[{{"path":"","type":"{class}"}}]"#),
                &format!(
                    "modules.json: module 0 is a `{class}`, which is not supported; supported are {supported}"
                ),
            );
        }
    }

    #[test]
    fn refused_modules_say_why_and_what_to_do() {
        for refusal in REFUSED {
            let Refusal { class, reason, way_out } = refusal;
            check(
                &format!(r#"[{{"path":"","type":"sentence_transformers.models.{class}"}}]"#),
                &format!("modules.json: module 0 is a {class}, which is refused: {reason}; {way_out}"),
            );
        }
    }

    #[test]
    fn every_kind_is_found_under_its_own_name() {
        for kind in SUPPORTED {
            let class = format!("sentence_transformers.models.{}", kind.name());
            assert_eq!(ModuleKind::of_class(&class), Some(kind));
        }
    }

    #[test]
    fn other_json_is_refused() {
        check("{}", "modules.json: expected a list of modules, found an object");
        check(r#"[{"path":""}]"#, "modules.json: module 0: `type` must be a string");
        check("[", "modules.json is not valid JSON");
    }
}
