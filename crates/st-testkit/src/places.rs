//! Where fixtures, models and the runtime lie.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use tempfile::TempDir;

/// The release of ONNX Runtime that `cargo xtask setup` fetches.
const RUNTIME: &str = "1.32.0";

/// The folder `fixtures/` of the checkout.
pub fn fixtures_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(PathBuf::new, |root| root.join("fixtures"))
}

/// A tiny random-weight model folder of `fixtures/models`; see [`tiny_names`](crate::tiny_names).
///
/// # Panics
///
/// If there is no model of this name.
#[track_caller]
pub fn tiny_model_dir(name: &str) -> PathBuf {
    let folder = fixtures_dir().join("models").join(name);
    assert!(
        folder.is_dir(),
        "{}: no such tiny model; fixtures/generate/tiny_bert.py makes them",
        folder.display()
    );
    folder
}

/// The folder in the user's cache that `cargo xtask setup` fills.
///
/// # Panics
///
/// If neither `XDG_CACHE_HOME` nor a home folder is set.
#[track_caller]
pub fn cache_dir() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "tests find the cache as `st-cli` and `xtask` do")]
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    cache
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .expect("XDG_CACHE_HOME or HOME is set")
        .join("mlflow-sentence-transformers")
}

/// The folder of a real model in the cache, such as `all-MiniLM-L6-v2`.
///
/// # Panics
///
/// If it is not there; the message names the command that fetches it.
#[track_caller]
pub fn model_dir(name: &str) -> PathBuf {
    let folder = cache_dir().join("models").join(name);
    require(&folder, folder.is_dir());
    folder
}

/// The shared library of ONNX Runtime in the cache.
///
/// # Panics
///
/// If it is not there; the message names the command that fetches it.
#[track_caller]
pub fn runtime_library() -> PathBuf {
    let file = cache_dir().join("runtime").join(RUNTIME).join(format!("libonnxruntime.so.{RUNTIME}"));
    require(&file, file.is_file());
    file
}

#[track_caller]
fn require(path: &Path, there: bool) {
    assert!(there, "{}: not there; `cargo xtask setup` fetches it", path.display());
}

/// A copy of a folder that a test may damage; it is removed when dropped.
///
/// # Panics
///
/// If the folder cannot be read or the copy not be written.
#[track_caller]
pub fn temp_copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    if let Err(error) = copy_into(folder, copy.path()) {
        panic!("{}: cannot be copied: {error}", folder.display());
    }
    copy
}

/// Copies files and folders, not links.
fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixtures_are_those_of_this_checkout() {
        assert!(fixtures_dir().join("generate").is_dir(), "{}", fixtures_dir().display());
    }

    #[test]
    fn a_copy_is_deep_and_can_be_damaged() {
        let original = tempfile::tempdir().unwrap();
        fs::create_dir(original.path().join("1_Pooling")).unwrap();
        fs::write(original.path().join("1_Pooling/config.json"), "{}").unwrap();
        let copy = temp_copy(original.path());
        fs::write(copy.path().join("1_Pooling/config.json"), "damaged").unwrap();
        assert_eq!(fs::read_to_string(original.path().join("1_Pooling/config.json")).unwrap(), "{}");
    }

    #[test]
    #[should_panic(expected = "not there; `cargo xtask setup` fetches it")]
    fn a_missing_model_names_the_command() {
        model_dir("no-such-model");
    }

    #[test]
    #[should_panic(expected = "no such tiny model; fixtures/generate/tiny_bert.py makes them")]
    fn a_missing_tiny_model_names_the_script() {
        tiny_model_dir("no-such-model");
    }
}
