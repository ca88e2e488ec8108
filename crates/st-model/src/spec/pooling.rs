//! The configuration of the Pooling module, in both schemas.

use std::path::Path;

use serde_json::Value;
use st_core::PoolingMode;

use super::json::Object;
use crate::Error;

/// The boolean keys of releases before 6, in the order in which they concatenate.
const LEGACY_KEYS: [(&str, PoolingMode); 6] = [
    ("pooling_mode_cls_token", PoolingMode::Cls),
    ("pooling_mode_max_tokens", PoolingMode::Max),
    ("pooling_mode_mean_tokens", PoolingMode::Mean),
    ("pooling_mode_mean_sqrt_len_tokens", PoolingMode::MeanSqrtLen),
    ("pooling_mode_weightedmean_tokens", PoolingMode::WeightedMean),
    ("pooling_mode_lasttoken", PoolingMode::LastToken),
];

/// How token embeddings become a sentence embedding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolingSpec {
    /// One mode, or several whose results are concatenated in this order.
    pub modes: Vec<PoolingMode>,
    /// Whether the tokens of the prompt are pooled with the others.
    pub include_prompt: bool,
    /// Width of a token embedding, if the file says it.
    pub token_dim: Option<usize>,
}

impl Default for PoolingSpec {
    /// What the reference adds to a bare transformer.
    fn default() -> Self {
        Self { modes: vec![PoolingMode::Mean], include_prompt: true, token_dim: None }
    }
}

impl PoolingSpec {
    /// Parses the text of a `1_Pooling/config.json`; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// Text that is no such configuration; a mode that does not exist.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let object = Object::parse(path, text)?;
        let modes = match object.get("pooling_mode") {
            Some(value) => named_modes(&object, value)?,
            None => legacy_modes(&object)?,
        };
        let token_dim = match object.count("embedding_dimension")? {
            Some(dim) => Some(dim),
            None => object.count("word_embedding_dimension")?,
        };
        Ok(Self { modes, include_prompt: object.boolean("include_prompt")?.unwrap_or(true), token_dim })
    }
}

fn named_modes(object: &Object<'_>, value: &Value) -> Result<Vec<PoolingMode>, Error> {
    let names: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    };
    let modes: Result<Vec<_>, _> = names
        .into_iter()
        .map(|name| {
            let name = name.as_str().ok_or_else(|| {
                object.error("`pooling_mode` must be a string or a list of strings".to_owned())
            })?;
            name.parse().map_err(|error: st_core::NameError| object.error(format!("`pooling_mode`: {error}")))
        })
        .collect();
    match modes? {
        modes if modes.is_empty() => Err(object.error("`pooling_mode` is an empty list")),
        modes => Ok(modes),
    }
}

/// Several flags concatenate; none at all means the mean.
fn legacy_modes(object: &Object<'_>) -> Result<Vec<PoolingMode>, Error> {
    let mut modes = Vec::new();
    for (key, mode) in LEGACY_KEYS {
        if object.boolean(key)?.unwrap_or(false) {
            modes.push(mode);
        }
    }
    if modes.is_empty() {
        modes.push(PoolingMode::Mean);
    }
    Ok(modes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = match PoolingSpec::parse(Path::new("config.json"), text) {
            Ok(spec) => {
                let modes: Vec<_> = spec.modes.iter().map(|mode| mode.name()).collect();
                format!("{} {} {:?}", modes.join("+"), spec.include_prompt, spec.token_dim)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn both_schemas() {
        check(
            r#"{"word_embedding_dimension":384,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}"#,
            "mean true Some(384)",
        );
        check(
            r#"{"embedding_dimension":8,"pooling_mode":"lasttoken","include_prompt":false}"#,
            "lasttoken false Some(8)",
        );
        check(r#"{"pooling_mode":["max","cls"]}"#, "max+cls true None");
        check(r#"{"pooling_mode_lasttoken":true,"pooling_mode_cls_token":true}"#, "cls+lasttoken true None");
        check("{}", "mean true None");
    }

    #[test]
    fn wrong_values_are_named() {
        check(
            r#"{"pooling_mode":"median"}"#,
            "config.json: `pooling_mode`: `median` is not a known pooling mode; known are cls, max, mean, \
             mean_sqrt_len_tokens, weightedmean, lasttoken",
        );
        check(r#"{"pooling_mode":[]}"#, "config.json: `pooling_mode` is an empty list");
        check(
            r#"{"pooling_mode_cls_token":1}"#,
            "config.json: `pooling_mode_cls_token` must be true or false, found a number",
        );
    }
}
