//! Writing an MLflow model folder.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{CondaEnv, Environment, Error, InputExample, MlModel, ModelSignature, Requirements};

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

/// Options of [`save_model`], named as in Python.
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
    /// Width of the vectors; read from the model folder if not given.
    pub embedding_dim: Option<usize>,
    /// The name for the key `source_model_name`; made from the folder's path if not given.
    pub source_model_name: Option<String>,
}

/// Saves the sentence-transformers model in `folder` as an MLflow model in the folder `path`.
///
/// # Errors
pub fn save_model(folder: &Path, path: &Path, options: &SaveOptions) -> Result<MlModel, Error> {
    let _ = (folder, path, options);
    todo!()
}
