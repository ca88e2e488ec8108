//! The store of files (`./mlruns`) that MLflow used before its database: read, and imported.
//!
//! MLflow itself opens such a folder no more unless it is told to (since 3.13), and does not develop it further. So
//! nothing is written into one here. [`FileStore::import_into`] carries everything over into an embedded database.

mod contents;
mod files;
mod meta;
mod tracking;

use std::path::{Path, PathBuf};

pub(crate) use contents::{Contents, StoredVersion};

use crate::{EmbeddedStore, Error, Result};

/// A folder of MLflow's old store of files. Each call reads the whole folder anew; it is made for looking and importing.
#[derive(Clone, Debug)]
pub struct FileStore {
    root: PathBuf,
}

/// What an import carried over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Experiments, the deleted ones too.
    pub experiments: usize,
    /// Runs, the deleted ones too.
    pub runs: usize,
    /// Logged models, but for deleted ones.
    pub logged_models: usize,
    /// Registered models.
    pub registered_models: usize,
    /// Versions of registered models.
    pub model_versions: usize,
    /// Values of logged models' metrics that were left out, because the run that logged them is gone.
    pub orphaned_metrics: usize,
}

impl FileStore {
    /// Opens a folder such as `./mlruns`.
    ///
    /// # Errors
    /// [`Error::Uri`] when it holds no experiment.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        if !Self::is_one(&root) {
            return Err(Error::Uri {
                uri: root.display().to_string(),
                problem: "holds no experiments of MLflow's store of files".to_owned(),
            });
        }
        Ok(Self { root })
    }

    /// Whether a folder holds experiments of a store of files: numbers with a `meta.yaml`. MLflow decides by this whether
    /// it takes `./mlruns` for its store.
    pub fn is_one(root: &Path) -> bool {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.chars().all(|digit| digit.is_ascii_digit())
                && path.join("meta.yaml").symlink_metadata().is_ok()
        })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Carries everything over into a database that holds nothing yet, under the same identifiers, all or nothing. The
    /// files of artifacts stay where they are.
    ///
    /// # Errors
    /// [`Error::Damaged`] and [`Error::File`] name the file that cannot be read; [`Error::Api`] with
    /// `RESOURCE_ALREADY_EXISTS` says that the database is not empty.
    pub async fn import_into(&self, store: &EmbeddedStore) -> Result<Imported> {
        store.import(self.contents().await?).await
    }

    async fn contents(&self) -> Result<Contents> {
        let root = self.root.clone();
        match tokio::task::spawn_blocking(move || Contents::read(&root)).await {
            Ok(contents) => contents,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(Error::File {
                    path: self.root.clone(),
                    action: "read",
                    source: std::io::Error::other(cancelled),
                }),
            },
        }
    }

    /// The refusal of everything that would write.
    fn refuse<T>(&self) -> Result<T> {
        Err(Error::Uri {
            uri: self.root.display().to_string(),
            problem: "a store of files is only read; import it into a database first (`FileStore::import_into`, or \
                      `mlflow migrate-filestore`)"
                .to_owned(),
        })
    }
}
