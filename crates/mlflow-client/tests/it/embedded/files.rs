//! Which files are opened, made, or refused.

use std::fs;
use std::path::Path;

use mlflow_client::EmbeddedStore;
use mlflow_client::types::experiments::GetExperiment;
use mlflow_client::{Error, TrackingStore};
use rusqlite::Connection;

use super::{experiment, run_id, store};

fn raw(folder: &Path) -> Connection {
    Connection::open(folder.join("mlflow.db")).unwrap()
}

#[tokio::test]
async fn a_new_file_is_what_mlflow_makes() {
    let (folder, store) = store();
    let default = store.get_experiment(&GetExperiment { experiment_id: "0".parse().unwrap() }).await.unwrap();
    assert_eq!(default.name, "Default");
    let root = std::path::absolute(folder.path()).unwrap().join("mlruns");
    assert_eq!(Path::new(&default.artifact_location), root.join("0"));
    assert!(!root.exists(), "a folder for artifacts is made with the first of them");
    let one: (String, i64, i64) = raw(folder.path())
        .query_row(
            "SELECT (SELECT version_num FROM alembic_version), (SELECT count(*) FROM workspaces),
                    (SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(one, ("dc11669786a5".to_owned(), 1, 65));
    let journal: String = raw(folder.path()).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "delete");
}

#[tokio::test]
async fn a_second_opening_finds_what_is_there() {
    let (folder, first) = store();
    let id = experiment(&first, "kept").await;
    let second = EmbeddedStore::open_default(folder.path()).unwrap();
    assert_eq!(second.get_experiment(&GetExperiment { experiment_id: id }).await.unwrap().name, "kept");
}

#[test]
fn threads_that_come_at_once_make_one_database() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let openings: Vec<_> =
            (0..6).map(|_| scope.spawn(|| EmbeddedStore::open_default(folder.path()).map(drop))).collect();
        for opening in openings {
            opening.join().unwrap().unwrap();
        }
    });
    let experiments: i64 =
        raw(folder.path()).query_row("SELECT count(*) FROM experiments", [], |row| row.get(0)).unwrap();
    assert_eq!(experiments, 1);
}

#[track_caller]
fn check_problem(answer: Result<impl std::fmt::Debug, Error>, expected: &str) {
    match answer.unwrap_err() {
        Error::Database { problem, .. } | Error::Setting { problem, .. } => assert_eq!(problem, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unknown_revisions_are_refused() {
    let (folder, _) = store();
    raw(folder.path()).execute("UPDATE alembic_version SET version_num = 'ffffffffffff'", []).unwrap();
    check_problem(
        EmbeddedStore::open_default(folder.path()),
        &format!(
            "its schema is at revision `ffffffffffff`, but this build writes only `1b5f0d9ad7c1` to `dc11669786a5` \
             (MLflow 3.10 to 3.17); an older file is brought up to date by `mlflow db upgrade sqlite:///{}`, a newer one \
             needs a newer build",
            folder.path().join("mlflow.db").display()
        ),
    );
}

#[tokio::test]
async fn a_migration_in_between_is_met_by_the_next_write() {
    let (folder, store) = store();
    let run_id = run_id(&store).await;
    raw(folder.path()).execute("UPDATE alembic_version SET version_num = 'ffffffffffff'", []).unwrap();
    let call = mlflow_client::types::runs::LogMetric::new(run_id, "loss", 1.0, 1, 0);
    let error = store.log_metric(&call).await.unwrap_err();
    assert!(
        matches!(&error, Error::Database { problem, .. } if problem.contains("`ffffffffffff`")),
        "{error}"
    );
    let metrics: i64 =
        raw(folder.path()).query_row("SELECT count(*) FROM metrics", [], |row| row.get(0)).unwrap();
    assert_eq!(metrics, 0);
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    raw(folder.path()).execute("CREATE TABLE birds (name TEXT)", []).unwrap();
    check_problem(
        EmbeddedStore::open_default(folder.path()),
        "is no database of MLflow: it has tables, but none called `alembic_version`",
    );
    fs::write(
        folder.path().join("mlflow.db"),
        "not a database, but long enough to be mistaken for one".repeat(40),
    )
    .unwrap();
    check_problem(EmbeddedStore::open_default(folder.path()), "cannot be opened as a database of MLflow");
}

#[test]
fn workspaces_are_refused() {
    let (folder, _) = store();
    raw(folder.path())
        .execute(
            "INSERT INTO experiments (name, lifecycle_stage, workspace) VALUES ('a', 'active', 'team')",
            [],
        )
        .unwrap();
    check_problem(
        EmbeddedStore::open_default(folder.path()),
        "holds workspaces other than `default`, which need a tracking server",
    );
}

#[test]
fn a_store_of_files_is_not_hidden_behind_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("mlruns"), folder.path().join("mlflow.db"));
    fs::create_dir_all(root.join("123456789012345678")).unwrap();
    // A number alone may be a folder of artifacts.
    EmbeddedStore::open_default(folder.path()).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(root.join("123456789012345678/meta.yaml"), "name: old\n").unwrap();
    check_problem(
        EmbeddedStore::open_default(folder.path()),
        &format!(
            "is not set, and {0} holds a store of files from an older MLflow; import it with `mlflow migrate-filestore \
             --source {0} --target sqlite:///{1}`, or name the store to use",
            root.display(),
            file.display()
        ),
    );
    assert!(!file.exists());
}
