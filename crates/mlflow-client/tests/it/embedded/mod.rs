//! The embedded store: files of its own, beside other processes, and beside Python.

mod files;
#[cfg(unix)]
mod heads;
mod processes;
#[cfg(unix)]
mod python;
mod rows;

use mlflow_client::EmbeddedStore;
use mlflow_client::types::RunId;
use tempfile::TempDir;

use crate::support::{check_refused, experiment, run};

/// A store in a folder that goes with the test.
fn store() -> (TempDir, EmbeddedStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open_default(folder.path()).unwrap();
    (folder, store)
}

async fn run_id(store: &EmbeddedStore) -> RunId {
    run(store, &"0".parse().unwrap()).await.info.run_id
}
