//! How tests load a model.

use std::path::Path;
use std::sync::OnceLock;

use st_model::{LoadOptions, Places, SentenceTransformer};
use st_testkit::{cache_dir, model_dir, runtime_library};
use tempfile::TempDir;

/// Graphs of tests do not go to the user's cache but where Cargo keeps temporary files of tests.
pub(crate) fn options() -> LoadOptions {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    LoadOptions::new(Places::default().with_runtime(runtime_library()).with_cache(cache))
}

#[track_caller]
pub(crate) fn load(folder: &Path, options: &LoadOptions) -> SentenceTransformer {
    SentenceTransformer::load(folder, options)
        .unwrap_or_else(|error| panic!("{}: {}", folder.display(), chain(&error)))
}

/// The real model, loaded once for all tests, with two workers.
pub(crate) fn minilm() -> &'static SentenceTransformer {
    static MODEL: OnceLock<SentenceTransformer> = OnceLock::new();
    MODEL.get_or_init(|| load(&model_dir("all-MiniLM-L6-v2"), &options().with_threads(2)))
}

/// An error with all its causes, as the command line prints them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Why `folder` cannot be loaded, its path shortened to `M`.
#[track_caller]
pub(crate) fn refusal(folder: &Path) -> String {
    let error = SentenceTransformer::load(folder, &options()).expect_err("this folder must be refused");
    chain(&error).replace(&folder.display().to_string(), "M")
}

/// A cache that nobody else uses.
pub(crate) fn private_cache() -> (TempDir, LoadOptions) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_ne!(folder.path(), cache_dir());
    let options =
        LoadOptions::new(Places::default().with_runtime(runtime_library()).with_cache(folder.path()));
    (folder, options)
}
