//! From a URI to a folder on this machine: the way back from MLflow.

use std::path::{Path, PathBuf};

use mlflow_client::Client;
use mlflow_client::artifacts::DownloadOptions;
use mlflow_client::uri::{ArtifactUri, Resolved};

use super::{LogError, download_model, verified};
use crate::digests::Digester;
use crate::{LoadOptions, LoadedModel, load_model_with};

/// Fetches the model that a URI means today, and opens it. Files that lie on this machine are opened where they are;
/// others are downloaded once into a folder of `cache` that is named after what they belong to.
///
/// The store is asked each time what the URI means, so that an alias that has moved is followed; only the files of a model
/// that is complete, which never change, are kept. What was downloaded is digested at the first load, and again when the file
/// system has noted a change since.
///
/// # Errors
/// Whatever the store answers; [`LogError::Client`] if what arrives is not what was promised; [`LogError::Save`] if it is
/// no model of this flavor.
pub async fn fetch_model(client: &Client, uri: &ArtifactUri, cache: &Path) -> Result<LoadedModel, LogError> {
    fetch_model_with(client, uri, cache, &LoadOptions::default()).await
}

/// As [`fetch_model`], and says what becomes of the digests of the model.
///
/// # Errors
/// As [`fetch_model`]; [`LogError::Save`] also if the digests are required and missing.
pub async fn fetch_model_with(
    client: &Client,
    uri: &ArtifactUri,
    cache: &Path,
    options: &LoadOptions,
) -> Result<LoadedModel, LogError> {
    let resolved = client.resolve(uri).await?;
    Ok(match (&resolved.artifact_uri, &resolved.path) {
        (ArtifactUri::Local(folder), None) => load_model_with(folder, options)?,
        (ArtifactUri::Local(folder), Some(path)) => load_model_with(&path.under(folder), options)?,
        _ => verified::load(&downloaded(client, &resolved, cache).await?, options)?,
    })
}

async fn downloaded(client: &Client, resolved: &Resolved, cache: &Path) -> Result<PathBuf, LogError> {
    let folder = cache.join(key(client, resolved));
    // A folder appears there under its name only when every byte of it was checked.
    if resolved.complete && folder.is_dir() {
        return Ok(folder);
    }
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder).map_err(|source| LogError::Prepare { source })?;
    }
    std::fs::create_dir_all(cache).map_err(|source| LogError::Prepare { source })?;
    let downloaded = download_model(client, resolved, &folder, &DownloadOptions::default()).await;
    match downloaded {
        Ok(downloaded) => Ok(downloaded.path),
        // Another process was faster.
        Err(_) if resolved.complete && folder.is_dir() => Ok(folder),
        Err(error) => Err(error),
    }
}

/// What tells the files of one model from those of every other: the server, the place there, and when it was made.
fn key(client: &Client, resolved: &Resolved) -> String {
    let path = resolved.path.as_ref().map_or("", |path| path.as_str());
    let identity = format!(
        "{}\n{}\n{path}\n{:?}",
        client.artifacts().location(),
        resolved.artifact_uri,
        resolved.created
    );
    let mut digester = Digester::default();
    digester.update(identity.as_bytes());
    digester.finish().sha256.to_string()
}
