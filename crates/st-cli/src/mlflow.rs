//! MLflow, as the commands reach it: opened when a command needs it, from synchronous code.

use std::future::Future;
use std::path::Path;

use anyhow::Context;
use mlflow_client::artifacts::Artifacts;
use mlflow_client::settings::StoreUri;
use mlflow_client::uri::{ArtifactUri, Resolved};
use mlflow_client::{Client, FileStore};
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::nearest;
use crate::settings::Settings;

/// Where MLflow keeps things when nobody names a place.
pub(crate) const EMBEDDED: &str = "sqlite:///mlflow.db";

/// The file of the embedded store.
pub(crate) const DATABASE: &str = "mlflow.db";

/// A connection, and the runtime that drives it.
#[derive(Debug)]
pub(crate) struct Mlflow {
    pub(crate) client: Client,
    runtime: Runtime,
    tracking: String,
    registry: String,
    address: String,
}

impl Mlflow {
    /// Opens what the settings name, to look at what is there. A server is not asked anything yet; the embedded store must
    /// exist, because a new one would answer every question with nothing.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let unnamed = settings.mlflow()?.tracking_uri.is_none();
        // Of a store of files, which is not served, there is more to say than that there is no database.
        if unnamed && !Path::new(DATABASE).exists() && !FileStore::is_one(Path::new("mlruns")) {
            return Err(Error::NoStore { file: DATABASE }.into());
        }
        Self::open_or_create(settings)
    }

    /// Opens what the settings name, to write to it. The embedded store is created if it is missing.
    pub(crate) fn open_or_create(settings: &Settings) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let mlflow = settings.mlflow()?;
        let client = runtime.block_on(async { Client::connect(&mlflow) }).context("cannot open MLflow")?;
        let shown = |uri: Option<&StoreUri>| uri.map_or_else(|| EMBEDDED.to_owned(), ToString::to_string);
        let tracking = shown(mlflow.tracking_uri.as_ref());
        let registry = shown(mlflow.effective_registry_uri());
        let address = mlflow.store_address();
        Ok(Self { client, runtime, tracking, registry, address })
    }

    /// Waits for an answer.
    pub(crate) fn wait<Answer: Future>(&self, answer: Answer) -> Answer::Output {
        self.runtime.block_on(answer)
    }

    /// What a URI means today.
    pub(crate) fn resolve(&self, uri: &str) -> anyhow::Result<Resolved> {
        let parsed: ArtifactUri = uri.parse()?;
        self.wait(self.client.resolve(&parsed)).map_err(|error| {
            let is_not_found = error.is_not_found();
            self.failed(format!("cannot find {uri}"), error, is_not_found.then_some(&parsed))
        })
    }

    /// A failure with what failed, and with advice if something is missing and others are alike.
    pub(crate) fn failed(
        &self,
        failed: String,
        error: impl std::error::Error + Send + Sync + 'static,
        missing: Option<&ArtifactUri>,
    ) -> anyhow::Error {
        match missing.and_then(|uri| self.wait(nearest::advice(&self.client, uri))) {
            Some(advice) => Error::NotFound { failed, advice, source: Box::new(error) }.into(),
            None => anyhow::Error::new(error).context(failed),
        }
    }

    /// The tracking store, without secrets.
    pub(crate) fn tracking_shown(&self) -> &str {
        &self.tracking
    }

    /// What a spool knows the tracking store by.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The model registry, without secrets.
    pub(crate) fn registry_shown(&self) -> &str {
        &self.registry
    }
}

/// Whether only a store knows what a URI means or leads to it.
pub(crate) fn needs_store(uri: &ArtifactUri) -> bool {
    let leads_itself = matches!(
        uri,
        ArtifactUri::Local(_) | ArtifactUri::S3(_) | ArtifactUri::Gcs(_) | ArtifactUri::Azure(_)
    );
    !leads_itself
}

/// The way to files of which [no store](needs_store) needs to be asked, and the runtime that drives it.
pub(crate) fn files(settings: &Settings) -> anyhow::Result<(Artifacts, Runtime)> {
    Ok((Client::artifacts_alone(&settings.mlflow()?), runtime()?))
}

/// What drives requests from synchronous code.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the threads that speak to MLflow")
}
