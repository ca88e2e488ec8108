//! The files of a plan, straight from where they lie to the artifact store.

use std::sync::Arc;

use mlflow_client::artifacts::{ArtifactPath, LocalFile};
use mlflow_client::{Artifacts, TransferProgress};

use super::LogError;
use crate::{FileSource, MlModel, PlannedFile, SavePlan};

/// What was sent.
pub(super) struct Sent {
    pub(super) mlmodel: MlModel,
    pub(super) bytes: u64,
    pub(super) files: usize,
}

/// Sends all files of a plan and the manifest of their digests, the file `MLmodel` last: what lacks one is no model yet.
pub(super) async fn send(
    artifacts: &Artifacts,
    artifact_uri: &str,
    plan: SavePlan,
    progress: Option<&Arc<dyn TransferProgress>>,
) -> Result<Sent, LogError> {
    let (plan, manifest) = tokio::task::spawn_blocking(move || {
        let manifest = plan.digests()?.to_file();
        Ok::<_, crate::Error>((plan, manifest))
    })
    .await
    .map_err(|error| LogError::Prepare { source: error.into() })??;
    // What has no file of its own gets one: every store reads from files, so that it can read twice.
    let scratch = tempfile::tempdir().map_err(|source| LogError::Prepare { source })?;
    let mut files = Vec::new();
    let (last, first) = plan.files().split_last().ok_or_else(|| LogError::Prepare { source: no_files() })?;
    for (index, file) in first.iter().chain([&manifest, last]).enumerate() {
        files.push(local(file, &scratch.path().join(index.to_string()))?);
    }
    let bytes = files.iter().map(|(_, file)| file.length).sum();
    let sent = Sent { bytes, files: files.len(), mlmodel: plan.into_mlmodel() };
    artifacts.upload_files(artifact_uri.parse()?, files, progress.cloned()).await?;
    Ok(sent)
}

fn local(file: &PlannedFile, scratch: &std::path::Path) -> Result<(ArtifactPath, LocalFile), LogError> {
    let path = ArtifactPath::try_new(file.path.as_str())
        .map_err(|error| LogError::Path { path: file.path.clone(), source: error.into() })?;
    let place = match &file.source {
        FileSource::File(place) => place.clone(),
        FileSource::Bytes(bytes) => {
            std::fs::write(scratch, bytes).map_err(|source| LogError::Prepare { source })?;
            scratch.to_owned()
        }
    };
    Ok((path, LocalFile { path: place, length: file.bytes }))
}

fn no_files() -> std::io::Error {
    std::io::Error::other("the plan holds no files")
}
