//! Parameters of `predict` as options of the encoder.

use serde_json::{Map, Value};
use st_core::{EncodeOptions, Prompt, Task};

use crate::Error;
use crate::python_repr::{repr, type_name};

/// What the parameters of a call ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Call {
    /// For the encoder.
    pub(crate) options: EncodeOptions,
    /// `output_value: token_embeddings`.
    pub(crate) tokens: bool,
}

/// Reads parameters that have passed the schema, by the names of Python's `encode`.
///
/// Those that only steer speed or the container of the answer are checked and have no effect here: `batch_size`,
/// `chunk_size`, `show_progress_bar`, `convert_to_numpy`, `convert_to_tensor`.
pub(crate) fn call(params: &Map<String, Value>) -> Result<Call, Error> {
    let mut call = Call::default();
    let mut prompt_name = None;
    let mut prompt = None;
    for (name, value) in params {
        let param = Param { name, value };
        match name.as_str() {
            "batch_size" => {
                param.positive()?.ok_or_else(|| param.wrong("must be a positive integer, got None"))?;
            }
            "chunk_size" => drop(param.positive()?),
            "show_progress_bar" => drop(param.flag()?),
            "convert_to_numpy" | "convert_to_tensor" => {
                param.flag()?.ok_or_else(|| param.wrong("must be true or false, got None"))?;
            }
            "normalize_embeddings" => call.options.normalize = param.flag()?.unwrap_or(false),
            "truncate_dim" => call.options.truncate_dim = param.positive()?,
            "precision" => {
                if let Some(text) = param.text()? {
                    call.options.precision =
                        text.parse().map_err(|error| param.wrong(&format!("fails: {error}")))?;
                }
            }
            "prompt" => prompt = param.text()?.map(Prompt::Text),
            "prompt_name" => prompt_name = param.text()?.map(Prompt::Name),
            "output_value" => call.tokens = output_value(&param)?,
            "device" if matches!(value.as_str(), Some("cpu")) || value.is_null() => {}
            "pool" if value.is_null() => {}
            _ => return Err(param.wrong(&format!("is not supported here with the value {}", repr(value)))),
        }
    }
    // As in Python, a literal prompt wins over a name.
    call.options.prompt = prompt.or(prompt_name).unwrap_or_default();
    Ok(call)
}

/// The parameter `task` of models that have no other: `query`, `document`, or neither where it is empty or absent.
pub(super) fn task(params: &Map<String, Value>) -> Result<Option<Task>, Error> {
    let mut task = None;
    for (name, value) in params {
        let param = Param { name, value };
        task = match (name.as_str(), param.text()?.as_deref()) {
            ("task", None | Some("")) => None,
            ("task", Some("query")) => Some(Task::Query),
            ("task", Some("document")) => Some(Task::Document),
            ("task", Some(_)) => return Err(param.wrong("must be query, document or empty")),
            // The loader in Python looks at no other.
            _ => return Err(param.wrong("has no effect on this model")),
        };
    }
    Ok(task)
}

fn output_value(param: &Param<'_>) -> Result<bool, Error> {
    match param.text()?.as_deref() {
        Some("sentence_embedding") => Ok(false),
        Some("token_embeddings") => Ok(true),
        _ => Err(param.wrong("must be sentence_embedding or token_embeddings")),
    }
}

struct Param<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Param<'_> {
    fn wrong(&self, problem: &str) -> Error {
        Error::EncodeParam { name: self.name.to_owned(), problem: problem.to_owned() }
    }

    fn type_error(&self, expected: &str) -> Error {
        self.wrong(&format!("must be {expected}, got {}", type_name(self.value)))
    }

    fn positive(&self) -> Result<Option<usize>, Error> {
        if self.value.is_null() {
            return Ok(None);
        }
        let number = self.value.as_u64().and_then(|number| usize::try_from(number).ok());
        match number {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => Err(self.wrong(&format!("must be a positive integer, got {}", repr(self.value)))),
        }
    }

    fn flag(&self) -> Result<Option<bool>, Error> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(self.type_error("true or false")),
        }
    }

    fn text(&self) -> Result<Option<String>, Error> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(self.type_error("text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use st_core::Precision;

    use super::*;

    #[track_caller]
    fn refused(params: Value, expected: &str) {
        let error = call(params.as_object().unwrap()).unwrap_err();
        let start = "Received invalid parameter value for `params` argument: ";
        assert_eq!(error.to_string(), format!("{start}{expected}"));
    }

    #[test]
    fn parameters_become_options() {
        let params = json!({
            "batch_size": 4, "normalize_embeddings": true, "truncate_dim": 8, "precision": "ubinary", "prompt_name": "query",
            "prompt": null, "show_progress_bar": false, "convert_to_tensor": true, "device": "cpu", "pool": null
        });
        let expected = EncodeOptions::default()
            .with_normalize(true)
            .with_truncate_dim(8)
            .with_precision(Precision::Ubinary)
            .with_prompt(Prompt::Name("query".to_owned()));
        assert_eq!(call(params.as_object().unwrap()).unwrap(), Call { options: expected, tokens: false });

        let both = json!({"prompt_name": "query", "prompt": "passage: ", "output_value": "token_embeddings"});
        let both = call(both.as_object().unwrap()).unwrap();
        assert_eq!(both.options.prompt, Prompt::Text("passage: ".to_owned()));
        assert!(both.tokens);
    }

    #[test]
    fn what_encode_does_not_know_is_refused_by_name() {
        refused(json!({"batch_size": 0}), "`batch_size` must be a positive integer, got 0");
        refused(json!({"batch_size": null}), "`batch_size` must be a positive integer, got None");
        refused(json!({"truncate_dim": -1}), "`truncate_dim` must be a positive integer, got -1");
        refused(json!({"device": "cuda"}), "`device` is not supported here with the value 'cuda'");
        refused(json!({"normalise": true}), "`normalise` is not supported here with the value True");
        refused(
            json!({"normalize_embeddings": "x"}),
            "`normalize_embeddings` must be true or false, got str",
        );
        refused(
            json!({"output_value": null}),
            "`output_value` must be sentence_embedding or token_embeddings",
        );
        refused(
            json!({"precision": "float16"}),
            "`precision` fails: `float16` is not a known precision; known are float32, int8, uint8, binary, ubinary",
        );
    }
}
