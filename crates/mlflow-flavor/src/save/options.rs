//! The options of a save.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{
    Certificate, CondaEnv, Environment, InputExample, MlModel, ModelFacts, ModelSignature, OnnxGraph,
    Requirements,
};

/// Which signature a model gets; Python's `None`, `False` and an object. A task forces its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SignatureOption {
    /// Inferred from the input example, or the default of the flavor.
    #[default]
    Infer,
    /// None at all.
    Without,
    /// This one.
    Given(ModelSignature),
}

/// Options of [`save_model`](crate::save_model), named as in Python.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SaveOptions {
    /// `llm/v1/embeddings` or nothing.
    pub task: Option<String>,
    /// Written to the file `inference_config`, which nothing reads.
    pub inference_config: Option<Map<String, Value>>,
    /// Files and folders to copy under `code/`.
    pub code_paths: Vec<PathBuf>,
    /// A file `MLmodel` to start from: its ids, its time and its unknown keys stay.
    pub mlflow_model: Option<MlModel>,
    /// Under which ids the model is logged; none if it is only saved.
    pub logged: Option<LoggedAs>,
    /// What the model answers to texts that every model can be asked, to be compared at each load.
    pub certificate: Option<Certificate>,
    /// What the model is: written to the metadata, and to the tags of a logged model and of its version.
    pub facts: Option<ModelFacts>,
    /// The model as an ONNX graph: it gets the flavor `onnx`, beside the one that it has anyway.
    pub graph: Option<OnnxGraph>,
    /// Which signature the model gets.
    pub signature: SignatureOption,
    /// An example of the input.
    pub input_example: Option<InputExample>,
    /// Requirements in place of the default ones.
    pub pip_requirements: Option<Requirements>,
    /// Requirements beside the default ones.
    pub extra_pip_requirements: Option<Requirements>,
    /// A conda environment in place of the default one.
    pub conda_env: Option<CondaEnv>,
    /// Free values for the key `metadata`.
    pub metadata: Option<Map<String, Value>>,
    /// Local files to copy under `extra_files/`.
    pub extra_files: Vec<PathBuf>,
    /// Versions of the environment files.
    pub environment: Environment,
    /// Width of the vectors, for a signature from an example; read from the model folder if not given.
    pub embedding_dim: Option<usize>,
    /// The name for the key `source_model_name`; made from the folder's path if not given.
    pub source_model_name: Option<String>,
    /// An empty folder beside the target in which the model is built before it gets its name, for callers that
    /// must know it, to remove it when they are interrupted; one with a name of its own if not given.
    pub staging: Option<PathBuf>,
}

/// What a tracking server said of a model before its files exist.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedAs {
    /// The id of the logged model, `m-` and 32 hexadecimal digits.
    pub model_id: String,
    /// Where its files will be: the absolute URI of its artifacts.
    pub artifact_uri: String,
    /// The run that logs it, if one does.
    pub run_id: Option<String>,
}

impl LoggedAs {
    /// A model that no run logs.
    pub fn new(model_id: impl Into<String>, artifact_uri: impl Into<String>) -> Self {
        Self { model_id: model_id.into(), artifact_uri: artifact_uri.into(), run_id: None }
    }

    /// Sets the run.
    #[must_use]
    pub fn with_run_id(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }
}

impl SaveOptions {
    /// Sets the ids under which the model is logged.
    #[must_use]
    pub fn with_logged(mut self, logged: LoggedAs) -> Self {
        self.logged = Some(logged);
        self
    }

    /// Sets the task.
    #[must_use]
    pub fn with_task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
        self
    }

    /// Sets the graph.
    #[must_use]
    pub fn with_graph(mut self, graph: OnnxGraph) -> Self {
        self.graph = Some(graph);
        self
    }

    /// Sets the signature.
    #[must_use]
    pub fn with_signature(mut self, signature: SignatureOption) -> Self {
        self.signature = signature;
        self
    }

    /// Sets the input example.
    #[must_use]
    pub fn with_input_example(mut self, example: impl Into<InputExample>) -> Self {
        self.input_example = Some(example.into());
        self
    }

    /// Adds a value to the metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.get_or_insert_default().insert(key.into(), value.into());
        self
    }
}
