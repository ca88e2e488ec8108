//! ONNX Runtime missing, or another one than before. Too old and broken ones need a process each: see `st-cli`.

use st_model::{LoadOptions, Places, SentenceTransformer};
use st_testkit::tiny_model_dir;

use crate::support::{chain, minilm};

#[track_caller]
fn refusal(places: Places) -> String {
    let options = LoadOptions::new(places);
    chain(&SentenceTransformer::load(&tiny_model_dir("mean-normalize"), &options).unwrap_err())
}

#[test]
fn a_missing_runtime_lists_where_it_was_looked_for() {
    let places = Places { runtimes: vec!["/opt/a.so".into(), "/opt/b.so".into()], cache: None };
    assert_eq!(refusal(places), "ONNX Runtime was not found; looked for /opt/a.so, /opt/b.so");
}

#[test]
fn another_runtime_in_the_same_process_is_refused() {
    let loaded = minilm().runtime().unwrap().path.clone();
    let other = tempfile::NamedTempFile::new().unwrap();
    let message = refusal(Places::default().with_runtime(other.path()));
    assert_eq!(
        message,
        format!(
            "ONNX Runtime is already loaded from {}, so {} cannot be used",
            loaded.display(),
            other.path().display()
        )
    );
}
