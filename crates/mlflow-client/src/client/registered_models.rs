//! Registered models, as a program uses them.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::registered_models::{
    CreateRegisteredModel, DeleteRegisteredModel, DeleteRegisteredModelAlias, GetRegisteredModel,
    RegisteredModel, RenameRegisteredModel, SearchRegisteredModels, SetRegisteredModelAlias,
    SetRegisteredModelTag,
};
use mlflow_types::{ModelAlias, ModelVersionNumber, RegisteredModelName};

use super::pages;
use crate::{RegistryStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of registered models.
#[derive(Clone, Copy, Debug)]
pub struct RegisteredModels<'a> {
    pub(super) store: &'a dyn RegistryStore,
}

impl<'a> RegisteredModels<'a> {
    /// The registered model with a name.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, name: &RegisteredModelName) -> Result<RegisteredModel> {
        self.store.get_registered_model(&GetRegisteredModel { name: name.clone() }).await
    }

    /// The registered model with a name, which is created if there is none.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn get_or_create(self, name: &RegisteredModelName) -> Result<RegisteredModel> {
        let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
        match self.store.create_registered_model(&call).await {
            Err(error) if error.is_already_exists() => self.get(name).await,
            answer => answer,
        }
    }

    /// Registered models that fit a search, one after the other; pages are asked for as they are needed.
    pub fn search(self, call: SearchRegisteredModels) -> BoxStream<'a, Result<RegisteredModel>> {
        let store = self.store;
        pages::items("registered-models/search", move |token| {
            let call = SearchRegisteredModels {
                page_token: token.or_else(|| call.page_token.clone()),
                ..call.clone()
            };
            async move {
                let page = store.search_registered_models(&call).await?;
                Ok((page.registered_models, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Points an alias at a version, wherever it pointed before.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_alias(
        self,
        name: &RegisteredModelName,
        alias: &ModelAlias,
        version: ModelVersionNumber,
    ) -> Result<()> {
        let call = SetRegisteredModelAlias { name: name.clone(), alias: alias.clone(), version };
        self.store.set_registered_model_alias(&call).await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete_alias(self, name: &RegisteredModelName, alias: &ModelAlias) -> Result<()> {
        let call = DeleteRegisteredModelAlias { name: name.clone(), alias: alias.clone() };
        self.store.delete_registered_model_alias(&call).await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_tag(self, name: &RegisteredModelName, key: &str, value: &str) -> Result<()> {
        let call = SetRegisteredModelTag { name: name.clone(), key: key.to_owned(), value: value.to_owned() };
        self.store.set_registered_model_tag(&call).await
    }

    /// Gives a registered model another name; its versions and aliases go with it.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn rename(
        self,
        name: &RegisteredModelName,
        new_name: &RegisteredModelName,
    ) -> Result<RegisteredModel> {
        let call = RenameRegisteredModel { name: name.clone(), new_name: new_name.clone() };
        self.store.rename_registered_model(&call).await
    }

    /// Deletes a registered model with its versions, for good.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete(self, name: &RegisteredModelName) -> Result<()> {
        self.store.delete_registered_model(&DeleteRegisteredModel { name: name.clone() }).await
    }
}
