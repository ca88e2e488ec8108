//! `config_sentence_transformers.json`: prompts, similarity and defaults of the whole model.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use st_core::{NameError, Similarity};

use super::ModelKind;
use super::json::{Object, kind};
use crate::Error;

/// Settings of the whole model; all of them have a default, since the file is optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentenceSpec {
    /// Name to text of the prompts. `query` and `document` are always there, empty if the model stores none:
    /// the reference adds them, so a stored `passage` is not what it puts before documents. Only to a
    /// cross-encoder it adds none.
    pub prompts: BTreeMap<String, String>,
    /// The prompt that stands before each text if the caller names none.
    pub default_prompt_name: Option<String>,
    /// How vectors of this model are meant to be compared.
    pub similarity: Similarity,
    /// Only so many dimensions are handed out, if the model says so.
    pub truncate_dim: Option<usize>,
    /// Only so many of the largest values of a sparse vector are kept, if the model says so.
    pub max_active_dims: Option<usize>,
    /// Release of sentence-transformers that wrote the folder.
    pub library_version: Option<String>,
}

impl Default for SentenceSpec {
    fn default() -> Self {
        Self {
            prompts: default_prompts(ModelKind::SentenceTransformer),
            default_prompt_name: None,
            similarity: Similarity::Cosine,
            truncate_dim: None,
            max_active_dims: None,
            library_version: None,
        }
    }
}

impl SentenceSpec {
    /// Parses the text of the file of a model of that kind; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// Text that is no such configuration, a default prompt that is not stored.
    pub fn parse(path: &Path, text: &str, kind: ModelKind) -> Result<Self, Error> {
        let default_similarity = default_similarity(kind);
        let object = Object::parse(path, text)?;
        let prompts = prompts(&object, kind)?;
        let default_prompt_name = object.string("default_prompt_name")?.map(str::to_owned);
        if let Some(name) = default_prompt_name.as_ref().filter(|name| !prompts.contains_key(*name)) {
            return Err(object.error(format!("`default_prompt_name` is `{name}`, which is no stored prompt")));
        }
        // Late interaction has functions of its own, which are not for single vectors.
        let named = object.string("similarity_fn_name")?.filter(|_| kind != ModelKind::MultiVectorEncoder);
        let similarity = named.map_or(Ok(default_similarity), str::parse);
        Ok(Self {
            prompts,
            default_prompt_name,
            similarity: similarity
                .map_err(|error: NameError| object.error(format!("`similarity_fn_name`: {error}")))?,
            truncate_dim: object.count("truncate_dim")?,
            max_active_dims: object.count("max_active_dims")?,
            library_version: library_version(&object),
        })
    }

    /// Reads the file of `folder`, or takes the defaults if there is none.
    pub(crate) fn read(folder: &Path, kind: ModelKind) -> Result<Self, Error> {
        let path = folder.join("config_sentence_transformers.json");
        if !path.is_file() {
            let (prompts, similarity) = (default_prompts(kind), default_similarity(kind));
            return Ok(Self { prompts, similarity, ..Self::default() });
        }
        Self::parse(&path, &super::json::read_text(&path)?, kind)
    }
}

/// What compares vectors of a model that does not say.
fn default_similarity(kind: ModelKind) -> Similarity {
    if kind == ModelKind::SparseEncoder { Similarity::Dot } else { Similarity::Cosine }
}

fn default_prompts(of: ModelKind) -> BTreeMap<String, String> {
    match of {
        ModelKind::CrossEncoder => BTreeMap::new(),
        _ => ["query", "document"].map(|name| (name.to_owned(), String::new())).into(),
    }
}

fn prompts(object: &Object<'_>, of: ModelKind) -> Result<BTreeMap<String, String>, Error> {
    let mut prompts = default_prompts(of);
    for (name, value) in object.object("prompts")?.into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Null => "",
            other => {
                return Err(object.error(format!("prompt `{name}` must be a string, found {}", kind(other))));
            }
        };
        prompts.insert(name.clone(), text.to_owned());
    }
    Ok(prompts)
}

fn library_version(object: &Object<'_>) -> Option<String> {
    let version = object.get("__version__")?.get("sentence_transformers")?;
    version.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file() {
        let text = r#"{"__version__":{"sentence_transformers":"6.2.0"},"default_prompt_name":"query",
            "model_type":"SentenceTransformer","prompts":{"query":"q: ","document":""},
            "similarity_fn_name":"dot","truncate_dim":64}"#;
        let spec = SentenceSpec::parse(Path::new("c.json"), text, ModelKind::SentenceTransformer).unwrap();
        assert_eq!(spec.prompts["query"], "q: ");
        assert_eq!((spec.similarity, spec.truncate_dim), (Similarity::Dot, Some(64)));
        assert_eq!(spec.library_version.as_deref(), Some("6.2.0"));
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error =
            SentenceSpec::parse(Path::new("c.json"), text, ModelKind::SentenceTransformer).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn wrong_values_are_named() {
        check(
            r#"{"default_prompt_name":"q"}"#,
            "c.json: `default_prompt_name` is `q`, which is no stored prompt",
        );
        check(r#"{"prompts":{"q":1}}"#, "c.json: prompt `q` must be a string, found a number");
    }
}
