//! The registry store's calls, over REST.

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

use super::RestStore;
use crate::{RegistryStore, Result, WebhookStore};

#[async_trait]
impl RegistryStore for RestStore {
    fn webhooks(&self) -> Option<&dyn WebhookStore> {
        Some(self)
    }

    async fn create_registered_model(&self, call: &CreateRegisteredModel) -> Result<RegisteredModel> {
        self.create_registered_model_once(call).await
    }

    async fn get_registered_model(&self, call: &GetRegisteredModel) -> Result<RegisteredModel> {
        Ok(self.call(call).await?.registered_model)
    }

    async fn rename_registered_model(&self, call: &RenameRegisteredModel) -> Result<RegisteredModel> {
        self.rename_registered_model_once(call).await
    }

    async fn update_registered_model(&self, call: &UpdateRegisteredModel) -> Result<RegisteredModel> {
        Ok(self.call(call).await?.registered_model)
    }

    async fn delete_registered_model(&self, call: &DeleteRegisteredModel) -> Result<()> {
        self.until_done(call).await
    }

    async fn search_registered_models(
        &self,
        call: &SearchRegisteredModels,
    ) -> Result<SearchRegisteredModelsResponse> {
        self.call(call).await
    }

    async fn get_latest_versions(&self, call: &GetLatestVersions) -> Result<Vec<ModelVersion>> {
        Ok(self.call(call).await?.model_versions)
    }

    async fn set_registered_model_tag(&self, call: &SetRegisteredModelTag) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_registered_model_tag(&self, call: &DeleteRegisteredModelTag) -> Result<()> {
        self.until_done(call).await
    }

    async fn set_registered_model_alias(&self, call: &SetRegisteredModelAlias) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_registered_model_alias(&self, call: &DeleteRegisteredModelAlias) -> Result<()> {
        self.until_done(call).await
    }

    async fn get_model_version_by_alias(&self, call: &GetModelVersionByAlias) -> Result<ModelVersion> {
        Ok(self.call(call).await?.model_version)
    }

    async fn create_model_version(&self, call: &CreateModelVersion) -> Result<ModelVersion> {
        self.create_model_version_once(call).await
    }

    async fn get_model_version(&self, call: &GetModelVersion) -> Result<ModelVersion> {
        Ok(self.call(call).await?.model_version)
    }

    async fn update_model_version(&self, call: &UpdateModelVersion) -> Result<ModelVersion> {
        Ok(self.call(call).await?.model_version)
    }

    async fn delete_model_version(&self, call: &DeleteModelVersion) -> Result<()> {
        self.until_done(call).await
    }

    async fn search_model_versions(&self, call: &SearchModelVersions) -> Result<SearchModelVersionsResponse> {
        self.call(call).await
    }

    async fn get_model_version_download_uri(&self, call: &GetModelVersionDownloadUri) -> Result<String> {
        Ok(self.call(call).await?.artifact_uri)
    }

    async fn transition_model_version_stage(
        &self,
        call: &TransitionModelVersionStage,
    ) -> Result<ModelVersion> {
        Ok(self.call(call).await?.model_version)
    }

    async fn set_model_version_tag(&self, call: &SetModelVersionTag) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_model_version_tag(&self, call: &DeleteModelVersionTag) -> Result<()> {
        self.until_done(call).await
    }
}
