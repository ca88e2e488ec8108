//! The revisions of MLflow's database that this build may write, and how a new one is made.
//!
//! MLflow's own schema is bundled as one dump. A file at one of the older revisions below is used as it is: their tables
//! for tracking and registry differ from the newest in nothing that a row of ours would meet. Everything else is refused,
//! because a guess would damage what Python reads.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::refusal::{Outcome, Refusal};
use super::{address, now};

/// What `sqlite_master` holds in a new database of MLflow 3.17.
const DUMP: &str = include_str!("schema/dc11669786a5.sql");

/// The revisions that may be written, newest first: MLflow 3.10 to 3.17.
const KNOWN: [&str; 19] = [
    "dc11669786a5",
    "75868b020152",
    "b7e2c1a4d9f3",
    "17e22815139b",
    "1971f2d9a75b",
    "6f8d9c3b2a1e",
    "c3d9e7f1a2b4",
    "c1d2e3f4a5b6",
    "a8b9c0d1e2f3",
    "b7e4c1a90f23",
    "89d3d66ed43f",
    "da6fb0208061",
    "7d34483879f0",
    "ae8bbe7743c9",
    "a5b4c3d2e1f0",
    "c3d6457b6d8a",
    "76601a5f987d",
    "e1f2a3b4c5d6",
    "1b5f0d9ad7c1",
];

/// Makes the database if the file is empty, and sees to experiment 0, as MLflow does whenever it opens one.
///
/// All of it is one transaction that nobody else can write beside, so of two processes that come at once one makes the
/// database and the other finds it.
pub(super) fn prepare(connection: &mut Connection, path: &Path, artifact_root: &str) -> Outcome<()> {
    // Most openings need no lock for writing.
    if is_ready(connection)? {
        return check(connection, path);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_empty(&transaction)? {
        transaction.execute_batch(DUMP)?;
    }
    check(&transaction, path)?;
    make_default_experiment(&transaction, artifact_root)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a database at a revision that is not known, and one with workspaces. Asked again in every transaction that
/// writes: a newer MLflow may have migrated the file in between.
pub(super) fn check(connection: &Connection, path: &Path) -> Outcome<()> {
    if !has_table(connection, "alembic_version")? {
        return Err(Refusal::Schema(
            "is no database of MLflow: it has tables, but none called `alembic_version`".to_owned(),
        ));
    }
    let mut statement = connection.prepare_cached("SELECT version_num FROM alembic_version")?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    match found.as_slice() {
        [revision] if is_known(revision) => Ok(()),
        _ => Err(Refusal::Schema(unknown(&found.join("` and `"), path))),
    }
}

/// Refuses a database with workspaces: here, as in MLflow without them, all of it would be one.
pub(super) fn check_workspaces(connection: &Connection) -> Outcome<()> {
    let other: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM experiments WHERE workspace <> 'default')
             OR EXISTS (SELECT 1 FROM registered_models WHERE workspace <> 'default')",
        [],
        |row| row.get(0),
    )?;
    if other {
        return Err(Refusal::Schema(
            "holds workspaces other than `default`, which need a tracking server".to_owned(),
        ));
    }
    Ok(())
}

/// Whether this build writes a revision.
pub(super) fn is_known(revision: &str) -> bool {
    KNOWN.contains(&revision)
}

fn unknown(found: &str, path: &Path) -> String {
    let (newest, oldest) = (KNOWN[0], KNOWN[KNOWN.len() - 1]);
    format!(
        "its schema is at revision `{found}`, but this build writes only `{oldest}` to `{newest}` (MLflow 3.10 to \
         3.17); an older file is brought up to date by `mlflow db upgrade sqlite:///{}`, a newer one needs a newer build",
        path.display()
    )
}

/// Whether there is nothing left to make.
fn is_ready(connection: &Connection) -> rusqlite::Result<bool> {
    if !has_table(connection, "experiments")? {
        return Ok(false);
    }
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM experiments WHERE experiment_id = 0)", [], |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?;
    Ok(statement.query_row([name], |_| Ok(())).optional()?.is_some())
}

fn make_default_experiment(transaction: &Transaction<'_>, artifact_root: &str) -> rusqlite::Result<()> {
    let now = now();
    transaction.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,
                                  last_update_time, workspace)
         VALUES (0, 'Default', ?1, 'active', ?2, ?2, 'default')
         ON CONFLICT (experiment_id) DO NOTHING",
        params![address::below(artifact_root, &["0"]), now],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The revisions of the fixture down to the first that our rows do not fit.
    #[test]
    fn known_revisions_are_those_whose_tables_are_ours() {
        let heads = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mlflow-schema/heads.toml"),
        )
        .unwrap();
        let harmless =
            ["workspaces: + trace_archival", "experiment_tags: - value", "experiment_tags: + value"];
        let fits = |head: &&str| {
            head.lines()
                .skip(1)
                .filter_map(|line| line.trim().strip_prefix('"'))
                .all(|difference| harmless.iter().any(|prefix| difference.starts_with(prefix)))
        };
        let revision = |head: &str| head.split('"').nth(1).unwrap().to_owned();
        let ours: Vec<String> = heads.split("revision = ").skip(1).take_while(fits).map(revision).collect();
        assert_eq!(ours, KNOWN);
    }
}
