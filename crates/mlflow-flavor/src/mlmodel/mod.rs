//! The file `MLmodel`.

mod read;
mod write;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::{Error, ModelSignature, ParamSpec, Schema, yaml};

/// The version of MLflow whose files this crate writes.
pub const MLFLOW_VERSION: &str = "3.17.2";

/// The only task that the flavor knows.
pub const TASK_EMBEDDINGS: &str = "llm/v1/embeddings";

/// The name of the flavor of cross-encoders, which is ours: Python loads such a model as `python_function` only.
pub const CROSS_ENCODER_FLAVOR: &str = "sentence_transformers_cross_encoder";

/// The same of sparse encoders.
pub const SPARSE_ENCODER_FLAVOR: &str = "sentence_transformers_sparse_encoder";

/// The same of late-interaction models.
pub const MULTI_VECTOR_ENCODER_FLAVOR: &str = "sentence_transformers_multi_vector_encoder";

/// The name of MLflow's flavor of graphs, which a model can have beside its own.
pub const ONNX_FLAVOR: &str = "onnx";

/// The file `MLmodel`: every key that MLflow writes, and the others as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MlModel {
    /// Where a logged model's files are.
    pub artifact_path: Option<String>,
    /// Access rules, as they came.
    pub auth_policy: Option<Value>,
    /// The runtime of Databricks.
    pub databricks_runtime: Option<String>,
    /// Names of environment variables that the model needs.
    pub env_vars: Option<Vec<String>>,
    /// How the model can be loaded.
    pub flavors: Flavors,
    /// Whether the signature was made from Python's type hints.
    pub is_signature_from_type_hint: bool,
    /// Free values.
    pub metadata: Option<Map<String, Value>>,
    /// The version of MLflow that wrote the file.
    pub mlflow_version: Option<String>,
    /// The id of the logged model, `m-` and 32 hexadecimal digits; none if only saved.
    pub model_id: Option<String>,
    /// Size of data, examples, code and extra files in bytes.
    pub model_size_bytes: Option<u64>,
    /// 32 hexadecimal digits, or the id of the logged model.
    pub model_uuid: Option<String>,
    /// Prompts of the registry that belong to the model.
    pub prompts: Option<Vec<String>>,
    /// Other things that the model needs, as they came.
    pub resources: Option<Value>,
    /// The run that logged the model.
    pub run_id: Option<String>,
    /// Where the input example is.
    pub saved_input_example_info: Option<ExampleInfo>,
    /// What goes in and what comes out.
    pub signature: Option<ModelSignature>,
    /// Whether the type hint was made from an example.
    pub type_hint_from_example: bool,
    /// `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
    pub utc_time_created: Option<String>,
    /// Other keys, as they came.
    pub unknown: Map<String, Value>,
}

/// The key `flavors`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flavors {
    /// How `mlflow.pyfunc` loads the model.
    pub python_function: Option<PythonFunctionFlavor>,
    /// How `mlflow.sentence_transformers` loads the model.
    pub sentence_transformers: Option<SentenceTransformersFlavor>,
    /// The same of a cross-encoder, under [`CROSS_ENCODER_FLAVOR`]: MLflow has no flavor for it.
    pub cross_encoder: Option<SentenceTransformersFlavor>,
    /// The same of a sparse encoder, under [`SPARSE_ENCODER_FLAVOR`].
    pub sparse_encoder: Option<SentenceTransformersFlavor>,
    /// The same of a late-interaction model, under [`MULTI_VECTOR_ENCODER_FLAVOR`].
    pub multi_vector_encoder: Option<SentenceTransformersFlavor>,
    /// Other flavors, as they came; [`ONNX_FLAVOR`] is one of them.
    pub unknown: Map<String, Value>,
}

impl Flavors {
    /// The names of all of them.
    pub fn names(&self) -> Vec<&str> {
        let known = [
            ("python_function", self.python_function.is_some()),
            ("sentence_transformers", self.sentence_transformers.is_some()),
            (CROSS_ENCODER_FLAVOR, self.cross_encoder.is_some()),
            (SPARSE_ENCODER_FLAVOR, self.sparse_encoder.is_some()),
            (MULTI_VECTOR_ENCODER_FLAVOR, self.multi_vector_encoder.is_some()),
        ];
        let known = known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
        known.chain(self.unknown.keys().map(String::as_str)).collect()
    }
}

/// The flavor `python_function`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PythonFunctionFlavor {
    /// The folder with the model's own code.
    pub code: Option<String>,
    /// Options of the loader; the task is here.
    pub config: Option<Map<String, Value>>,
    /// The folder with the model's files.
    pub data: Option<String>,
    /// The environment files: one name in old files, a dictionary in newer ones.
    pub env: Option<Value>,
    /// The Python module that loads the model.
    pub loader_module: Option<String>,
    /// The version of Python that saved the model.
    pub python_version: Option<String>,
    /// Other keys, as they came.
    pub unknown: Map<String, Value>,
}

/// The flavor `sentence_transformers`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentenceTransformersFlavor {
    /// The folder with the model's own code.
    pub code: Option<String>,
    /// Files that travel with the model.
    pub extra_files: Vec<ExtraFile>,
    /// The class of the transformer, such as `BertModel`.
    pub pipeline_model_type: Option<String>,
    /// The version of the library that saved the model.
    pub sentence_transformers_version: Option<String>,
    /// Where the model came from.
    pub source_model_name: Option<String>,
    /// Other keys, as they came.
    pub unknown: Map<String, Value>,
}

/// An entry of `extra_files`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtraFile {
    /// Path inside the model folder.
    pub path: String,
    /// Other keys, as they came.
    pub unknown: Map<String, Value>,
}

/// The key `saved_input_example_info`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExampleInfo {
    /// The file with the example.
    pub artifact_path: String,
    /// How a table was written: `split` or `values`.
    pub pandas_orient: Option<String>,
    /// Whether the example has parameters; written as the text `true`.
    pub params: bool,
    /// The file with the example as a scoring request.
    pub serving_input_path: Option<String>,
    /// `json_object`, `dataframe` or `ndarray`.
    pub kind: String,
    /// Other keys, as they came.
    pub unknown: Map<String, Value>,
}

impl MlModel {
    /// Reads the text of an `MLmodel`; `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`Error::Yaml`] if the text is no YAML or exceeds the limits of a sane file, [`Error::Key`] and
    /// [`Error::Signature`] if a key holds something else than MLflow writes there.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let value = yaml::read(text).map_err(|source| Error::Yaml { file: file.to_owned(), source })?;
        read::model(value, file)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] and those of [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// The text of the file, byte for byte as MLflow has PyYAML write it.
    pub fn to_yaml(&self) -> String {
        yaml::dump(&self.to_value())
    }

    /// The content of the file.
    pub fn to_value(&self) -> Value {
        write::model(self)
    }

    /// The task of the model: what `python_function.config` says, not the metadata.
    pub fn task(&self) -> Option<&str> {
        self.flavors.python_function.as_ref()?.config.as_ref()?.get("task")?.as_str()
    }

    /// The schema of the inputs, if the model has one.
    pub(crate) fn input_schema(&self) -> Option<&Schema> {
        self.signature.as_ref()?.inputs.as_ref()
    }

    /// The parameters, if the model defines any.
    pub(crate) fn param_specs(&self) -> Option<&[ParamSpec]> {
        self.signature.as_ref()?.params.as_deref()
    }
}
