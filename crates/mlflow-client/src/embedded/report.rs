//! What a database is, without touching it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{address, schema};
use crate::{Error, Result};

/// How long another process may hold the file while it is looked at.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a database is: also one that this build must not write, or that is none of MLflow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseReport {
    /// The file.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// The revision of its schema; absent if MLflow has not made it.
    pub revision: Option<String>,
    /// Whether this build writes that revision.
    pub is_known: bool,
    /// Why it cannot be written just now; absent if it can.
    pub unwritable: Option<String>,
    /// SQLite's word for how it keeps a journal; MLflow's own is `delete`.
    pub journal_mode: String,
    /// How many experiments it holds; absent where the schema is another.
    pub experiments: Option<u64>,
    /// How many runs.
    pub runs: Option<u64>,
    /// How many logged models.
    pub logged_models: Option<u64>,
    /// How many registered models.
    pub registered_models: Option<u64>,
}

impl DatabaseReport {
    /// Looks at `sqlite:///relative.db`, `sqlite:////absolute.db` or a plain path; nothing if there is no such file. Nothing
    /// is changed or made.
    ///
    /// # Errors
    /// [`Error::Uri`] when no file is named, [`Error::Database`] when the file is no database.
    pub fn of(uri_or_path: &str) -> Result<Option<Self>> {
        let path = address::file(uri_or_path)?;
        let Ok(metadata) = std::fs::metadata(&path) else { return Ok(None) };
        look(&path, metadata.len()).map(Some).map_err(|error| Error::Database {
            path,
            problem: "cannot be read as a database".to_owned(),
            source: Some(Box::new(error)),
        })
    }
}

fn look(path: &Path, bytes: u64) -> rusqlite::Result<DatabaseReport> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    let journal_mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let count = |table: &str| {
        let count = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        count.ok().and_then(|count: i64| u64::try_from(count).ok())
    };
    let revision: Option<String> =
        connection.query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0)).ok();
    Ok(DatabaseReport {
        path: path.to_owned(),
        bytes,
        is_known: revision.as_deref().is_some_and(schema::is_known),
        revision,
        // It takes the lock that a write would take, and lets it go.
        unwritable: connection
            .execute_batch("BEGIN IMMEDIATE; ROLLBACK")
            .err()
            .map(|error| error.to_string()),
        journal_mode,
        experiments: count("experiments"),
        runs: count("runs"),
        logged_models: count("logged_models"),
        registered_models: count("registered_models"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::EmbeddedStore;
    use super::*;

    #[test]
    fn a_new_store_is_known_and_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mlflow.db");
        let name = path.to_str().unwrap();
        assert_eq!(DatabaseReport::of(name).unwrap(), None);
        assert!(!path.exists(), "looking makes nothing");
        drop(EmbeddedStore::open(name, "mlruns").unwrap());
        let report = DatabaseReport::of(name).unwrap().unwrap();
        assert_eq!(report.revision.as_deref(), Some("dc11669786a5"));
        assert_eq!(
            (report.is_known, report.unwritable, report.journal_mode.as_str()),
            (true, None, "delete")
        );
        let counts = [report.experiments, report.runs, report.logged_models, report.registered_models];
        assert_eq!(counts, [Some(1), Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn what_this_build_must_not_write_is_told_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mlflow.db");
        let name = path.to_str().unwrap();
        let newer =
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('ffff');
                     CREATE TABLE runs (x)";
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(newer).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let report = DatabaseReport::of(name).unwrap().unwrap();
        assert_eq!((report.revision.as_deref(), report.is_known), (Some("ffff"), false));
        assert_eq!((report.runs, report.logged_models), (Some(0), None));
        assert_eq!(report.unwritable.as_deref(), Some("database is locked"));
    }

    #[test]
    fn what_is_no_database_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mlflow.db");
        std::fs::write(&path, "a text that is no database at all").unwrap();
        let error = DatabaseReport::of(path.to_str().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: cannot be read as a database", path.display()));
    }
}
