//! Connections to the file: one that writes, a few that read, all of them off the asynchronous runtime's threads.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::refusal::{Outcome, Refusal};
use super::schema;
use crate::{Error, Result};

/// How many calls read at once.
const READERS: usize = 4;

/// Statements that stay prepared with each connection; there are fewer different ones.
const STATEMENTS: usize = 128;

/// The file and the connections to it.
pub(super) struct Database {
    path: Arc<Path>,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    idle: Arc<Mutex<Vec<Connection>>>,
    readers: Arc<Semaphore>,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the file; makes the database if there is none.
    pub(super) fn open(path: PathBuf, artifact_root: &str) -> Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|source| Error::File {
                path: parent.to_owned(),
                action: "create the directory",
                source,
            })?;
        }
        let writer = prepared(&path, artifact_root).map_err(|refusal| match refusal {
            Refusal::Sqlite(error) => Error::Database {
                path: path.clone(),
                problem: "cannot be opened as a database of MLflow".to_owned(),
                source: Some(Box::new(error)),
            },
            refusal => refusal.at(&path, "open"),
        })?;
        Ok(Self {
            path: path.into(),
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            idle: Arc::default(),
            readers: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Does work that changes rows, in one transaction: all of it or nothing.
    pub(super) async fn write<T, F>(&self, route: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let path = Arc::clone(&self.path);
        let task = tokio::task::spawn_blocking(move || {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            schema::check(&transaction, &path)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        });
        self.answer(route, task.await)
    }

    /// Does work that reads, in one transaction: rows of one moment.
    pub(super) async fn read<T, F>(&self, route: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.readers).acquire_owned().await;
        let path = Arc::clone(&self.path);
        let idle = Arc::clone(&self.idle);
        let task = tokio::task::spawn_blocking(move || {
            let _until_done = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = kept.map_or_else(|| connect(&path, OpenFlags::empty()), Ok)?;
            let transaction = connection.transaction()?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(answer)
        });
        self.answer(route, task.await)
    }

    fn answer<T>(&self, route: &str, outcome: Result<Outcome<T>, JoinError>) -> Result<T> {
        match outcome {
            Ok(outcome) => outcome.map_err(|refusal| refusal.at(&self.path, route)),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(Error::Database {
                    path: self.path.to_path_buf(),
                    problem: format!("{route} was not carried out"),
                    source: Some(Box::new(cancelled)),
                }),
            },
        }
    }
}

/// The connection that writes, with everything in place.
fn prepared(path: &Path, artifact_root: &str) -> Outcome<Connection> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    schema::prepare(&mut connection, path, artifact_root)?;
    schema::check_workspaces(&connection)?;
    Ok(connection)
}

/// A connection with the settings that MLflow's own have. The journal is left at what it is.
fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "case_sensitive_like", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Waits for another process, 20 seconds altogether, as MLflow's connections do. SQLite's own handler soon looks only
/// every tenth of a second, and would starve beside a process that writes one transaction after the other.
fn wait(attempts: i32) -> bool {
    const EVERY: Duration = Duration::from_millis(4);
    const ATTEMPTS: i32 = 5_000;
    thread::sleep(EVERY);
    attempts < ATTEMPTS
}
