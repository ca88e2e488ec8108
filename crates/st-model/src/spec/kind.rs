//! Which of the reference's four kinds of model a folder holds.

use std::path::Path;

use super::json::{Object, read_text};
use super::modules::{ModuleEntry, ModuleKind};
use crate::Error;

/// The four kinds of model that the reference has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelKind {
    /// A text to a vector.
    SentenceTransformer,
    /// A pair of texts to a score, or to one for each label.
    CrossEncoder,
    /// A text to a vector as wide as a vocabulary, nearly all of it zero.
    SparseEncoder,
    /// A text to a vector for each of its tokens.
    MultiVectorEncoder,
}

impl ModelKind {
    /// The reference's class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SentenceTransformer => "SentenceTransformer",
            Self::CrossEncoder => "CrossEncoder",
            Self::SparseEncoder => "SparseEncoder",
            Self::MultiVectorEncoder => "MultiVectorEncoder",
        }
    }

    /// The kind that the folder names, or that its modules or its architecture imply.
    ///
    /// A bare masked language model counts as a sentence transformer, as it does for the reference; whoever wants
    /// a sparse encoder of it says so.
    pub(super) fn of_folder(folder: &Path, modules: &[ModuleEntry]) -> Result<Self, Error> {
        let path = folder.join("config_sentence_transformers.json");
        if path.is_file() {
            let object = Object::parse(&path, &read_text(&path)?)?;
            if let Some(name) = object.string("model_type")? {
                // PyLate has no such module, and keeps its settings elsewhere: the file contradicts itself.
                if name == "ColBERT"
                    && modules.iter().any(|module| module.kind == ModuleKind::MultiVectorMask)
                {
                    return Err(object.error(
                        "`model_type` is ColBERT, but MultiVectorMask in modules.json is none of PyLate",
                    ));
                }
                return Self::named(&object, name);
            }
            // To the reference no name is a foreign one, of a model whose modules it leaves out.
            if object.is_null("model_type") {
                return Err(object.error("`model_type` is null; leave it out, or say what the model is"));
            }
        }
        let has = |kind| modules.iter().any(|module| module.kind == kind);
        if has(ModuleKind::SpladePooling)
            || has(ModuleKind::SparseStaticEmbedding)
            || has(ModuleKind::SparseAutoEncoder)
        {
            return Ok(Self::SparseEncoder);
        }
        if has(ModuleKind::MultiVectorMask) {
            return Ok(Self::MultiVectorEncoder);
        }
        if modules.is_empty()
            && architecture(folder)?.is_some_and(|name| name.ends_with("ForSequenceClassification"))
        {
            return Ok(Self::CrossEncoder);
        }
        Ok(Self::SentenceTransformer)
    }

    fn named(object: &Object<'_>, name: &str) -> Result<Self, Error> {
        match name {
            "SentenceTransformer" => Ok(Self::SentenceTransformer),
            "CrossEncoder" => Ok(Self::CrossEncoder),
            "SparseEncoder" => Ok(Self::SparseEncoder),
            // PyLate's word for it.
            "MultiVectorEncoder" | "ColBERT" => Ok(Self::MultiVectorEncoder),
            other => Err(object.error(format!(
                "`model_type` is {other}, which is not supported; supported are SentenceTransformer, \
                 CrossEncoder, SparseEncoder and MultiVectorEncoder"
            ))),
        }
    }
}

/// The first class of `config.json`, where there is one.
pub(super) fn architecture(folder: &Path) -> Result<Option<String>, Error> {
    let path = folder.join("config.json");
    if !path.is_file() {
        return Ok(None);
    }
    let object = Object::parse(&path, &read_text(&path)?)?;
    Ok(object.get("architectures").and_then(|list| list.get(0)?.as_str()).map(str::to_owned))
}
