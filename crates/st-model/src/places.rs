//! Where ONNX Runtime and the cache of graphs may be on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The one folder of this project in the user's cache.
const CACHE_FOLDER: &str = "mlflow-sentence-transformers";

/// The release that `cargo xtask setup` unpacks.
const RUNTIME_VERSION: &str = "1.32.0";

/// File name of the shared library; with its version behind it on Linux.
const LIBRARY: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Where to look for ONNX Runtime, and where to keep graphs.
///
/// A library does not read the environment by itself: the program hands in how.
///
/// ```
/// use st_model::Places;
/// let places = Places::from_env(|name| match name {
///     "XDG_CACHE_HOME" => Some("/home/ada/.cache".into()),
///     _ => None,
/// });
/// assert_eq!(places.cache.as_deref(), Some("/home/ada/.cache/mlflow-sentence-transformers".as_ref()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Shared libraries to try, the first that exists wins.
    pub runtimes: Vec<PathBuf>,
    /// Root of the project's cache; without it graphs are written to memory each time.
    pub cache: Option<PathBuf>,
}

impl Places {
    /// The usual places: `ORT_DYLIB_PATH`, beside the executable, the cache that `cargo xtask setup` fills;
    /// the cache is below `XDG_CACHE_HOME`, else `HOME/.cache`.
    ///
    /// `lookup` is mostly `|name| std::env::var_os(name)`.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        // A relative path is to be ignored, says the standard that defines the variable.
        let cache = set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
            .map(|folder| folder.join(CACHE_FOLDER));
        // An explicit variable is a wish, not a hint: nothing else is tried.
        if let Some(path) = set("ORT_DYLIB_PATH") {
            return Self { runtimes: vec![path.into()], cache };
        }
        let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(LIBRARY)));
        let cached = cache.as_ref().map(|cache| {
            cache.join("runtime").join(RUNTIME_VERSION).join(format!("{LIBRARY}.{RUNTIME_VERSION}"))
        });
        Self { runtimes: beside.into_iter().chain(cached).collect(), cache }
    }

    /// Looks for the runtime at `path` and nowhere else.
    #[must_use]
    pub fn with_runtime(mut self, path: impl Into<PathBuf>) -> Self {
        self.runtimes = vec![path.into()];
        self
    }

    /// Keeps graphs below `path`.
    #[must_use]
    pub fn with_cache(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = Some(path.into());
        self
    }

    /// Folder of the exported graphs.
    pub(crate) fn graphs(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("graphs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_library_is_the_only_candidate() {
        let places = Places::from_env(|name| match name {
            "ORT_DYLIB_PATH" => Some("/opt/ort/lib.so".into()),
            "HOME" => Some("/home/ada".into()),
            _ => None,
        });
        assert_eq!(places.runtimes, [PathBuf::from("/opt/ort/lib.so")]);
        assert_eq!(places.graphs(), Some("/home/ada/.cache/mlflow-sentence-transformers/graphs".into()));
    }

    #[test]
    fn without_it_the_executable_and_the_cache_are_tried() {
        let places = Places::from_env(|name| (name == "HOME").then(|| "/home/ada".into()));
        assert_eq!(places.runtimes.len(), 2);
        assert!(places.runtimes[1].ends_with("runtime/1.32.0/libonnxruntime.so.1.32.0"), "{places:?}");
        assert_eq!(Places::from_env(|_| None).cache, None);
        assert_eq!(Places::from_env(|name| (name == "XDG_CACHE_HOME").then(|| "cache".into())).cache, None);
    }
}
