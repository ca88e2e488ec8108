//! What a run makes besides numbers: texts, tables, figures, files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mlflow_types::runs::GetRun;
use mlflow_types::tags::system;
use serde_json::{Value, json};

use super::{ActiveRun, Table};
use crate::artifacts::{
    ArtifactPath, ArtifactStore, Artifacts, LocalFile, ReadStart, UploadOptions, Uploaded,
};
use crate::uri::ArtifactUri;
use crate::{BoxError, Error, Result, python_json};

/// Bytes that a table may have which another one is appended to.
const LARGEST_TABLE: usize = 256 << 20;

/// The artifacts of a run at work. Unlike metrics they are not queued: a call returns when the bytes are stored.
#[derive(Debug)]
pub struct RunArtifacts<'a> {
    run: &'a ActiveRun,
    artifacts: &'a Artifacts,
    uri: ArtifactUri,
}

impl ActiveRun {
    /// The run's artifacts, through what opens the run's artifact URI.
    ///
    /// # Errors
    /// [`Error::Uri`] if the store has given the run a URI that is none.
    pub fn artifacts<'a>(&'a self, artifacts: &'a Artifacts) -> Result<RunArtifacts<'a>> {
        let uri = self.artifact_uri().parse()?;
        Ok(RunArtifacts { run: self, artifacts, uri })
    }
}

impl RunArtifacts<'_> {
    /// Stores a file, into a directory of the run's artifacts if one is given.
    ///
    /// # Errors
    /// As [`Artifacts::upload_file`].
    pub async fn log_artifact(&self, file: &Path, directory: Option<&ArtifactPath>) -> Result<Uploaded> {
        self.artifacts.upload_file(file, &self.uri, directory, &UploadOptions::default()).await
    }

    /// Stores all files of a folder.
    ///
    /// # Errors
    /// As [`Artifacts::upload`].
    pub async fn log_artifacts(&self, folder: &Path, directory: Option<&ArtifactPath>) -> Result<Uploaded> {
        let uri = match directory {
            Some(directory) => self.uri.join(directory)?,
            None => self.uri.clone(),
        };
        self.artifacts.upload(folder, &uri, &UploadOptions::default()).await
    }

    /// Stores a text.
    ///
    /// # Errors
    /// As [`Artifacts::upload_files`].
    pub async fn log_text(&self, text: &str, path: &ArtifactPath) -> Result<()> {
        self.log_bytes(text.as_bytes(), path).await
    }

    /// Stores a value as JSON, indented by two spaces. In a `.yaml` file that is YAML, too.
    ///
    /// # Errors
    /// As [`Artifacts::upload_files`].
    pub async fn log_dict(&self, value: &Value, path: &ArtifactPath) -> Result<()> {
        self.log_text(&format!("{value:#}"), path).await
    }

    /// Stores a figure, drawn already, in the format that its extension says: SVG, PNG, HTML.
    ///
    /// # Errors
    /// As [`Artifacts::upload_files`].
    pub async fn log_figure(&self, figure: &[u8], path: &ArtifactPath) -> Result<()> {
        self.log_bytes(figure, path).await
    }

    /// Stores a table as MLflow's `log_table` does, for its user interface and `load_table`: rows are appended to a table
    /// that is there already, and the run's tag `mlflow.loggedArtifacts` names it.
    ///
    /// # Errors
    /// [`Error::Setting`] if the path does not end in `.json`; [`Error::Damaged`] if what is there is no table; as
    /// [`Artifacts::upload_files`].
    pub async fn log_table(&self, table: Table, path: &ArtifactPath) -> Result<()> {
        if Path::new(path.name()).extension().is_none_or(|extension| extension != "json") {
            return Err(Error::Setting {
                setting: path.to_string(),
                problem: "is no name for a table: it must end in .json".to_owned(),
            });
        }
        let store = self.artifacts.open_given(&self.uri)?;
        let table = match self.there(&store, path).await? {
            Some(there) => there.followed_by(table),
            None => table,
        };
        self.log_bytes(json!(table).to_string().as_bytes(), path).await?;
        self.name_table(path).await
    }

    async fn there(&self, store: &Arc<dyn ArtifactStore>, path: &ArtifactPath) -> Result<Option<Table>> {
        let siblings = store.list(path.parent().as_ref()).await?;
        if !siblings.iter().any(|file| file.path == *path && !file.is_dir) {
            return Ok(None);
        }
        let damaged = |problem: BoxError| Error::Damaged {
            artifact: format!("{}/{path}", store.location()),
            problem: format!("is no table that rows can be appended to: {problem}"),
        };
        let file = store.read(path, &ReadStart::default()).await?;
        let bytes = file.bytes(LARGEST_TABLE).await.map_err(damaged)?;
        let table: Table = serde_json::from_slice(&bytes).map_err(|error| damaged(error.into()))?;
        table.check().map_err(|error| damaged(error.to_string().into()))?;
        Ok(Some(table))
    }

    /// Adds a table to the tag that lists them.
    async fn name_table(&self, path: &ArtifactPath) -> Result<()> {
        // The tag of a table before this one may still be on its way.
        self.run.flush().await?;
        let run = self.run.store().get_run(&GetRun { run_id: self.run.run_id().clone() }).await?;
        let tag = run.data.tags.iter().find(|tag| tag.key == system::LOGGED_ARTIFACTS);
        let there = tag.and_then(|tag| serde_json::from_str(&tag.value).ok());
        let mut tables: Vec<Value> = there.unwrap_or_default();
        let table = json!({ "path": path.to_string(), "type": "table" });
        if tables.contains(&table) {
            return Ok(());
        }
        tables.push(table);
        self.run.set_tag(system::LOGGED_ARTIFACTS, python_json::json(&Value::Array(tables)))
    }

    /// Stores bytes.
    ///
    /// # Errors
    /// As [`Artifacts::upload_files`].
    pub async fn log_bytes(&self, bytes: &[u8], path: &ArtifactPath) -> Result<()> {
        let file = tempfile::NamedTempFile::new()
            .and_then(|file| fs::write(file.path(), bytes).map(|()| file))
            .map_err(|source: io::Error| Error::File {
                path: std::env::temp_dir(),
                action: "write into",
                source,
            })?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let local = LocalFile { path: file.path().to_owned(), length };
        let files = BTreeMap::from([(path.clone(), local)]);
        self.artifacts.upload_files(files, &self.uri, &UploadOptions::default()).await.map(drop)
    }
}
