//! Where things are: the workspace, the user's cache and what set-up put there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::environment;

/// The folder of this project inside the user's cache.
const CACHE_FOLDER: &str = "mlflow-sentence-transformers";

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let manifest = environment::absolute_path("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
}

/// `$XDG_CACHE_HOME` or `~/.cache`, and the project's folder in it.
pub(crate) fn cache() -> Result<PathBuf> {
    environment::absolute_path("XDG_CACHE_HOME")
        .or_else(|| environment::absolute_path("HOME").map(|home| home.join(".cache")))
        .map(|base| base.join(CACHE_FOLDER))
        .context("neither XDG_CACHE_HOME nor HOME names a folder to keep the cache in")
}

/// The folder of a model that set-up fetched.
pub(crate) fn model(name: &str) -> Result<PathBuf> {
    Ok(cache()?.join("models").join(name))
}

/// The shared library of ONNX Runtime that set-up fetched.
pub(crate) fn runtime() -> Result<PathBuf> {
    Ok(cache()?.join("runtime/1.32.0/libonnxruntime.so.1.32.0"))
}

/// Cargo's build folder.
pub(crate) fn target() -> PathBuf {
    environment::variable("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), |folder| workspace().join(folder))
}
