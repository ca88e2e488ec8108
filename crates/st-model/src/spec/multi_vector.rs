//! How a late-interaction model reads questions and documents.

use std::path::Path;

use serde_json::{Map, Value};
use st_core::LateInteraction;

use super::json::{Object, read_text};
use super::modules::{ModuleEntry, ModuleKind};
use crate::Error;

/// Settings of a late-interaction model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultiVectorSpec {
    /// Longest question in tokens, where it has a limit of its own.
    pub query_length: Option<usize>,
    /// Longest document in tokens, where it has a limit of its own.
    pub document_length: Option<usize>,
    /// How short questions are filled up.
    pub expansion: Option<QueryExpansion>,
    /// Tokens that do not count.
    pub skiplist: Vec<String>,
    /// Whether they do not count in questions, either.
    pub skips_queries: bool,
    /// Whether they do not count in documents.
    pub skips_documents: bool,
    /// Ids that alone count in documents; all if empty.
    pub keep_only: Vec<u32>,
    /// How questions and documents are compared.
    pub interaction: LateInteraction,
    /// Prefixes that are one token each, of questions and documents: PyLate puts them in as tokens, not as text.
    pub prefixes: [Option<String>; 2],
    /// Saved by PyLate, which keeps masking and normalisation in its code.
    pub is_pylate: bool,
}

/// Filling up questions with a token that stands for what they do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryExpansion {
    /// Tokens of a question afterwards.
    pub length: usize,
    /// Whether longer questions are cut to that length, too.
    pub fixed: bool,
    /// Whether the transformer attends to the filling.
    pub attend: bool,
    /// The token; the one that hides tokens if not given.
    pub token: Option<String>,
}

/// What PyLate before its fourth release leaves out of documents.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Keys of which any says that PyLate saved the model.
pub(crate) const PYLATE_KEYS: [&str; 9] = [
    "query_length",
    "document_length",
    "query_expansion",
    "do_query_expansion",
    "attend_to_expansion_tokens",
    "attend_to_mask_tokens",
    "query_prefix",
    "document_prefix",
    "skiplist_words",
];

impl MultiVectorSpec {
    /// Reads what the folder says; `modules` are those of its list.
    pub(super) fn read(root: &Path, modules: &[ModuleEntry]) -> Result<Self, Error> {
        let mut spec = Self { skips_documents: true, ..Self::default() };
        spec.read_whole(root)?;
        let folder =
            |kind| modules.iter().find(|module| module.kind == kind).map(|module| root.join(&module.path));
        if let Some(folder) = folder(ModuleKind::Transformer) {
            spec.read_transformer(&folder)?;
        }
        if let Some(folder) = folder(ModuleKind::MultiVectorMask) {
            spec.read_mask(&folder)?;
        }
        Ok(spec)
    }

    /// The settings of the whole model, where PyLate keeps its own, too.
    fn read_whole(&mut self, root: &Path) -> Result<(), Error> {
        let path = root.join("config_sentence_transformers.json");
        if !path.is_file() {
            return Ok(());
        }
        let object = Object::parse(&path, &read_text(&path)?)?;
        self.is_pylate = object.string("model_type")? == Some("ColBERT");
        self.interaction = match object.string("similarity_fn_name")? {
            Some("meanmaxsim") => LateInteraction::MeanMaxSim,
            // PyLate's files name the similarity of single vectors.
            _ => LateInteraction::MaxSim,
        };
        if self.is_pylate {
            self.skiplist = PUNCTUATION.chars().map(String::from).collect();
        }
        if PYLATE_KEYS.iter().all(|key| object.get(key).is_none()) {
            return Ok(());
        }
        if let Some(words) = object.get("skiplist_words") {
            self.skiplist = strings(&object, "skiplist_words", words)?;
        }
        self.document_length = object.count("document_length")?;
        let prefix =
            |key| Ok::<_, Error>(object.string(key)?.filter(|text| !text.is_empty()).map(str::to_owned));
        self.prefixes = [prefix("query_prefix")?, prefix("document_prefix")?];
        let length = object.count("query_length")?;
        if let Some(expansion) = object.object("query_expansion")? {
            self.expansion = Some(QueryExpansion::parse(&object, expansion)?);
            self.query_length = length;
        } else if object.boolean("do_query_expansion")? == Some(false) {
            self.query_length = length;
        } else {
            let attend = match object.boolean("attend_to_expansion_tokens")? {
                Some(attend) => attend,
                None => object.boolean("attend_to_mask_tokens")?.unwrap_or(false),
            };
            let length = length.unwrap_or(32);
            self.expansion = Some(QueryExpansion { length, fixed: true, attend, token: None });
        }
        Ok(())
    }

    fn read_transformer(&mut self, folder: &Path) -> Result<(), Error> {
        let path = folder.join("sentence_bert_config.json");
        if !path.is_file() {
            return Ok(());
        }
        let object = Object::parse(&path, &read_text(&path)?)?;
        if let Some(length) = object.count("query_length")? {
            self.query_length = Some(length);
        }
        if let Some(length) = object.count("document_length")? {
            self.document_length = Some(length);
        }
        if let Some(expansion) = object.object("query_expansion")? {
            self.expansion = Some(QueryExpansion::parse(&object, expansion)?);
        }
        Ok(())
    }

    fn read_mask(&mut self, folder: &Path) -> Result<(), Error> {
        let path = folder.join("config.json");
        if !path.is_file() {
            return Ok(());
        }
        let object = Object::parse(&path, &read_text(&path)?)?;
        if let Some(words) = object.get("skiplist_words") {
            self.skiplist = strings(&object, "skiplist_words", words)?;
        }
        if let Some(tasks) = object.get("skiplist_tasks") {
            let tasks = match tasks {
                Value::String(task) => vec![task.clone()],
                list => strings(&object, "skiplist_tasks", list)?,
            };
            let has = |name: &str| tasks.iter().any(|task| task == name);
            (self.skips_queries, self.skips_documents) = (has("query"), has("document"));
        }
        if let Some(ids) = object.get("keep_only_token_ids") {
            let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
            let ids: Option<Vec<u32>> = ids.as_array().and_then(|ids| ids.iter().map(id).collect());
            self.keep_only =
                ids.ok_or_else(|| object.error("`keep_only_token_ids` must be a list of ids"))?;
        }
        Ok(())
    }
}

impl QueryExpansion {
    fn parse(object: &Object<'_>, map: &Map<String, Value>) -> Result<Self, Error> {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let fixed = match text("strategy") {
            Some("fixed") => true,
            Some("min") => false,
            other => {
                let problem = format!(
                    "`query_expansion` has the strategy {}; supported are fixed and min",
                    other.unwrap_or("(none)")
                );
                return Err(object.error(problem));
            }
        };
        let length =
            map.get("length").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length > 0);
        Ok(Self {
            length: length.ok_or_else(|| object.error("`query_expansion` needs a `length` above zero"))?,
            fixed,
            attend: map.get("attend").and_then(Value::as_bool).unwrap_or(false),
            token: text("token").map(str::to_owned),
        })
    }
}

fn strings(object: &Object<'_>, key: &str, value: &Value) -> Result<Vec<String>, Error> {
    let list = value.as_array().and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    list.ok_or_else(|| object.error(format!("`{key}` must be a list of strings")))
}
