//! From a URI to a folder on this machine: the way back from MLflow.

use std::ops::Deref;
use std::path::Path;

use mlflow_client::Client;
use mlflow_client::artifacts::{ArtifactPath, Artifacts, DownloadOptions};
use mlflow_client::types::model_versions::{ModelVersion, ModelVersionStatus};
use mlflow_client::uri::{ArtifactUri, Resolved};

use super::LogError;
use super::download::download;
use crate::cache::{self, Lease, ModelCache};
use crate::digests::Digester;
use crate::{LoadOptions, LoadedModel, load_model_with};

/// A model on this machine, whose files stay as long as this lives.
#[derive(Debug)]
pub struct FetchedModel {
    model: LoadedModel,
    _lease: Lease,
}

impl Deref for FetchedModel {
    type Target = LoadedModel;

    fn deref(&self) -> &LoadedModel {
        &self.model
    }
}

/// Fetches the model that a URI means today, and opens it. Files that lie on this machine are opened where they are;
/// others are downloaded once into the cache, under a name that stands for what they belong to.
///
/// The store is asked each time what the URI means, so that an alias that has moved is followed; only the files of a model
/// that is complete, which never change, are kept, and with them which version of a registered model they are: where its
/// files are is asked once. What was downloaded is digested at the first load, and again when the file system has noted a
/// change since.
///
/// # Errors
/// Whatever the store answers; [`LogError::Client`] if what arrives is not what was promised; [`LogError::Save`] if it is
/// no model of this flavor; [`LogError::Cache`].
pub async fn fetch_model(
    client: &Client,
    uri: &ArtifactUri,
    cache: &ModelCache,
) -> Result<FetchedModel, LogError> {
    fetch_model_with(client, uri, cache, &LoadOptions::default()).await
}

/// As [`fetch_model`], and says what becomes of the digests of the model.
///
/// # Errors
/// As [`fetch_model`]; [`LogError::Save`] also if the digests are required and missing.
pub async fn fetch_model_with(
    client: &Client,
    uri: &ArtifactUri,
    cache: &ModelCache,
    options: &LoadOptions,
) -> Result<FetchedModel, LogError> {
    let resolved = match client.find_version(uri).await? {
        Some(version) => {
            let path = match uri {
                ArtifactUri::Model(uri) => uri.path.as_ref(),
                _ => None,
            };
            let name = version_name(client, &version, path);
            if version.status == ModelVersionStatus::Ready
                && let Some(lease) = cache.by_name(&name).await?
            {
                return kept(lease, options);
            }
            let resolved = client.resolve_version(version, path.cloned()).await?;
            return fetched(client.artifacts(), &resolved, Some(&name), cache, options).await;
        }
        None => client.resolve(uri).await?,
    };
    fetched(client.artifacts(), &resolved, None, cache, options).await
}

/// As [`fetch_model_with`], for a URI that says itself where the files are: a folder of this machine, or an object store. No
/// tracking store is asked, so there need not be one.
///
/// # Errors
/// As [`fetch_model_with`]; a `models:` or `runs:` URI is refused.
pub async fn fetch_files_with(
    artifacts: &Artifacts,
    uri: &ArtifactUri,
    cache: &ModelCache,
    options: &LoadOptions,
) -> Result<FetchedModel, LogError> {
    fetched(artifacts, &Resolved::of(uri.clone()), None, cache, options).await
}

/// What lies at the place that a store has named; what is downloaded from there is kept under the name, too.
async fn fetched(
    artifacts: &Artifacts,
    resolved: &Resolved,
    name: Option<&str>,
    cache: &ModelCache,
    options: &LoadOptions,
) -> Result<FetchedModel, LogError> {
    let folder = match (&resolved.artifact_uri, &resolved.path) {
        (ArtifactUri::Local(folder), None) => folder.clone(),
        (ArtifactUri::Local(folder), Some(path)) => path.under(folder),
        _ => return kept(downloaded(artifacts, resolved, name, cache).await?, options),
    };
    Ok(FetchedModel { model: load_model_with(&folder, options)?, _lease: Lease::elsewhere(folder) })
}

/// A model in the cache.
fn kept(lease: Lease, options: &LoadOptions) -> Result<FetchedModel, LogError> {
    Ok(FetchedModel { model: cache::load(lease.folder(), options)?, _lease: lease })
}

async fn downloaded(
    artifacts: &Artifacts,
    resolved: &Resolved,
    name: Option<&str>,
    cache: &ModelCache,
) -> Result<Lease, LogError> {
    let options = DownloadOptions::default();
    let download = async |folder: &Path| -> Result<(), LogError> {
        Box::pin(download(artifacts, resolved, folder, &options)).await.map(drop)
    };
    if !resolved.complete {
        return cache.get_once(download).await;
    }
    let key = key(artifacts, resolved);
    let lease = cache.get(&key, download).await?;
    if let Some(name) = name {
        cache.name(name, &key);
    }
    Ok(lease)
}

/// What tells the files of one model from those of every other: the server, the place there, and when it was made.
fn key(artifacts: &Artifacts, resolved: &Resolved) -> String {
    let path = resolved.path.as_ref().map_or("", |path| path.as_str());
    let made = format!("{:?}", resolved.created);
    digest(&[&artifacts.location(), &resolved.artifact_uri.to_string(), path, &made])
}

/// What tells a version, or a path in it, from every other: what a registry never changes once the version is ready. A
/// model that was deleted and registered anew counts from 1 again, at another time.
fn version_name(client: &Client, version: &ModelVersion, path: Option<&ArtifactPath>) -> String {
    digest(&[
        &client.artifacts().location(),
        version.name.as_str(),
        &version.version.to_string(),
        &version.source,
        &format!("{:?}", version.creation_timestamp),
        path.map_or("", |path| path.as_str()),
    ])
}

fn digest(parts: &[&str]) -> String {
    let mut digester = Digester::default();
    digester.update(parts.join("\n").as_bytes());
    digester.finish().sha256.to_string()
}
