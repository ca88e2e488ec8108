//! What a model is, for whoever searches a registry: Python writes none of it.

use serde::Serialize;
use serde_json::{Map, Value};

/// The key of the facts in `metadata`, and what their tags begin with.
pub(crate) const FACTS: &str = "st";
/// What the tags of [`ModelFacts`] begin with.
pub const FACT_TAGS: &str = "st.";

/// What is known of a model. It is written under the key `st` of the metadata in `MLmodel`, and, when the model is logged, as
/// tags `st.dimension`, `st.pooling` and so on of the logged model and of its version.
///
/// ```
/// use mlflow_flavor::ModelFacts;
///
/// let mut facts = ModelFacts::default();
/// facts.pooling = Some("mean".to_owned());
/// facts.dimension = Some(384);
/// let tags: Vec<(String, String)> = facts.tags().collect();
/// assert_eq!(tags, [("st.pooling".into(), "mean".into()), ("st.dimension".into(), "384".into())]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelFacts {
    /// The class of the transformer, such as `BertModel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// How token embeddings are pooled; several modes are joined with `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<String>,
    /// Width of the vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<u64>,
    /// Whether the model scales its vectors to length one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalized: Option<bool>,
    /// How vectors are meant to be compared, such as `cosine`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<String>,
    /// Longest text in tokens; the rest is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Numbers in the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Bytes of the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_bytes: Option<u64>,
    /// SHA-256 of the graph that was made of the model, without its weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_sha256: Option<String>,
    /// The model on the Hugging Face hub that the files were taken from, such as `sentence-transformers/all-MiniLM-L6-v2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub_model: Option<String>,
    /// The commit of that model: 40 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub_commit: Option<String>,
    /// What made the graph, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exporter: Option<String>,
    /// What the model takes on the machine that logged it, if that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// What a model takes on one machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Profile {
    /// Sentences of some twelve words that are encoded in a second.
    pub sentences_per_second: f64,
    /// Seconds to load the model.
    pub load_seconds: f64,
    /// Bytes of memory of the process with the model loaded, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Threads that encoded.
    pub threads: u64,
    /// The processor's architecture, such as `x86_64`.
    pub machine: String,
}

impl ModelFacts {
    /// The facts as tags, in the order of the fields.
    pub fn tags(&self) -> impl Iterator<Item = (String, String)> {
        let mut tags = Vec::new();
        flatten(FACTS, &self.to_value(), &mut tags);
        tags.into_iter()
    }

    /// The facts as JSON, without those that are not known.
    pub(crate) fn to_value(&self) -> Value {
        // Keys are text and numbers are finite: this cannot fail.
        serde_json::to_value(self).unwrap_or(Value::Object(Map::new()))
    }
}

/// The values of an object, under their keys joined with dots.
fn flatten(key: &str, value: &Value, tags: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(field, value)| flatten(&format!("{key}.{field}"), value, tags));
        }
        Value::String(text) => tags.push((key.to_owned(), text.clone())),
        value => tags.push((key.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_written() {
        assert_eq!(ModelFacts::default().tags().count(), 0);
        assert_eq!(ModelFacts::default().to_value(), serde_json::json!({}));
    }

    #[test]
    fn a_profile_has_tags_of_its_own() {
        let profile = Profile { sentences_per_second: 750.5, threads: 2, ..Profile::default() };
        let facts = ModelFacts { normalized: Some(true), profile: Some(profile), ..ModelFacts::default() };
        let tags: Vec<_> = facts.tags().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            tags,
            [
                "st.normalized=true",
                "st.profile.sentences_per_second=750.5",
                "st.profile.load_seconds=0.0",
                "st.profile.threads=2",
                "st.profile.machine=",
            ]
        );
    }
}
