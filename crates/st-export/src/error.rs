//! What can go wrong between a checkpoint folder and a graph on disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::HeaderProblem;
use crate::ir::GraphProblem;
use crate::onnx::OnnxProblem;

/// A checkpoint that cannot be exported, a graph that cannot be accepted, or a disk that cannot be used.
///
/// Every variant names the file, and where there is one the tensor or the setting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no room for the graph; what was written of it has been removed.
    #[error("no space left on the disk for `{}`", path.display())]
    DiskFull {
        /// The file that did not fit.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A checkpoint without `config.json`.
    #[error("folder `{}` has no `config.json`", folder.display())]
    ConfigMissing {
        /// The checkpoint.
        folder: PathBuf,
    },
    /// A file that should hold JSON of a known shape does not.
    #[error("cannot understand `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's own words.
        source: serde_json::Error,
    },
    /// The configuration asks for a transformer that cannot be written yet.
    #[error("`{}` asks for the architecture `{found}`; supported are {supported}", path.display())]
    UnknownArchitecture {
        /// The configuration file.
        path: PathBuf,
        /// Its `model_type`, or else its `architectures`.
        found: String,
        /// All that are supported.
        supported: String,
    },
    /// The configuration asks for a transformer that is known and not written.
    #[error(
        "`{}` asks for the architecture `{found}`, which is refused: {reason}; export it with Python's optimum and name the graph",
        path.display()
    )]
    RefusedArchitecture {
        /// The configuration file.
        path: PathBuf,
        /// Its `model_type`, or else its `architectures`.
        found: String,
        /// Why it is not written.
        reason: &'static str,
    },
    /// A setting that would change the result and cannot be honoured.
    #[error("`{}` sets `{key}` to `{value}` but it must be {expected}", path.display())]
    Setting {
        /// The configuration file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// A head that names no pooling mode.
    #[error("a head needs at least one pooling mode")]
    HeadWithoutPooling,
    /// A head that the family does not have, or whose form is not known.
    #[error("no head for {what} is known of the architecture `{architecture}`")]
    HeadMissing {
        /// The family.
        architecture: &'static str,
        /// What the head would give numbers for.
        what: &'static str,
    },
    /// No weights in any format.
    #[error("folder `{}` has neither `model.safetensors` nor `model.safetensors.index.json`", folder.display())]
    WeightsMissing {
        /// The checkpoint.
        folder: PathBuf,
    },
    /// Weights in Python's own format only, which is a program and is never read.
    #[error(
        "`{}` is a pickle, which is never read, and there is no `model.safetensors` beside it; in Python, load the model and call `model.save_pretrained(folder, safe_serialization=True)`",
        path.display()
    )]
    PickleOnly {
        /// The pickle.
        path: PathBuf,
    },
    /// The small text file that Git keeps in place of a large file.
    #[error("`{}` is a Git LFS pointer, not the file itself; run `git lfs pull` where it was cloned", path.display())]
    LfsPointer {
        /// The pointer.
        path: PathBuf,
    },
    /// A safetensors file that breaks its own format.
    #[error("`{}` is not a usable safetensors file", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HeaderProblem,
    },
    /// The index of a sharded checkpoint names something other than a file beside it.
    #[error("`{}` names the shard `{shard}`, which is not a plain file name", path.display())]
    ShardName {
        /// The index.
        path: PathBuf,
        /// The name.
        shard: String,
    },
    /// The index of a sharded checkpoint promises a tensor that its shard does not hold.
    #[error("`{}` does not hold the tensor `{tensor}` that the index promises", path.display())]
    ShardTensor {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A weight that the architecture needs.
    #[error("tensor `{tensor}` is missing in `{}`", path.display())]
    TensorMissing {
        /// The weights file, or the index of the shards.
        path: PathBuf,
        /// The tensor, without prefix.
        tensor: String,
    },
    /// A weight that the architecture has no use for: exporting would drop it silently.
    #[error("tensor `{tensor}` of `{}` has no place in the architecture `{architecture}`", path.display())]
    TensorUnused {
        /// The weights file.
        path: PathBuf,
        /// The tensor, as the file spells it.
        tensor: String,
        /// The architecture.
        architecture: &'static str,
    },
    /// Two tensors that mean the same weight.
    #[error("tensors `{first}` and `{second}` of `{}` are both `{tensor}`", path.display())]
    TensorTwice {
        /// The weights file of the second.
        path: PathBuf,
        /// The name that both mean.
        tensor: String,
        /// The one, as its file spells it.
        first: String,
        /// The other.
        second: String,
    },
    /// A weight of another shape than the configuration says.
    #[error("tensor `{tensor}` of `{}` is {found:?} but the configuration says {expected:?}", path.display())]
    TensorShape {
        /// The weights file.
        path: PathBuf,
        /// The tensor, as the file spells it.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration implies.
        expected: Vec<usize>,
    },
    /// A table of words that is none.
    #[error("tensor `{tensor}` in `{}` is {found:?} but must have two axes of usual sizes", folder.display())]
    TableShape {
        /// The folder of the module.
        folder: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A weight in a number format that is not a plain float.
    #[error("tensor `{tensor}` of `{}` holds {found} but only F32, F16 and BF16 can be exported", path.display())]
    TensorType {
        /// The weights file.
        path: PathBuf,
        /// The tensor, as the file spells it.
        tensor: String,
        /// Its number format.
        found: String,
    },
    /// A weight that would turn every embedding into NaN.
    #[error("tensor `{tensor}` of `{}` holds {value} at index {index}", path.display())]
    TensorNotFinite {
        /// The weights file.
        path: PathBuf,
        /// The tensor, as the file spells it.
        tensor: String,
        /// The first index, counted over the flattened tensor.
        index: u64,
        /// The value: NaN, inf or -inf.
        value: f32,
    },
    /// Something of that name is there and overwriting was not asked for.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Weights inside the file would break the two gigabyte limit of the format.
    #[error("`{}` would take {bytes} bytes in one file but ONNX ends at {limit}", folder.display())]
    TooLarge {
        /// The checkpoint.
        folder: PathBuf,
        /// Bytes that the file would take.
        bytes: u64,
        /// Bytes that a file may take.
        limit: u64,
    },
    /// A graph of our own making is inconsistent: a bug here, not in the checkpoint.
    #[error("the graph of architecture `{architecture}` is inconsistent")]
    Graph {
        /// The architecture.
        architecture: &'static str,
        /// What is inconsistent.
        source: GraphProblem,
    },
    /// An ONNX file that is broken, or that asks for what is not allowed.
    #[error("cannot accept the ONNX file `{}`", path.display())]
    Onnx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: OnnxProblem,
    },
}

impl Error {
    /// True when the weights, or a file that stands for them, are absent: fetching or converting them helps.
    pub fn is_missing_weights(&self) -> bool {
        matches!(self, Self::WeightsMissing { .. } | Self::PickleOnly { .. } | Self::LfsPointer { .. })
    }

    /// Wraps what the operating system said; a full disk gets its own variant.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::DiskFull { path, source }
        } else {
            Self::Io { action, path, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = Error::io("write", Path::new("out/model.onnx"), io::ErrorKind::StorageFull.into());
        assert_eq!(full.to_string(), "no space left on the disk for `out/model.onnx`");
        let other = Error::io("write", Path::new("out/model.onnx"), io::ErrorKind::PermissionDenied.into());
        assert_eq!(other.to_string(), "cannot write `out/model.onnx`");
    }
}
