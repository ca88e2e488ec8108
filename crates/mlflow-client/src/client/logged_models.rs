//! Logged models, as a program uses them.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::ModelId;
use mlflow_types::logged_models::{
    DeleteLoggedModel, GetLoggedModel, LoggedModel, SearchLoggedModels, SetLoggedModelTags,
};
use mlflow_types::tags::Tag;

use super::pages;
use crate::{Result, TrackingStore};

/// A view of a [`Client`](super::Client) that only speaks of logged models.
#[derive(Clone, Copy, Debug)]
pub struct LoggedModels<'a> {
    pub(super) store: &'a dyn TrackingStore,
}

impl<'a> LoggedModels<'a> {
    /// The logged model with an identifier.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, id: &ModelId) -> Result<LoggedModel> {
        self.store.get_logged_model(&GetLoggedModel { model_id: id.clone() }).await
    }

    /// Logged models that fit a search, one after the other; pages are asked for as they are needed.
    pub fn search(self, call: SearchLoggedModels) -> BoxStream<'a, Result<LoggedModel>> {
        let store = self.store;
        pages::items("logged-models/search", move |token| {
            let call =
                SearchLoggedModels { page_token: token.or_else(|| call.page_token.clone()), ..call.clone() };
            async move {
                let page = store.search_logged_models(&call).await?;
                Ok((page.models, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Sets tags.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_tags(self, id: &ModelId, tags: Vec<Tag>) -> Result<()> {
        self.store.set_logged_model_tags(&SetLoggedModelTags { model_id: id.clone(), tags }).await
    }

    /// Deletes a logged model.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete(self, id: &ModelId) -> Result<()> {
        self.store.delete_logged_model(&DeleteLoggedModel { model_id: id.clone() }).await
    }
}
