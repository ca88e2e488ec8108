//! Which files of a model folder hold its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::SafetensorsHeader;
use crate::Error;
use crate::file_name::is_plain;
use crate::json::read_json;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// What Python saves without `safe_serialization`, whole or in shards.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// The weight files of a checkpoint, found but not read.
#[derive(Debug)]
pub(crate) struct WeightFiles {
    /// The files, in the order of their names.
    pub(crate) paths: Vec<PathBuf>,
    /// The file that lists all tensors: the index of the shards, or the only file.
    pub(crate) listing: PathBuf,
    /// Tensors that the index promises, by shard.
    promises: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    /// Looks for safetensors in `folder`, whole or in shards.
    pub(crate) fn find(folder: &Path) -> Result<Self, Error> {
        let single = folder.join(SINGLE);
        let index = folder.join(INDEX);
        if single.exists() {
            return Ok(Self { paths: vec![single.clone()], listing: single, promises: BTreeMap::new() });
        }
        if index.exists() {
            return Self::from_index(folder, index);
        }
        match PICKLES.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
            Some(path) => Err(Error::PickleOnly { path }),
            None => Err(Error::WeightsMissing { folder: folder.to_path_buf() }),
        }
    }

    fn from_index(folder: &Path, listing: PathBuf) -> Result<Self, Error> {
        let index: Index = read_json(&listing)?;
        let mut promises: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (tensor, shard) in index.weight_map {
            if !is_plain(&shard) {
                return Err(Error::ShardName { path: listing, shard });
            }
            promises.entry(shard).or_default().insert(tensor);
        }
        let paths = promises.keys().map(|shard| folder.join(shard)).collect();
        Ok(Self { paths, listing, promises })
    }

    /// Checks that a shard holds what the index says.
    pub(super) fn check_promises(&self, path: &Path, header: &SafetensorsHeader) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut promised = self.promises.get(name.as_ref()).into_iter().flatten();
        match promised.find(|tensor| !header.tensors.contains_key(*tensor)) {
            Some(tensor) => Err(Error::ShardTensor { path: path.to_path_buf(), tensor: tensor.clone() }),
            None => Ok(()),
        }
    }
}
