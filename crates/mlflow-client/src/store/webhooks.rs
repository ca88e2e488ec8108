//! Webhooks: what a server has, and a store alone has not.

use std::fmt;

use async_trait::async_trait;
use mlflow_types::webhooks::{
    CreateWebhook, DeleteWebhook, GetWebhook, ListWebhooks, ListWebhooksResponse, TestWebhook, UpdateWebhook,
    Webhook, WebhookTestResult,
};

use crate::Result;

/// The webhooks of a model registry that calls any.
///
/// Each method takes the call as the protocol has it and answers what the protocol's answer holds, as in
/// [`RegistryStore`](crate::RegistryStore).
#[async_trait]
pub trait WebhookStore: fmt::Debug + Send + Sync {
    /// Creates a webhook.
    async fn create_webhook(&self, call: &CreateWebhook) -> Result<Webhook>;
    /// A webhook.
    async fn get_webhook(&self, call: &GetWebhook) -> Result<Webhook>;
    /// Webhooks, a page.
    async fn list_webhooks(&self, call: &ListWebhooks) -> Result<ListWebhooksResponse>;
    /// Changes a webhook.
    async fn update_webhook(&self, call: &UpdateWebhook) -> Result<Webhook>;
    /// Deletes a webhook.
    async fn delete_webhook(&self, call: &DeleteWebhook) -> Result<()>;
    /// Has a webhook called.
    async fn test_webhook(&self, call: &TestWebhook) -> Result<WebhookTestResult>;
}
