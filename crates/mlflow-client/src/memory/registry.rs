//! The registry store's trait over the state.

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

use super::MemoryStore;
use crate::{RegistryStore, Result};

/// Writes the trait's methods: each asks the state, and adds the call's route to a refusal.
macro_rules! answered {
    ($($method:ident($call:ty) -> $answer:ty;)*) => {
        #[async_trait]
        impl RegistryStore for MemoryStore {
            $(
                async fn $method(&self, call: &$call) -> Result<$answer> {
                    self.state().$method(call).map_err(|refusal| refusal.of(call))
                }
            )*
        }
    };
}

answered! {
    create_registered_model(CreateRegisteredModel) -> RegisteredModel;
    get_registered_model(GetRegisteredModel) -> RegisteredModel;
    rename_registered_model(RenameRegisteredModel) -> RegisteredModel;
    update_registered_model(UpdateRegisteredModel) -> RegisteredModel;
    delete_registered_model(DeleteRegisteredModel) -> ();
    search_registered_models(SearchRegisteredModels) -> SearchRegisteredModelsResponse;
    get_latest_versions(GetLatestVersions) -> Vec<ModelVersion>;
    set_registered_model_tag(SetRegisteredModelTag) -> ();
    delete_registered_model_tag(DeleteRegisteredModelTag) -> ();
    set_registered_model_alias(SetRegisteredModelAlias) -> ();
    delete_registered_model_alias(DeleteRegisteredModelAlias) -> ();
    get_model_version_by_alias(GetModelVersionByAlias) -> ModelVersion;
    create_model_version(CreateModelVersion) -> ModelVersion;
    get_model_version(GetModelVersion) -> ModelVersion;
    update_model_version(UpdateModelVersion) -> ModelVersion;
    delete_model_version(DeleteModelVersion) -> ();
    search_model_versions(SearchModelVersions) -> SearchModelVersionsResponse;
    get_model_version_download_uri(GetModelVersionDownloadUri) -> String;
    transition_model_version_stage(TransitionModelVersionStage) -> ModelVersion;
    set_model_version_tag(SetModelVersionTag) -> ();
    delete_model_version_tag(DeleteModelVersionTag) -> ();
}
