//! Files at every revision that is written, as MLflow's own migrations make them, and a migration while a store is open.

use std::path::Path;

use mlflow_client::types::runs::LogMetric;
use mlflow_client::{EmbeddedStore, TrackingStore};
use st_testkit::{Environment, PythonScript};

use super::run_id;
use crate::everything::{Found, READ, check_same, found, write};

const HEADS: &str = include_str!("heads.py");

/// Of the list beside the schema, the revisions up to the oldest that is written; oldest first.
fn heads() -> Vec<String> {
    let list = st_testkit::fixtures_dir().join("mlflow-schema/heads.toml");
    let list = std::fs::read_to_string(list).unwrap();
    let heads =
        list.lines().filter_map(|line| line.strip_prefix("revision = ")).map(|head| head.trim_matches('"'));
    let mut heads: Vec<String> = heads.map(str::to_owned).collect();
    let oldest = heads.iter().position(|head| head == "1b5f0d9ad7c1").unwrap();
    heads.truncate(oldest + 1);
    heads.reverse();
    heads
}

fn python(what: &str, folder: &Path, heads: &[String]) {
    let script = PythonScript::new(Environment::Mlflow, HEADS).argument(what).argument(folder);
    let done: usize = heads.iter().fold(script, PythonScript::argument).run();
    assert_eq!(done, heads.len());
}

#[tokio::test]
async fn every_revision_is_written_and_outlives_a_migration() {
    let folder = tempfile::tempdir().unwrap();
    let heads = heads();
    assert_eq!(heads.len(), 19);
    python("make", folder.path(), &heads);
    let mut open = Vec::new();
    for head in &heads {
        let store = EmbeddedStore::open_default(&folder.path().join(head)).unwrap();
        write(&store).await;
        let run_id = run_id(&store).await;
        let before = found(&store).await;
        open.push((head, store, run_id, before));
    }
    // A migration takes seconds; the oldest, the newest and two between them stand for all.
    let migrated: Vec<String> = heads.iter().step_by(6).cloned().collect();
    python("upgrade", folder.path(), &migrated);
    for (head, store, run_id, before) in open {
        let place = folder.path().join(head);
        check_same(before, found(&EmbeddedStore::open_default(&place).unwrap()).await);
        // The store that was open meanwhile goes on.
        let metric = LogMetric::new(run_id, "after", 1.5, 1, 0);
        store.log_metric(&metric).await.unwrap();
        if head == heads.first().unwrap() {
            let python: Found = PythonScript::new(Environment::Mlflow, READ).folder(&place).run();
            check_same(python, found(&store).await);
        }
    }
}
