//! The options of a save.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{CondaEnv, Environment, InputExample, MlModel, ModelSignature, Requirements};

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

impl SaveOptions {
    /// Sets the task.
    #[must_use]
    pub fn with_task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
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
