//! What a program calls: one handle per resource, over whatever stores stand behind.

mod connect;
mod experiment_permissions;
mod experiments;
mod logged_models;
mod model_versions;
mod pages;
mod permissions;
mod registered_model_permissions;
mod registered_models;
mod runs;
mod users;
mod webhooks;

use std::sync::Arc;

pub use experiment_permissions::ExperimentPermissions;
pub use experiments::Experiments;
pub use logged_models::LoggedModels;
pub use model_versions::ModelVersions;
pub use permissions::Permissions;
pub use registered_model_permissions::RegisteredModelPermissions;
pub use registered_models::RegisteredModels;
pub use runs::Runs;
pub use users::Users;
pub use webhooks::Webhooks;

use mlflow_types::model_versions::ModelVersion;
use mlflow_types::{Endpoint, ErrorCode};

use crate::artifacts::{ArtifactPath, Artifacts};
use crate::uri::{ArtifactUri, Resolved, Workspaces, find_version, resolve_here, resolve_version};
use crate::{AccountStore, Error, RegistryStore, Result, TrackingStore};

/// A tracking store, a model registry, and the artifacts that both name; often one and the same server.
///
/// ```
/// use mlflow_client::types::experiments::CreateExperiment;
///
/// # async fn example(client: mlflow_client::Client) -> mlflow_client::Result<()> {
/// let experiment = client.experiments().get_or_create("encoders").await?;
/// let champion = client.model_versions().by_alias(&"encoder".parse()?, &"champion".parse()?).await?;
/// println!("{}: version {}", experiment.name, champion.version);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    tracking: Arc<dyn TrackingStore>,
    registry: Arc<dyn RegistryStore>,
    artifacts: Artifacts,
    workspaces: Workspaces,
}

impl Client {
    /// A client of two stores; [`connect`](Self::connect) opens them from settings.
    pub fn new(
        tracking: Arc<dyn TrackingStore>,
        registry: Arc<dyn RegistryStore>,
        artifacts: Artifacts,
    ) -> Self {
        Self { tracking, registry, artifacts, workspaces: Workspaces::default() }
    }

    /// A client of a store that is both.
    pub fn of<Store: TrackingStore + RegistryStore + 'static>(store: Store, artifacts: Artifacts) -> Self {
        let store = Arc::new(store);
        Self::new(store.clone(), store, artifacts)
    }

    /// What a URI means today: `models:` and `runs:` URIs are looked up, others mean themselves.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is no such model; as
    /// [`check_workspace`](Self::check_workspace); whatever the stores answer.
    pub async fn resolve(&self, uri: &ArtifactUri) -> Result<Resolved> {
        self.check_workspace(uri)?;
        resolve_here(uri, &*self.tracking, &*self.registry).await
    }

    /// The first half of [`resolve`](Self::resolve), for who keeps the answer to the second: the version that a URI of a
    /// registered model means today; none for other URIs.
    ///
    /// # Errors
    /// As of [`resolve`](Self::resolve).
    pub async fn find_version(&self, uri: &ArtifactUri) -> Result<Option<ModelVersion>> {
        self.check_workspace(uri)?;
        match uri {
            ArtifactUri::Model(uri) => find_version(&uri.model, &*self.registry).await,
            _ => Ok(None),
        }
    }

    /// The second half of [`resolve`](Self::resolve): where the files of a version are, and the path that was asked for
    /// inside.
    ///
    /// # Errors
    /// As of [`resolve`](Self::resolve).
    pub async fn resolve_version(
        &self,
        version: ModelVersion,
        path: Option<ArtifactPath>,
    ) -> Result<Resolved> {
        resolve_version(version, path, &*self.tracking, &*self.registry).await
    }

    /// Whether this client can be asked what a URI means. One that names a workspace of Databricks,
    /// `models://PROFILE@databricks/…`, is that workspace's business alone: the same name is another model elsewhere.
    ///
    /// # Errors
    /// [`Error::Uri`] if the store that knows such URIs is not that workspace.
    pub fn check_workspace(&self, uri: &ArtifactUri) -> Result<()> {
        self.workspaces.check(uri)
    }

    /// The artifacts.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// The tracking store itself.
    pub fn tracking(&self) -> &Arc<dyn TrackingStore> {
        &self.tracking
    }

    /// The model registry itself.
    pub fn registry(&self) -> &Arc<dyn RegistryStore> {
        &self.registry
    }

    /// Experiments.
    pub fn experiments(&self) -> Experiments<'_> {
        Experiments { store: &*self.tracking }
    }

    /// Runs.
    pub fn runs(&self) -> Runs<'_> {
        Runs { store: &*self.tracking }
    }

    /// Logged models.
    pub fn logged_models(&self) -> LoggedModels<'_> {
        LoggedModels { store: &*self.tracking }
    }

    /// Registered models.
    pub fn registered_models(&self) -> RegisteredModels<'_> {
        RegisteredModels { store: &*self.registry }
    }

    /// Model versions.
    pub fn model_versions(&self) -> ModelVersions<'_> {
        ModelVersions { store: &*self.registry }
    }

    /// Webhooks, if the registry is a server.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { store: self.registry.webhooks() }
    }

    /// Users, if the tracking store is a server that has any.
    pub fn users(&self) -> Users<'_> {
        Users { store: self.tracking.accounts() }
    }

    /// What users may do, on servers with one table of all permissions, as in MLflow 3.17.
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions { store: self.tracking.accounts() }
    }

    /// What users may do with experiments, on older servers.
    pub fn experiment_permissions(&self) -> ExperimentPermissions<'_> {
        ExperimentPermissions { store: self.tracking.accounts() }
    }

    /// What users may do with registered models, on older servers.
    pub fn registered_model_permissions(&self) -> RegisteredModelPermissions<'_> {
        RegisteredModelPermissions { store: self.tracking.accounts() }
    }
}

/// The users of a store, which may have none.
fn accounts<'a, E: Endpoint>(store: Option<&'a dyn AccountStore>, _: &E) -> Result<&'a dyn AccountStore> {
    store.ok_or_else(|| unsupported::<E>("users"))
}

/// The refusal of a store that is no server.
fn unsupported<E: Endpoint>(what: &str) -> Error {
    let message = format!("This store has no {what}; a server may have some.");
    Error::api(E::PATH, 501, ErrorCode::NotImplemented, message)
}
