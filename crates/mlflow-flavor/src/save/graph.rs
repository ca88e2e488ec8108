//! The flavor `onnx`: the graph of a model beside its files, for whoever knows that flavor of MLflow and none of ours.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::plan::{FileSource, PlannedFile};
use crate::Error;
use crate::digests::DIGESTS_FILE;

/// What MLflow calls the file of a graph.
const GRAPH_FILE: &str = "model.onnx";
/// Where Python's `onnx` flavor has a graph run unless it is told otherwise, the first that is there.
const PROVIDERS: [&str; 2] = ["CUDAExecutionProvider", "CPUExecutionProvider"];

/// A model as an ONNX graph, for [`SaveOptions::graph`](crate::SaveOptions::graph).
///
/// ```
/// use mlflow_flavor::{OnnxGraph, SaveOptions};
///
/// let graph = OnnxGraph::new("graph/model.onnx").with_data("graph/model.onnx_data").with_onnx_version("1.15.0");
/// let options = SaveOptions::default().with_graph(graph);
/// # drop(options);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnnxGraph {
    /// The ONNX file, which becomes `model.onnx`.
    pub model: PathBuf,
    /// The files with its weights; they keep their names, by which it knows them.
    pub data: Vec<PathBuf>,
    /// The release of the Python package `onnx` that reads it.
    pub onnx_version: Option<String>,
}

impl OnnxGraph {
    /// A graph whose weights are in the file itself.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self { model: model.into(), data: Vec::new(), onnx_version: None }
    }

    /// Adds a file with weights.
    #[must_use]
    pub fn with_data(mut self, path: impl Into<PathBuf>) -> Self {
        self.data.push(path.into());
        self
    }

    /// Sets the release of the Python package `onnx` that reads it.
    #[must_use]
    pub fn with_onnx_version(mut self, version: impl Into<String>) -> Self {
        self.onnx_version = Some(version.into());
        self
    }

    /// The flavor, as Python's `mlflow.onnx` writes it.
    pub(super) fn flavor(&self) -> Value {
        json!({
            // What travels in `code` is for the loader of the whole model; a graph needs none.
            "code": null,
            "data": GRAPH_FILE,
            "onnx_session_options": null,
            "onnx_version": self.onnx_version,
            "providers": PROVIDERS,
        })
    }

    /// Its files, at the root of the MLflow model: a graph finds its weights beside itself only.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if one is not there, [`Error::SaveOption`] if it is no file or its name is not UTF-8.
    pub(super) fn files(&self) -> Result<Vec<PlannedFile>, Error> {
        let mut files = vec![planned(&self.model, GRAPH_FILE.to_owned())?];
        for path in &self.data {
            let name = path.file_name().and_then(|name| name.to_str());
            let name =
                name.ok_or_else(|| refused(format!("has no name for its weights `{}`", path.display())))?;
            files.push(planned(path, name.to_owned())?);
        }
        Ok(files)
    }

    /// Whether every file of the graph has its name for itself among `files` and `folders` of the whole model.
    ///
    /// # Errors
    ///
    /// [`Error::SaveOption`] if not.
    pub(super) fn check(&self, files: &[PlannedFile], folders: &[String]) -> Result<(), Error> {
        let names = self.data.iter().filter_map(|path| path.file_name()?.to_str());
        for name in names.chain([GRAPH_FILE]) {
            let alone = files.iter().filter(|file| file.path == name).count() == 1;
            if !alone || name == DIGESTS_FILE || folders.iter().any(|folder| folder == name) {
                return Err(refused(format!("has a file `{name}`, and so has the rest of the model")));
            }
        }
        Ok(())
    }
}

fn planned(path: &Path, name: String) -> Result<PlannedFile, Error> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(refused(format!("names `{}`, which is no file", path.display())));
    }
    Ok(PlannedFile { path: name, bytes: metadata.len(), source: FileSource::File(path.to_owned()) })
}

fn refused(problem: String) -> Error {
    Error::SaveOption { option: "graph", problem }
}
