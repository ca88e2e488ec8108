//! The files of a model, for which its own digests vouch before they get a name.

use std::path::Path;

use mlflow_client::artifacts::{Artifacts, DownloadOptions, Downloaded, DownloadedFile};
use mlflow_client::uri::Resolved;
use mlflow_client::{Client, Error};

use super::LogError;
use crate::digests::{Digests, FileDigest, Sha256Digest};

/// Downloads what a URI was resolved to, as [`Artifacts::download`](mlflow_client::artifacts::Artifacts::download). If it is a
/// model with a manifest of digests, every file has to agree with it; else nothing is left of it.
///
/// # Errors
/// [`LogError::Client`]: whatever the store answers, and [`Error::Damaged`] if the digests disagree. An inspection that the
/// options had is replaced.
pub async fn download_model(
    client: &Client,
    resolved: &Resolved,
    destination: &Path,
    options: &DownloadOptions,
) -> Result<Downloaded, LogError> {
    download(client.artifacts(), resolved, destination, options).await
}

pub(super) async fn download(
    artifacts: &Artifacts,
    resolved: &Resolved,
    destination: &Path,
    options: &DownloadOptions,
) -> Result<Downloaded, LogError> {
    let artifact = resolved.artifact_uri.to_string();
    let options = options.clone().with_inspection(move |folder, files| {
        vouched(folder, files).map_err(|problem| Error::Damaged { artifact: artifact.clone(), problem })
    });
    Ok(artifacts.download(resolved, destination, &options).await?)
}

/// Nothing is read but the manifest: the files were digested as they came.
fn vouched(folder: &Path, files: &[DownloadedFile]) -> Result<(), String> {
    let digests = Digests::read(folder).map_err(|error| error.to_string())?;
    let digested = |file: &DownloadedFile| {
        let sha256 = Sha256Digest(*file.digest.as_bytes());
        (file.path.to_string(), FileDigest { bytes: file.size, sha256 })
    };
    let found: Digests = files.iter().map(digested).collect();
    match digests.map(|digests| digests.verify_digested(folder, &found)) {
        Some(Err(crate::Error::Digest { file, problem, .. })) => Err(format!("its file {file} {problem}")),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(())) | None => Ok(()),
    }
}
