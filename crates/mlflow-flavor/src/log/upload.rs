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

/// Sends all files of a plan, then the manifest of their digests, which are taken meanwhile, and `MLmodel` last: what lacks
/// one is no model yet.
pub(super) async fn send(
    artifacts: &Artifacts,
    artifact_uri: &str,
    plan: SavePlan,
    progress: Option<&Arc<dyn Progress>>,
) -> Result<Sent, LogError> {
    let uri = artifact_uri.parse()?;
    let plan = Arc::new(plan);
    let Prepared { files, mlmodel, scratch } = aside(&plan, Prepared::of).await?;
    let mut options = UploadOptions::default();
    if let Some(progress) = progress {
        options = options.with_progress(progress.clone());
    }
    let manifest = aside(&plan, {
        let scratch = scratch.path().join("manifest");
        move |plan| Ok(BTreeMap::from([local(&plan.digests()?.to_file(), &scratch)?]))
    });
    let sent = async { Ok(artifacts.upload_files(files, &uri, &options).await?) };
    let (mut sent, manifest) = tokio::try_join!(sent, manifest)?;
    for last in [manifest, mlmodel] {
        sent.files.extend(artifacts.upload_files(last, &uri, &UploadOptions::default()).await?.files);
    }
    Ok(Sent { mlmodel: plan.mlmodel().clone(), bytes: sent.bytes(), files: sent.files.len() })
}

/// Reads files away from the threads that wait for the network.
async fn aside<T: Send + 'static>(
    plan: &Arc<SavePlan>,
    work: impl FnOnce(&SavePlan) -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let plan = Arc::clone(plan);
    let done = tokio::task::spawn_blocking(move || work(&plan)).await;
    done.map_err(|error| LogError::Prepare { source: io::Error::other(error) })?
}

/// Every file of a plan as a file of this machine. What had none got one, so that a store can read it twice.
struct Prepared {
    /// All but `MLmodel`.
    files: BTreeMap<ArtifactPath, LocalFile>,
    mlmodel: BTreeMap<ArtifactPath, LocalFile>,
    /// Removed when all is sent.
    scratch: tempfile::TempDir,
}

impl Prepared {
    fn of(plan: &SavePlan) -> Result<Self, LogError> {
        let scratch = tempfile::tempdir().map_err(|source| LogError::Prepare { source })?;
        let mut files = BTreeMap::new();
        for (index, file) in plan.files().iter().enumerate() {
            let (path, file) = local(file, &scratch.path().join(index.to_string()))?;
            files.insert(path, file);
        }
        let mlmodel = files.extract_if(.., |path, _| path.as_str() == crate::load::MLMODEL_FILE).collect();
        Ok(Self { files, mlmodel, scratch })
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
