//! The embedded store: files of its own, beside other processes, and beside Python.

mod files;
mod processes;
#[cfg(unix)]
mod python;
mod rows;

use mlflow_client::EmbeddedStore;
use mlflow_client::TrackingStore;
use mlflow_client::types::experiments::CreateExperiment;
use mlflow_client::types::runs::{CreateRun, Run};
use mlflow_client::types::{ExperimentId, RunId};
use tempfile::TempDir;

use crate::support::check_refused;

/// A store in a folder that goes with the test.
fn store() -> (TempDir, EmbeddedStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open_default(folder.path()).unwrap();
    (folder, store)
}

async fn experiment(store: &EmbeddedStore, name: &str) -> ExperimentId {
    let call = CreateExperiment { name: name.to_owned(), ..CreateExperiment::default() };
    store.create_experiment(&call).await.unwrap()
}

async fn run(store: &EmbeddedStore, experiment_id: &ExperimentId) -> Run {
    let call = CreateRun {
        experiment_id: experiment_id.clone(),
        user_id: "ann".to_owned(),
        run_name: None,
        start_time: 1_700_000_000_000,
        tags: Vec::new(),
    };
    store.create_run(&call).await.unwrap()
}

async fn run_id(store: &EmbeddedStore) -> RunId {
    run(store, &"0".parse().unwrap()).await.info.run_id
}
