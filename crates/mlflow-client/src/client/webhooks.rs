//! Webhooks, as a program uses them.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::webhooks::{
    CreateWebhook, DeleteWebhook, GetWebhook, ListWebhooks, TestWebhook, UpdateWebhook, Webhook,
    WebhookEvent, WebhookTestResult,
};
use mlflow_types::{Endpoint, WebhookId};

use super::{pages, unsupported};
use crate::{Result, WebhookStore};

/// A view of a [`Client`](super::Client) that only speaks of webhooks.
///
/// Only servers have them: over another registry each call is a refusal that
/// [`is_unsupported`](crate::Error::is_unsupported).
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a> {
    pub(super) store: Option<&'a dyn WebhookStore>,
}

impl<'a> Webhooks<'a> {
    fn store<E: Endpoint>(self, _: &E) -> Result<&'a dyn WebhookStore> {
        self.store.ok_or_else(|| unsupported::<E>("webhooks"))
    }

    /// Creates a webhook.
    ///
    /// # Errors
    /// [`Error::InvalidCall`](crate::Error::InvalidCall) without an event; whatever the server answers, such as that it
    /// does not call this kind of address.
    pub async fn create(self, call: &CreateWebhook) -> Result<Webhook> {
        self.store(call)?.create_webhook(call).await
    }

    /// The webhook with an identifier.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, id: &WebhookId) -> Result<Webhook> {
        let call = GetWebhook { webhook_id: id.clone() };
        self.store(&call)?.get_webhook(&call).await
    }

    /// All webhooks, one after the other, the newest first; pages are asked for as they are needed.
    pub fn list(self, call: ListWebhooks) -> BoxStream<'a, Result<Webhook>> {
        pages::items(ListWebhooks::PATH, move |token| {
            let call = ListWebhooks { page_token: token.or_else(|| call.page_token.clone()), ..call };
            async move {
                let page = self.store(&call)?.list_webhooks(&call).await?;
                Ok((page.webhooks, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`create`](Self::create).
    pub async fn update(self, call: &UpdateWebhook) -> Result<Webhook> {
        self.store(call)?.update_webhook(call).await
    }

    /// Deletes a webhook, for good.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(self, id: &WebhookId) -> Result<()> {
        let call = DeleteWebhook { webhook_id: id.clone() };
        self.store(&call)?.delete_webhook(&call).await
    }

    /// Has the server call a webhook now, with an example of an event, or of its first one. That the call failed is an
    /// answer.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn test(self, id: &WebhookId, event: Option<WebhookEvent>) -> Result<WebhookTestResult> {
        let call = TestWebhook { webhook_id: id.clone(), event };
        self.store(&call)?.test_webhook(&call).await
    }
}
