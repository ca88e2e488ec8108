//! Opening an MLflow model folder.

use std::path::{Path, PathBuf};

use crate::{Error, MlModel};

/// An MLflow model folder whose parts have been checked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadedModel {
    /// The file `MLmodel`.
    pub mlmodel: MlModel,
    /// The folder that was opened.
    pub path: PathBuf,
    /// The sentence-transformers folder inside it.
    pub data_path: PathBuf,
    /// The folder with the model's own Python code, if it has one: for information, nothing of it is run.
    pub code_path: Option<PathBuf>,
}

/// Opens the MLflow model in the folder `path`.
///
/// # Errors
pub fn load_model(path: &Path) -> Result<LoadedModel, Error> {
    let _ = path;
    todo!()
}
