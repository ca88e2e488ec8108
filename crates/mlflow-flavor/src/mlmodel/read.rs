//! From the tree of an `MLmodel` to its types; every error names the key.

use serde_json::{Map, Value};

use super::{
    CROSS_ENCODER_FLAVOR, ExampleInfo, ExtraFile, Flavors, MULTI_VECTOR_ENCODER_FLAVOR, MlModel,
    PythonFunctionFlavor, SPARSE_ENCODER_FLAVOR, SentenceTransformersFlavor,
};
use crate::signature::parse_params;
use crate::{Error, ModelSignature, Schema};

/// Reads the whole file.
pub(super) fn model(value: Value, file: &str) -> Result<MlModel, Error> {
    let mut fields = Fields::new(value, file, "")?;
    let signature = match fields.take("signature") {
        None => None,
        Some(value) => Some(signature(value, file)?),
    };
    Ok(MlModel {
        artifact_path: fields.text("artifact_path")?,
        auth_policy: fields.take("auth_policy"),
        databricks_runtime: fields.text("databricks_runtime")?,
        env_vars: fields.texts("env_vars")?,
        flavors: flavors(fields.take("flavors").unwrap_or_else(|| Value::Object(Map::new())), file)?,
        is_signature_from_type_hint: fields.flag("is_signature_from_type_hint")?,
        metadata: fields.dictionary("metadata")?,
        mlflow_version: fields.text("mlflow_version")?,
        model_id: fields.text("model_id")?,
        model_size_bytes: fields.size("model_size_bytes")?,
        model_uuid: fields.text("model_uuid")?,
        prompts: fields.texts("prompts")?,
        resources: fields.take("resources"),
        run_id: fields.text("run_id")?,
        saved_input_example_info: match fields.take("saved_input_example_info") {
            None => None,
            Some(value) => Some(example_info(value, file)?),
        },
        signature,
        type_hint_from_example: fields.flag("type_hint_from_example")?,
        utc_time_created: fields.text("utc_time_created")?,
        unknown: fields.rest(),
    })
}

fn flavors(value: Value, file: &str) -> Result<Flavors, Error> {
    let mut fields = Fields::new(value, file, "flavors")?;
    Ok(Flavors {
        python_function: fields
            .take("python_function")
            .map(|value| python_function(value, file))
            .transpose()?,
        sentence_transformers: fields
            .take("sentence_transformers")
            .map(|value| sentence_transformers(value, file, "flavors.sentence_transformers"))
            .transpose()?,
        cross_encoder: fields
            .take(CROSS_ENCODER_FLAVOR)
            .map(|value| sentence_transformers(value, file, "flavors.sentence_transformers_cross_encoder"))
            .transpose()?,
        sparse_encoder: fields
            .take(SPARSE_ENCODER_FLAVOR)
            .map(|value| sentence_transformers(value, file, "flavors.sentence_transformers_sparse_encoder"))
            .transpose()?,
        multi_vector_encoder: fields
            .take(MULTI_VECTOR_ENCODER_FLAVOR)
            .map(|value| {
                sentence_transformers(value, file, "flavors.sentence_transformers_multi_vector_encoder")
            })
            .transpose()?,
        unknown: fields.rest(),
    })
}

fn python_function(value: Value, file: &str) -> Result<PythonFunctionFlavor, Error> {
    let mut fields = Fields::new(value, file, "flavors.python_function")?;
    Ok(PythonFunctionFlavor {
        code: fields.text("code")?,
        config: fields.dictionary("config")?,
        data: fields.text("data")?,
        env: fields.take("env"),
        loader_module: fields.text("loader_module")?,
        python_version: fields.text("python_version")?,
        unknown: fields.rest(),
    })
}

fn sentence_transformers(
    value: Value,
    file: &str,
    parent: &'static str,
) -> Result<SentenceTransformersFlavor, Error> {
    let mut fields = Fields::new(value, file, parent)?;
    let extra_files = match fields.take("extra_files") {
        None => Vec::new(),
        Some(Value::Array(items)) => {
            items.into_iter().map(|item| extra_file(item, file)).collect::<Result<_, _>>()?
        }
        Some(other) => return Err(fields.wrong("extra_files", "a list", &other)),
    };
    Ok(SentenceTransformersFlavor {
        code: fields.text("code")?,
        extra_files,
        pipeline_model_type: fields.text("pipeline_model_type")?,
        sentence_transformers_version: fields.text("sentence_transformers_version")?,
        source_model_name: fields.text("source_model_name")?,
        unknown: fields.rest(),
    })
}

fn extra_file(value: Value, file: &str) -> Result<ExtraFile, Error> {
    let mut fields = Fields::new(value, file, "flavors.sentence_transformers.extra_files")?;
    Ok(ExtraFile { path: fields.required("path")?, unknown: fields.rest() })
}

fn example_info(value: Value, file: &str) -> Result<ExampleInfo, Error> {
    let mut fields = Fields::new(value, file, "saved_input_example_info")?;
    let params = match fields.take("params") {
        None => false,
        Some(Value::String(text)) if text == "true" => true,
        Some(other) => return Err(fields.wrong("params", "the text `true`", &other)),
    };
    Ok(ExampleInfo {
        artifact_path: fields.required("artifact_path")?,
        pandas_orient: fields.text("pandas_orient")?,
        params,
        serving_input_path: fields.text("serving_input_path")?,
        kind: fields.required("type")?,
        unknown: fields.rest(),
    })
}

fn signature(value: Value, file: &str) -> Result<ModelSignature, Error> {
    let mut fields = Fields::new(value, file, "signature")?;
    Ok(ModelSignature {
        inputs: fields.parsed("inputs", Schema::parse)?,
        outputs: fields.parsed("outputs", Schema::parse)?,
        params: fields.parsed("params", parse_params)?,
    })
}

/// The keys of one dictionary that nobody has asked for yet.
struct Fields<'a> {
    entries: Map<String, Value>,
    file: &'a str,
    parent: &'static str,
}

impl<'a> Fields<'a> {
    fn new(value: Value, file: &'a str, parent: &'static str) -> Result<Self, Error> {
        match value {
            Value::Object(entries) => Ok(Self { entries, file, parent }),
            Value::Null if parent.is_empty() => Err(Error::Key {
                file: file.to_owned(),
                key: "flavors".to_owned(),
                problem: "is missing: the file is empty".to_owned(),
            }),
            other => Err(Error::Key {
                file: file.to_owned(),
                key: if parent.is_empty() { "(all)" } else { parent }.to_owned(),
                problem: format!("must be a dictionary, not {}", kind(&other)),
            }),
        }
    }

    /// The value of `key`; null counts as absent, as it does in Python.
    fn take(&mut self, key: &str) -> Option<Value> {
        self.entries.shift_remove(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            // An id or a version of digits only is text that somebody forgot to quote.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(self.wrong(key, "text", &other)),
        }
    }

    fn parsed<T>(&mut self, key: &str, parse: fn(&str) -> Result<T, Error>) -> Result<Option<T>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| self.problem(key, format!("is no schema: {error}")))
    }

    fn required(&mut self, key: &str) -> Result<String, Error> {
        self.text(key)?.ok_or_else(|| self.problem(key, "is missing".to_owned()))
    }

    fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let items = match self.take(key) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong(key, "a list", &other)),
        };
        let text = |item| match item {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(key, "a list of texts", &other)),
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    fn flag(&mut self, key: &str) -> Result<bool, Error> {
        match self.take(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(self.wrong(key, "true or false", &other)),
        }
    }

    fn size(&mut self, key: &str) -> Result<Option<u64>, Error> {
        let Some(value) = self.take(key) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| self.wrong(key, "a number of bytes", &value))
    }

    fn dictionary(&mut self, key: &str) -> Result<Option<Map<String, Value>>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(entries)) => Ok(Some(entries)),
            Some(other) => Err(self.wrong(key, "a dictionary", &other)),
        }
    }

    fn rest(self) -> Map<String, Value> {
        self.entries
    }

    fn wrong(&self, key: &str, expected: &str, found: &Value) -> Error {
        self.problem(key, format!("must be {expected}, not {}", kind(found)))
    }

    fn problem(&self, key: &str, problem: String) -> Error {
        let key = if self.parent.is_empty() { key.to_owned() } else { format!("{}.{key}", self.parent) };
        Error::Key { file: self.file.to_owned(), key, problem }
    }
}

/// What a value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dictionary",
    }
}
