//! Webhooks: addresses that a server tells what happened in its registry.
//!
//! Servers have them since MLflow 3.3. A server calls the address with what happened, and with a signature if the webhook
//! has a secret. The secret goes to the server and never comes back.

mod event;

use serde::{Deserialize, Serialize};

pub use self::event::{InvalidWebhookEvent, WebhookAction, WebhookEntity, WebhookEvent};
use crate::endpoint::{filled, route};
use crate::{Empty, Endpoint, InvalidCall, Method, SecretText, WebhookId, WebhookName, wire};

/// A webhook, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its identifier.
    pub webhook_id: WebhookId,
    /// Its name.
    pub name: WebhookName,
    /// A description.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub description: Option<String>,
    /// The address that is called.
    pub url: String,
    /// What it is called for.
    #[serde(default)]
    pub events: Vec<WebhookEvent>,
    /// Whether it is called.
    #[serde(default)]
    pub status: WebhookStatus,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub creation_timestamp: Option<i64>,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub last_updated_timestamp: Option<i64>,
}

/// Whether a webhook is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookStatus {
    /// It is.
    #[default]
    Active,
    /// It is not, except to [test](TestWebhook) it.
    Disabled,
}

impl WebhookStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
        }
    }
}

/// Creates a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateWebhook {
    /// Its name.
    pub name: WebhookName,
    /// The address to call; servers want `https` and a public host, unless they are told otherwise.
    pub url: String,
    /// What to call it for; at least one.
    pub events: Vec<WebhookEvent>,
    /// A description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the server signs its calls with (HMAC with SHA-256); without it they carry no signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// Whether it is called.
    pub status: WebhookStatus,
}

impl CreateWebhook {
    /// An active webhook without description and secret.
    pub fn new(name: WebhookName, url: impl Into<String>, events: Vec<WebhookEvent>) -> Self {
        let (url, status) = (url.into(), WebhookStatus::Active);
        Self { name, url, events, description: None, secret: None, status }
    }
}

impl Endpoint for CreateWebhook {
    type Response = WebhookResponse;
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "webhooks";

    fn check(&self) -> Result<(), InvalidCall> {
        if self.events.is_empty() {
            let problem = "must name at least one event".to_owned();
            return Err(InvalidCall { path: Self::PATH, field: "events".into(), problem });
        }
        Ok(())
    }

    fn secrets(&self) -> Vec<&SecretText> {
        self.secret.iter().collect()
    }
}

/// One webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookResponse {
    /// It.
    pub webhook: Webhook,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetWebhook {
    /// Which one.
    #[serde(skip)]
    pub webhook_id: WebhookId,
}
route!(GetWebhook: Get "webhooks/{webhook_id}" -> WebhookResponse, {webhook_id});

/// All webhooks, the newest first, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListWebhooks {
    /// Webhooks a page: 100 if absent, 1000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(ListWebhooks: Get "webhooks" -> ListWebhooksResponse);

/// A page of webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWebhooksResponse {
    /// The webhooks.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// Changes a webhook; what is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateWebhook {
    /// Which one.
    #[serde(skip)]
    pub webhook_id: WebhookId,
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<WebhookName>,
    /// Its description; an empty one takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What to call it for, instead of what was; none leaves what was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
    /// What the server signs its calls with; after an empty one it signs them no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// Whether it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
}

impl UpdateWebhook {
    /// A change of nothing yet.
    pub fn new(webhook_id: WebhookId) -> Self {
        let (name, description, url, events) = (None, None, None, Vec::new());
        Self { webhook_id, name, description, url, events, secret: None, status: None }
    }
}

impl Endpoint for UpdateWebhook {
    type Response = WebhookResponse;
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "webhooks/{webhook_id}";

    fn path(&self) -> std::borrow::Cow<'static, str> {
        filled(Self::PATH, &[("{webhook_id}", self.webhook_id.as_str())])
    }

    fn secrets(&self) -> Vec<&SecretText> {
        self.secret.iter().collect()
    }
}

/// Deletes a webhook, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteWebhook {
    /// Which one.
    #[serde(skip)]
    pub webhook_id: WebhookId,
}
route!(DeleteWebhook: Delete "webhooks/{webhook_id}" -> Empty, {webhook_id});

/// Has the server call a webhook now, with an example of an event; whoever is called cannot tell it from a real one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestWebhook {
    /// Which one.
    #[serde(skip)]
    pub webhook_id: WebhookId,
    /// An example of what; the first of its events if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<WebhookEvent>,
}
route!(TestWebhook: Post "webhooks/{webhook_id}/test" -> TestWebhookResponse, {webhook_id});

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestWebhookResponse {
    /// It.
    pub result: WebhookTestResult,
}

/// What the address answered when the server called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTestResult {
    /// Whether it answered with a success.
    #[serde(default)]
    pub success: bool,
    /// HTTP's status, if it answered.
    #[serde(default)]
    pub response_status: Option<u16>,
    /// What it said.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub response_body: Option<String>,
    /// Why the call failed.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub error_message: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Repeat;

    fn id() -> WebhookId {
        "0f2c-1".parse().expect("an identifier")
    }

    fn created() -> WebhookEvent {
        "model_version.created".parse().expect("an event")
    }

    fn create(events: Vec<WebhookEvent>) -> CreateWebhook {
        let mut call = CreateWebhook::new("on-new".parse().expect("a name"), "https://host/hook", events);
        call.secret = Some(SecretText::new("s3cret-of-hmac"));
        call
    }

    #[test]
    fn routes_name_the_webhook_and_bodies_do_not() {
        let update = UpdateWebhook { status: Some(WebhookStatus::Disabled), ..UpdateWebhook::new(id()) };
        assert_eq!((update.path().as_ref(), UpdateWebhook::METHOD), ("webhooks/0f2c-1", Method::Patch));
        assert_eq!(serde_json::to_value(&update).expect("a body"), json!({ "status": "DISABLED" }));
        let test = TestWebhook { webhook_id: id(), event: Some(created()) };
        assert_eq!(test.path(), "webhooks/0f2c-1/test");
        let body = json!({ "event": { "entity": "MODEL_VERSION", "action": "CREATED" } });
        assert_eq!(serde_json::to_value(&test).expect("a body"), body);
        assert_eq!(DeleteWebhook { webhook_id: id() }.path(), "webhooks/0f2c-1");
        assert_eq!(GetWebhook { webhook_id: id() }.path(), "webhooks/0f2c-1");
    }

    #[test]
    fn what_makes_or_calls_something_is_not_repeated_blindly() {
        assert_eq!(
            (CreateWebhook::REPEAT, TestWebhook::REPEAT),
            (Repeat::AfterLooking, Repeat::AfterLooking)
        );
        let freely = (ListWebhooks::REPEAT, UpdateWebhook::REPEAT, DeleteWebhook::REPEAT);
        assert_eq!(freely, (Repeat::Freely, Repeat::Freely, Repeat::Freely));
    }

    #[test]
    fn a_webhook_is_called_for_something() {
        assert_eq!(create(vec![created()]).check(), Ok(()));
        let refused = create(Vec::new()).check().expect_err("no event");
        assert_eq!(refused.to_string(), "webhooks: `events` must name at least one event");
    }

    #[test]
    fn the_secret_is_sent_and_not_printed() {
        let call = create(vec![created()]);
        assert_eq!(serde_json::to_value(&call).expect("a body")["secret"], "s3cret-of-hmac");
        assert!(!format!("{call:?}").contains("s3cret"), "{call:?}");
        let update = UpdateWebhook { secret: call.secret.clone(), ..UpdateWebhook::new(id()) };
        assert!(!format!("{update:#?}").contains("s3cret"), "{update:?}");
        assert_eq!(
            (call.secrets(), update.secrets()),
            (vec![&SecretText::new("s3cret-of-hmac")], call.secrets())
        );
    }

    #[test]
    fn answers_are_read() {
        let answer = json!({ "webhooks": [{
            "webhook_id": "0f2c-1", "name": "on-new", "url": "https://host/hook", "status": "DISABLED",
            "events": [{ "entity": "PROMPT_ALIAS", "action": "DELETED" }],
            "creation_timestamp": "1700000000000", "last_updated_timestamp": 1_700_000_000_001_i64,
        }], "next_page_token": "" });
        let page: ListWebhooksResponse = serde_json::from_value(answer).expect("a page");
        let webhook = page.webhooks.first().expect("a webhook");
        assert_eq!((webhook.status, page.next_page_token.as_deref()), (WebhookStatus::Disabled, None));
        assert_eq!(webhook.events, ["prompt_alias.deleted".parse().expect("an event")]);
        assert_eq!(webhook.creation_timestamp, Some(1_700_000_000_000));
        let tested: TestWebhookResponse =
            serde_json::from_value(json!({ "result": { "success": true, "response_status": 204 } }))
                .expect("a result");
        assert_eq!((tested.result.success, tested.result.response_status), (true, Some(204)));
    }
}
