//! From a URI to a folder on this machine: the way back from MLflow.

use std::ops::Deref;
use std::path::Path;

use mlflow_client::Client;
use mlflow_client::artifacts::DownloadOptions;
use mlflow_client::uri::{ArtifactUri, Resolved};

use super::{LogError, download_model};
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
/// that is complete, which never change, are kept. What was downloaded is digested at the first load, and again when the file
/// system has noted a change since.
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
    let resolved = client.resolve(uri).await?;
    let lease = match (&resolved.artifact_uri, &resolved.path) {
        (ArtifactUri::Local(folder), None) => Lease::elsewhere(folder.clone()),
        (ArtifactUri::Local(folder), Some(path)) => Lease::elsewhere(path.under(folder)),
        _ => {
            let lease = downloaded(client, &resolved, cache).await?;
            let model = cache::load(lease.folder(), options)?;
            return Ok(FetchedModel { model, _lease: lease });
        }
    };
    Ok(FetchedModel { model: load_model_with(lease.folder(), options)?, _lease: lease })
}

async fn downloaded(client: &Client, resolved: &Resolved, cache: &ModelCache) -> Result<Lease, LogError> {
    let options = DownloadOptions::default();
    let download = async |folder: &Path| -> Result<(), LogError> {
        Box::pin(download_model(client, resolved, folder, &options)).await.map(drop)
    };
    if resolved.complete {
        cache.get(&key(client, resolved), download).await
    } else {
        cache.get_once(download).await
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
