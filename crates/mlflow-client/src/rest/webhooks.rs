//! Webhooks over REST.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mlflow_types::webhooks::{
    CreateWebhook, DeleteWebhook, GetWebhook, ListWebhooks, ListWebhooksResponse, TestWebhook, UpdateWebhook,
    Webhook, WebhookEvent, WebhookTestResult,
};

use super::RestStore;
use super::careful::{Careful, Sent};
use super::named::{CLOCK_ERROR, same_text};
use crate::{Result, WebhookStore};

/// Webhooks that are looked through for a new one, from the newest on.
const NEWEST: u32 = 100;

#[async_trait]
impl WebhookStore for RestStore {
    async fn create_webhook(&self, call: &CreateWebhook) -> Result<Webhook> {
        self.create_webhook_once(call).await
    }

    async fn get_webhook(&self, call: &GetWebhook) -> Result<Webhook> {
        Ok(self.call(call).await?.webhook)
    }

    async fn list_webhooks(&self, call: &ListWebhooks) -> Result<ListWebhooksResponse> {
        self.call(call).await
    }

    async fn update_webhook(&self, call: &UpdateWebhook) -> Result<Webhook> {
        Ok(self.call(call).await?.webhook)
    }

    async fn delete_webhook(&self, call: &DeleteWebhook) -> Result<()> {
        self.until_done(call).await
    }

    /// No look shows whether the address was called.
    async fn test_webhook(&self, call: &TestWebhook) -> Result<WebhookTestResult> {
        Ok(self.call(call).await?.result)
    }
}

impl RestStore {
    /// A webhook's name is not unique: one that is as we wanted it, and no older than our call, is ours.
    async fn create_webhook_once(&self, call: &CreateWebhook) -> Result<Webhook> {
        let begin = self.session().clock().elapsed();
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.webhook),
                Sent::Unknown => {
                    let newest = ListWebhooks { max_results: Some(NEWEST), page_token: None };
                    let found = self.call(&newest).await.map(|page| {
                        let spent = self.session().clock().elapsed().saturating_sub(begin);
                        let spent = i64::try_from(spent.as_millis()).unwrap_or(i64::MAX);
                        let since = self.session().server_time().saturating_sub(spent) - CLOCK_ERROR;
                        let mut webhooks = page.webhooks.into_iter();
                        webhooks
                            .find(|there| there.creation_timestamp >= Some(since) && is_wanted(there, call))
                    });
                    if let Some(webhook) = careful.seen(found)? {
                        return Ok(webhook);
                    }
                }
            }
        }
    }
}

/// Whether a webhook is as a call wants it, as far as a server tells.
fn is_wanted(there: &Webhook, call: &CreateWebhook) -> bool {
    let events = |events: &[WebhookEvent]| events.iter().copied().collect::<BTreeSet<_>>();
    (&there.name, &there.url, there.status) == (&call.name, &call.url, call.status)
        && same_text(there.description.as_deref(), call.description.as_deref())
        && events(&there.events) == events(&call.events)
}
