//! The three environment files: `requirements.txt`, `conda.yaml` and `python_env.yaml`.

use std::path::PathBuf;

use serde_json::Value;

/// Versions that the environment files name; the defaults are those the flavor was checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Version of Python.
    pub python: String,
    /// Version of pip.
    pub pip: String,
    /// Version of setuptools.
    pub setuptools: String,
    /// Version of mlflow.
    pub mlflow: String,
    /// Version of the library sentence-transformers.
    pub sentence_transformers: String,
    /// Version of transformers.
    pub transformers: String,
    /// Version of torch.
    pub torch: String,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            python: "3.11.7".to_owned(),
            pip: "23.2.1".to_owned(),
            setuptools: "84.2.1".to_owned(),
            mlflow: crate::MLFLOW_VERSION.to_owned(),
            sentence_transformers: "6.2.0".to_owned(),
            transformers: "5.23.0".to_owned(),
            torch: "2.15.0".to_owned(),
        }
    }
}

/// Pip requirements, as a list or as a file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirements {
    /// Lines, which may be `-r FILE` and `-c FILE`.
    Lines(Vec<String>),
    /// A requirements file.
    File(PathBuf),
}

/// A conda environment, as a value or as a YAML file to read.
#[derive(Clone, Debug, PartialEq)]
pub enum CondaEnv {
    /// The dictionary.
    Value(Value),
    /// A YAML file.
    File(PathBuf),
}
