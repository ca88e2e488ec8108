//! Model versions, as a program uses them.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::model_versions::{
    CreateModelVersion, DeleteModelVersion, GetModelVersion, GetModelVersionDownloadUri, ModelVersion,
    SearchModelVersions, SetModelVersionTag, UpdateModelVersion,
};
use mlflow_types::registered_models::GetModelVersionByAlias;
use mlflow_types::{ModelAlias, ModelVersionNumber, RegisteredModelName};

use super::pages;
use crate::{RegistryStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of model versions.
#[derive(Clone, Copy, Debug)]
pub struct ModelVersions<'a> {
    pub(super) store: &'a dyn RegistryStore,
}

impl<'a> ModelVersions<'a> {
    /// A version by its number.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, name: &RegisteredModelName, version: ModelVersionNumber) -> Result<ModelVersion> {
        self.store.get_model_version(&GetModelVersion { name: name.clone(), version }).await
    }

    /// The version that an alias points at.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is no such model or alias.
    pub async fn by_alias(self, name: &RegisteredModelName, alias: &ModelAlias) -> Result<ModelVersion> {
        let call = GetModelVersionByAlias { name: name.clone(), alias: alias.clone() };
        self.store.get_model_version_by_alias(&call).await
    }

    /// Makes a version.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn create(self, call: &CreateModelVersion) -> Result<ModelVersion> {
        self.store.create_model_version(call).await
    }

    /// Versions that fit a search, one after the other; pages are asked for as they are needed.
    pub fn search(self, call: SearchModelVersions) -> BoxStream<'a, Result<ModelVersion>> {
        let store = self.store;
        pages::items("model-versions/search", move |token| {
            let call =
                SearchModelVersions { page_token: token.or_else(|| call.page_token.clone()), ..call.clone() };
            async move {
                let page = store.search_model_versions(&call).await?;
                Ok((page.model_versions, page.next_page_token))
            }
            .boxed()
        })
    }

    /// The URI of a version's files.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn download_uri(
        self,
        name: &RegisteredModelName,
        version: ModelVersionNumber,
    ) -> Result<String> {
        let call = GetModelVersionDownloadUri { name: name.clone(), version };
        self.store.get_model_version_download_uri(&call).await
    }

    /// Describes a version.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn describe(
        self,
        name: &RegisteredModelName,
        version: ModelVersionNumber,
        description: &str,
    ) -> Result<ModelVersion> {
        let call = UpdateModelVersion { name: name.clone(), version, description: description.to_owned() };
        self.store.update_model_version(&call).await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_tag(
        self,
        name: &RegisteredModelName,
        version: ModelVersionNumber,
        key: &str,
        value: &str,
    ) -> Result<()> {
        let call =
            SetModelVersionTag { name: name.clone(), version, key: key.to_owned(), value: value.to_owned() };
        self.store.set_model_version_tag(&call).await
    }

    /// Deletes a version, for good.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete(self, name: &RegisteredModelName, version: ModelVersionNumber) -> Result<()> {
        self.store.delete_model_version(&DeleteModelVersion { name: name.clone(), version }).await
    }
}
