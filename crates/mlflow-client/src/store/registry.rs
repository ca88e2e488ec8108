//! MLflow's model registry: registered models, versions and aliases.

use std::fmt;

use async_trait::async_trait;
use mlflow_types::model_versions::{
    CreateModelVersion, DeleteModelVersion, DeleteModelVersionTag, GetModelVersion,
    GetModelVersionDownloadUri, ModelVersion, SearchModelVersions, SearchModelVersionsResponse,
    SetModelVersionTag, TransitionModelVersionStage, UpdateModelVersion,
};
use mlflow_types::registered_models::{
    CreateRegisteredModel, DeleteRegisteredModel, DeleteRegisteredModelAlias, DeleteRegisteredModelTag,
    GetLatestVersions, GetModelVersionByAlias, GetRegisteredModel, RegisteredModel, RenameRegisteredModel,
    SearchRegisteredModels, SearchRegisteredModelsResponse, SetRegisteredModelAlias, SetRegisteredModelTag,
    UpdateRegisteredModel,
};

use crate::{Result, WebhookStore};

/// Registered models, their versions and aliases: MLflow's model registry store.
///
/// Each method takes the call as the protocol has it and answers what the protocol's answer holds. A method refuses with
/// [`Error::Api`](crate::Error::Api) in the words and with the status that MLflow's server has for it, whatever stands
/// behind the trait.
#[async_trait]
pub trait RegistryStore: fmt::Debug + Send + Sync {
    /// Its webhooks; nothing if it calls nobody, as only servers do.
    fn webhooks(&self) -> Option<&dyn WebhookStore> {
        None
    }

    /// Creates a registered model.
    async fn create_registered_model(&self, call: &CreateRegisteredModel) -> Result<RegisteredModel>;
    /// A registered model.
    async fn get_registered_model(&self, call: &GetRegisteredModel) -> Result<RegisteredModel>;
    /// Renames a registered model.
    async fn rename_registered_model(&self, call: &RenameRegisteredModel) -> Result<RegisteredModel>;
    /// Describes a registered model.
    async fn update_registered_model(&self, call: &UpdateRegisteredModel) -> Result<RegisteredModel>;
    /// Deletes a registered model and its versions.
    async fn delete_registered_model(&self, call: &DeleteRegisteredModel) -> Result<()>;
    /// Registered models, a page.
    async fn search_registered_models(
        &self,
        call: &SearchRegisteredModels,
    ) -> Result<SearchRegisteredModelsResponse>;
    /// The newest version of each stage.
    async fn get_latest_versions(&self, call: &GetLatestVersions) -> Result<Vec<ModelVersion>>;
    /// Sets a tag of a registered model.
    async fn set_registered_model_tag(&self, call: &SetRegisteredModelTag) -> Result<()>;
    /// Removes a tag of a registered model.
    async fn delete_registered_model_tag(&self, call: &DeleteRegisteredModelTag) -> Result<()>;
    /// Points an alias at a version.
    async fn set_registered_model_alias(&self, call: &SetRegisteredModelAlias) -> Result<()>;
    /// Removes an alias.
    async fn delete_registered_model_alias(&self, call: &DeleteRegisteredModelAlias) -> Result<()>;
    /// The version that an alias points at.
    async fn get_model_version_by_alias(&self, call: &GetModelVersionByAlias) -> Result<ModelVersion>;
    /// Makes a version.
    async fn create_model_version(&self, call: &CreateModelVersion) -> Result<ModelVersion>;
    /// A version.
    async fn get_model_version(&self, call: &GetModelVersion) -> Result<ModelVersion>;
    /// Describes a version.
    async fn update_model_version(&self, call: &UpdateModelVersion) -> Result<ModelVersion>;
    /// Deletes a version.
    async fn delete_model_version(&self, call: &DeleteModelVersion) -> Result<()>;
    /// Versions, a page.
    async fn search_model_versions(&self, call: &SearchModelVersions) -> Result<SearchModelVersionsResponse>;
    /// The URI of a version's files.
    async fn get_model_version_download_uri(&self, call: &GetModelVersionDownloadUri) -> Result<String>;
    /// Moves a version to another stage.
    async fn transition_model_version_stage(
        &self,
        call: &TransitionModelVersionStage,
    ) -> Result<ModelVersion>;
    /// Sets a tag of a version.
    async fn set_model_version_tag(&self, call: &SetModelVersionTag) -> Result<()>;
    /// Removes a tag of a version.
    async fn delete_model_version_tag(&self, call: &DeleteModelVersionTag) -> Result<()>;
}
