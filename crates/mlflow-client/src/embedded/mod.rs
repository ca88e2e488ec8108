//! The embedded store: MLflow's own SQLite file, without a server.
//!
//! The file is the one that Python's MLflow makes and opens (`sqlite:///mlflow.db`): the same schema, the same rows, so
//! that both may work on it, at the same time too. Three rules keep it whole. Each call is one short transaction. A file
//! is written only at a revision of the schema that is known ([`schema`]), which is looked up in each transaction that
//! writes, because a newer Python may migrate the file at any time. And nothing is cut silently: a value that is longer
//! than MLflow stores is refused.
//!
//! Nothing of SQLite shows outside of this module.

mod address;
mod column;
mod database;
mod experiments;
mod import;
mod inputs;
mod logged_models;
mod metrics;
mod model_versions;
mod page;
mod python_text;
mod random_name;
mod refusal;
mod registered_models;
mod registry;
mod report;
mod rules;
mod run_rows;
mod runs;
mod schema;
mod search;
mod tracking;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use database::Database;
pub use report::DatabaseReport;

use crate::file_store::{Contents, FileStore, Imported};
use crate::{Error, Result};

/// MLflow's database in one SQLite file: tracking and registry, shared with Python's MLflow.
///
/// Calls do their work on threads for blocking work of the tokio runtime that they are awaited in.
#[derive(Debug)]
pub struct EmbeddedStore {
    database: Database,
    artifact_root: Arc<str>,
    /// Whether a value that is too long is cut; otherwise it is refused.
    truncate: bool,
}

impl EmbeddedStore {
    /// Opens `sqlite:///relative.db`, `sqlite:////absolute.db` or a plain path, and makes the database if there is none.
    ///
    /// `artifact_root` is below what new experiments keep their artifacts, if they do not say otherwise: a URI or a
    /// path. MLflow without a server takes `mlruns` in the working directory. No directory for artifacts is made before
    /// there is one to write.
    ///
    /// Reads the file, and may wait for another process; asynchronous code calls it at its start or through
    /// `spawn_blocking`.
    ///
    /// # Errors
    /// [`Error::Uri`] when no file is named, [`Error::File`] when its directory cannot be made, [`Error::Database`] when
    /// the file is no database of MLflow or at a revision that this build must not write.
    pub fn open(uri_or_path: &str, artifact_root: &str) -> Result<Self> {
        let artifact_root = address::location(artifact_root)?;
        let database = Database::open(address::file(uri_or_path)?, &artifact_root)?;
        Ok(Self { database, artifact_root: artifact_root.into(), truncate: false })
    }

    /// Opens what MLflow takes when nobody names a server: `mlflow.db` in a directory, with artifacts below `mlruns`.
    ///
    /// # Errors
    /// As [`Self::open`]; and [`Error::Setting`] when there is no such file but a store of files in `mlruns`, which
    /// MLflow would take instead. A second store beside it would hide what was logged there.
    pub fn open_default(directory: &Path) -> Result<Self> {
        let (file, root) = (directory.join("mlflow.db"), directory.join("mlruns"));
        if !file.exists() && FileStore::is_one(&root) {
            return Err(Error::Setting {
                setting: "MLFLOW_TRACKING_URI".to_owned(),
                problem: format!(
                    "is not set, and {} holds a store of files from an older MLflow; import it with `mlflow \
                     migrate-filestore --source {} --target sqlite:///{}`, or name the store to use",
                    root.display(),
                    root.display(),
                    file.display()
                ),
            });
        }
        Self::open(&file.to_string_lossy(), &root.to_string_lossy())
    }

    /// The same, cutting the value of a param or of a run's tag that is too long, with a warning, as Python does unless
    /// `MLFLOW_TRUNCATE_LONG_VALUES` is `false`. Without this, such a value is refused.
    #[must_use]
    pub fn with_truncation(self, truncate: bool) -> Self {
        Self { truncate, ..self }
    }

    /// Carries everything over from a store of files.
    pub(crate) async fn import(&self, contents: Contents) -> Result<Imported> {
        self.database.write("import", move |transaction| import::import(transaction, &contents)).await
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Below what new experiments keep their artifacts, if they do not say otherwise.
    pub fn artifact_root(&self) -> &str {
        &self.artifact_root
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
