//! The files of a plan, straight from where they lie to the artifact store.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mlflow_client::artifacts::{ArtifactPath, Artifacts, LocalFile, Progress, UploadOptions};

use super::LogError;
use crate::{FileSource, MlModel, PlannedFile, SavePlan};

/// What was sent.
pub(super) struct Sent {
    pub(super) mlmodel: MlModel,
    pub(super) bytes: u64,
    pub(super) files: usize,
}

/// Sends all files of a plan and the manifest of their digests; `MLmodel` goes last: what lacks one is no model yet.
pub(super) async fn send(
    artifacts: &Artifacts,
    artifact_uri: &str,
    plan: SavePlan,
    progress: Option<&Arc<dyn Progress>>,
) -> Result<Sent, LogError> {
    let uri = artifact_uri.parse()?;
    let prepared = tokio::task::spawn_blocking(move || Prepared::of(plan)).await;
    let prepared = prepared.map_err(|error| LogError::Prepare { source: io::Error::other(error) })??;
    let mut options = UploadOptions::default();
    if let Some(progress) = progress {
        options = options.with_progress(progress.clone());
    }
    let first = artifacts.upload_files(prepared.files, &uri, &options).await?;
    let last = artifacts.upload_files(prepared.last, &uri, &UploadOptions::default()).await?;
    let (bytes, files) = (first.bytes() + last.bytes(), first.files.len() + last.files.len());
    Ok(Sent { mlmodel: prepared.mlmodel, bytes, files })
}

/// Every file of a plan as a file of this machine. What had none got one, so that a store can read it twice.
struct Prepared {
    mlmodel: MlModel,
    files: BTreeMap<ArtifactPath, LocalFile>,
    last: BTreeMap<ArtifactPath, LocalFile>,
    /// Removed when all is sent.
    _scratch: tempfile::TempDir,
}

impl Prepared {
    fn of(plan: SavePlan) -> Result<Self, LogError> {
        let manifest = plan.digests()?.to_file();
        let scratch = tempfile::tempdir().map_err(|source| LogError::Prepare { source })?;
        let mut files = BTreeMap::new();
        for (index, file) in plan.files().iter().chain([&manifest]).enumerate() {
            let (path, file) = local(file, &scratch.path().join(index.to_string()))?;
            files.insert(path, file);
        }
        let mlmodel = plan.into_mlmodel();
        let last = files.extract_if(.., |path, _| path.as_str() == crate::load::MLMODEL_FILE).collect();
        Ok(Self { mlmodel, files, last, _scratch: scratch })
    }
}

fn local(file: &PlannedFile, scratch: &Path) -> Result<(ArtifactPath, LocalFile), LogError> {
    let path = ArtifactPath::try_new(file.path.as_str())
        .map_err(|source| LogError::Path { path: file.path.clone(), source: Box::new(source) })?;
    let place = match &file.source {
        FileSource::File(place) => place.clone(),
        FileSource::Bytes(bytes) => {
            fs::write(scratch, bytes).map_err(|source| LogError::Prepare { source })?;
            scratch.to_owned()
        }
    };
    Ok((path, LocalFile { path: place, length: file.bytes }))
}
