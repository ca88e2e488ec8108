//! The model registry: each call is one transaction.

use async_trait::async_trait;
use mlflow_types::Endpoint;
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

use super::{EmbeddedStore, model_versions, registered_models, search};
use crate::{RegistryStore, Result};

#[async_trait]
impl RegistryStore for EmbeddedStore {
    async fn create_registered_model(&self, call: &CreateRegisteredModel) -> Result<RegisteredModel> {
        let call = call.clone();
        self.database
            .write(CreateRegisteredModel::PATH, move |transaction| {
                registered_models::create(transaction, &call)
            })
            .await
    }

    async fn get_registered_model(&self, call: &GetRegisteredModel) -> Result<RegisteredModel> {
        let call = call.clone();
        self.database
            .read(GetRegisteredModel::PATH, move |transaction| {
                registered_models::get(transaction, call.name.as_str())
            })
            .await
    }

    async fn rename_registered_model(&self, call: &RenameRegisteredModel) -> Result<RegisteredModel> {
        let call = call.clone();
        self.database
            .write(RenameRegisteredModel::PATH, move |transaction| {
                registered_models::rename(transaction, &call)
            })
            .await
    }

    async fn update_registered_model(&self, call: &UpdateRegisteredModel) -> Result<RegisteredModel> {
        let call = call.clone();
        self.database
            .write(UpdateRegisteredModel::PATH, move |transaction| {
                registered_models::update(transaction, &call)
            })
            .await
    }

    async fn delete_registered_model(&self, call: &DeleteRegisteredModel) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteRegisteredModel::PATH, move |transaction| {
                registered_models::delete(transaction, call.name.as_str())
            })
            .await
    }

    async fn search_registered_models(
        &self,
        call: &SearchRegisteredModels,
    ) -> Result<SearchRegisteredModelsResponse> {
        let call = call.clone();
        self.database
            .read(SearchRegisteredModels::PATH, move |transaction| {
                search::registered_models(transaction, &call)
            })
            .await
    }

    async fn get_latest_versions(&self, call: &GetLatestVersions) -> Result<Vec<ModelVersion>> {
        let call = call.clone();
        self.database
            .read(GetLatestVersions::PATH, move |transaction| {
                registered_models::latest_versions(transaction, &call)
            })
            .await
    }

    async fn set_registered_model_tag(&self, call: &SetRegisteredModelTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(SetRegisteredModelTag::PATH, move |transaction| {
                registered_models::set_tag(transaction, &call)
            })
            .await
    }

    async fn delete_registered_model_tag(&self, call: &DeleteRegisteredModelTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteRegisteredModelTag::PATH, move |transaction| {
                registered_models::delete_tag(transaction, &call)
            })
            .await
    }

    async fn set_registered_model_alias(&self, call: &SetRegisteredModelAlias) -> Result<()> {
        let call = call.clone();
        self.database
            .write(SetRegisteredModelAlias::PATH, move |transaction| {
                registered_models::set_alias(transaction, &call)
            })
            .await
    }

    async fn delete_registered_model_alias(&self, call: &DeleteRegisteredModelAlias) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteRegisteredModelAlias::PATH, move |transaction| {
                registered_models::delete_alias(transaction, &call)
            })
            .await
    }

    async fn get_model_version_by_alias(&self, call: &GetModelVersionByAlias) -> Result<ModelVersion> {
        let call = call.clone();
        self.database
            .read(GetModelVersionByAlias::PATH, move |transaction| {
                registered_models::version_by_alias(transaction, &call)
            })
            .await
    }

    async fn create_model_version(&self, call: &CreateModelVersion) -> Result<ModelVersion> {
        let call = call.clone();
        self.database
            .write(CreateModelVersion::PATH, move |transaction| model_versions::create(transaction, &call))
            .await
    }

    async fn get_model_version(&self, call: &GetModelVersion) -> Result<ModelVersion> {
        let call = call.clone();
        self.database
            .read(GetModelVersion::PATH, move |transaction| {
                model_versions::get(transaction, call.name.as_str(), call.version)
            })
            .await
    }

    async fn update_model_version(&self, call: &UpdateModelVersion) -> Result<ModelVersion> {
        let call = call.clone();
        self.database
            .write(UpdateModelVersion::PATH, move |transaction| model_versions::update(transaction, &call))
            .await
    }

    async fn delete_model_version(&self, call: &DeleteModelVersion) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteModelVersion::PATH, move |transaction| model_versions::delete(transaction, &call))
            .await
    }

    async fn search_model_versions(&self, call: &SearchModelVersions) -> Result<SearchModelVersionsResponse> {
        let call = call.clone();
        self.database
            .read(SearchModelVersions::PATH, move |transaction| search::model_versions(transaction, &call))
            .await
    }

    async fn get_model_version_download_uri(&self, call: &GetModelVersionDownloadUri) -> Result<String> {
        let call = call.clone();
        self.database
            .read(GetModelVersionDownloadUri::PATH, move |transaction| {
                model_versions::download_uri(transaction, call.name.as_str(), call.version)
            })
            .await
    }

    async fn transition_model_version_stage(
        &self,
        call: &TransitionModelVersionStage,
    ) -> Result<ModelVersion> {
        let call = call.clone();
        self.database
            .write(TransitionModelVersionStage::PATH, move |transaction| {
                model_versions::transition(transaction, &call)
            })
            .await
    }

    async fn set_model_version_tag(&self, call: &SetModelVersionTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(SetModelVersionTag::PATH, move |transaction| model_versions::set_tag(transaction, &call))
            .await
    }

    async fn delete_model_version_tag(&self, call: &DeleteModelVersionTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteModelVersionTag::PATH, move |transaction| {
                model_versions::delete_tag(transaction, &call)
            })
            .await
    }
}
