//! Webhooks of a real server, down to the call that it makes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use futures::TryStreamExt;
use mlflow_client::types::SecretText;
use mlflow_client::types::registered_models::CreateRegisteredModel;
use mlflow_client::types::webhooks::{
    CreateWebhook, ListWebhooks, UpdateWebhook, Webhook, WebhookEvent, WebhookStatus,
};
use mlflow_client::{Client, EmbeddedStore, MemoryStore, Settings};
use st_testkit::MlflowServer;

use crate::support::{check_code, check_refused};

const SECRET: &str = "s3cret \"of\" hmac";

fn client() -> Client {
    Client::connect(&Settings::for_tracking_uri(MlflowServer::shared_with_webhooks().url())).unwrap()
}

/// An address that answers 204; what it was asked, head and body.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, seen) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
            // The body is one JSON object, sent at once or after the head.
            while !bytes.ends_with(b"}") {
                match stream.read(&mut piece) {
                    Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        }
    });
    (url, seen)
}

fn events(names: &[&str]) -> Vec<WebhookEvent> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn hook(url: &str, names: &[&str]) -> CreateWebhook {
    let name = format!("hook-{}", uuid::Uuid::new_v4().simple());
    CreateWebhook::new(name.parse().unwrap(), url, events(names))
}

#[tokio::test]
async fn one_is_what_it_was_created_as() {
    let client = client();
    let mut call = hook("https://127.0.0.1/hook", &["model_version.created", "model_version_tag.set"]);
    (call.description, call.secret) = (Some("Größe".into()), Some(SecretText::new(SECRET)));
    call.status = WebhookStatus::Disabled;
    let made = client.webhooks().create(&call).await.unwrap();
    let mut found = client.webhooks().get(&made.webhook_id).await.unwrap();
    found.events.sort();
    assert_eq!((&found.name, &found.url, found.status), (&call.name, &call.url, WebhookStatus::Disabled));
    assert_eq!((found.description.as_deref(), found.events), (Some("Größe"), call.events.clone()));
    assert!(found.creation_timestamp.is_some() && found.last_updated_timestamp.is_some());
    assert!(!format!("{call:?} {made:?}").contains("s3cret"));
}

#[tokio::test]
async fn every_event_is_one_to_the_server() {
    let client = client();
    let names = [
        "registered_model.created",
        "model_version.created",
        "model_version_tag.set",
        "model_version_tag.deleted",
        "model_version_alias.created",
        "model_version_alias.deleted",
        "prompt.created",
        "prompt_version.created",
        "prompt_tag.set",
        "prompt_tag.deleted",
        "prompt_version_tag.set",
        "prompt_version_tag.deleted",
        "prompt_alias.created",
        "prompt_alias.deleted",
        "budget_policy.exceeded",
    ];
    let mut made = client.webhooks().create(&hook("https://127.0.0.1/hook", &names)).await.unwrap();
    made.events.sort();
    let mut expected = events(&names);
    expected.sort();
    assert_eq!(made.events, expected);
}

/// One after the other: what is deleted meanwhile moves the pages of a list.
#[tokio::test]
async fn they_are_listed_changed_and_deleted() {
    let client = client();
    they_are_listed_in_pages(&client).await;
    one_is_changed_and_deleted(&client).await;
}

async fn one_is_changed_and_deleted(client: &Client) {
    let made = client.webhooks().create(&hook("https://127.0.0.1/hook", &["prompt.created"])).await.unwrap();
    let id = &made.webhook_id;
    let untouched = client.webhooks().update(&UpdateWebhook::new(id.clone())).await.unwrap();
    assert_eq!((untouched.name, untouched.url, untouched.events), (made.name, made.url, made.events));
    let call = UpdateWebhook {
        name: Some("another".parse().unwrap()),
        description: Some("New.".into()),
        url: Some("https://127.0.0.1/other".into()),
        events: events(&["prompt_alias.deleted"]),
        secret: Some(SecretText::new(SECRET)),
        status: Some(WebhookStatus::Disabled),
        ..UpdateWebhook::new(id.clone())
    };
    let changed = client.webhooks().update(&call).await.unwrap();
    assert_eq!(changed, client.webhooks().get(id).await.unwrap());
    assert_eq!((changed.name.as_str(), changed.url.as_str()), ("another", "https://127.0.0.1/other"));
    assert_eq!((changed.description.as_deref(), changed.status), (Some("New."), WebhookStatus::Disabled));
    assert_eq!(changed.events, call.events);
    client.webhooks().delete(id).await.unwrap();
    let message = format!("Webhook with ID {id} not found.");
    check_refused(client.webhooks().get(id).await, 404, "RESOURCE_DOES_NOT_EXIST", &message);
    assert!(client.webhooks().delete(id).await.unwrap_err().is_not_found());
}

async fn they_are_listed_in_pages(client: &Client) {
    let mut made = Vec::new();
    for _ in 0..5 {
        let call = hook("https://127.0.0.1/hook", &["prompt.created"]);
        made.push(client.webhooks().create(&call).await.unwrap().webhook_id);
    }
    let call = ListWebhooks { max_results: Some(2), page_token: None };
    let all: Vec<Webhook> = client.webhooks().list(call).try_collect().await.unwrap();
    assert!(made.iter().all(|id| all.iter().any(|found| found.webhook_id == *id)), "{all:?}");
    let call = ListWebhooks { max_results: Some(1001), page_token: None };
    let refused = client.webhooks().list(call).try_collect::<Vec<_>>().await;
    check_code(refused, 400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn a_test_calls_the_address_and_signs() {
    let client = client();
    let (url, seen) = receiver();
    let mut call = hook(&url, &["registered_model.created", "model_version.created"]);
    call.secret = Some(SecretText::new(SECRET));
    let made = client.webhooks().create(&call).await.unwrap();
    let event = "model_version.created".parse().unwrap();
    let result = client.webhooks().test(&made.webhook_id, Some(event)).await.unwrap();
    assert_eq!((result.success, result.response_status, result.error_message), (true, Some(204), None));
    let asked = seen.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(asked.to_ascii_lowercase().contains("x-mlflow-signature: v1,"), "{asked}");
    assert!(asked.contains("\"entity\": \"model_version\"") && !asked.contains("s3cret"), "{asked}");
    // Nobody listens there: an answer, and no error.
    let call = UpdateWebhook {
        url: Some("http://127.0.0.1:9/hook".into()),
        ..UpdateWebhook::new(made.webhook_id.clone())
    };
    client.webhooks().update(&call).await.unwrap();
    let result = client.webhooks().test(&made.webhook_id, None).await.unwrap();
    assert!(!result.success && result.error_message.is_some(), "{result:?}");
}

#[tokio::test]
async fn what_happens_in_the_registry_is_told() {
    let client = client();
    let (url, seen) = receiver();
    client.webhooks().create(&hook(&url, &["registered_model.created"])).await.unwrap();
    let name = format!("told-{}", uuid::Uuid::new_v4().simple());
    let call = CreateRegisteredModel { name: name.parse().unwrap(), tags: Vec::new(), description: None };
    client.registry().create_registered_model(&call).await.unwrap();
    let asked = seen.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(asked.contains(&name) && !asked.to_ascii_lowercase().contains("x-mlflow-signature"), "{asked}");
}

#[tokio::test]
async fn a_server_chooses_whom_it_calls() {
    let client = client();
    let refused = client.webhooks().create(&hook("ftp://127.0.0.1/hook", &["prompt.created"])).await;
    check_code(refused, 400, "INVALID_PARAMETER_VALUE");
    let refused = client.webhooks().create(&hook("https://127.0.0.1/hook", &[])).await.unwrap_err();
    assert_eq!(refused.to_string(), "webhooks: `events` must name at least one event");
}

#[tokio::test]
async fn a_store_that_is_no_server_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedStore::open_default(folder.path()).unwrap();
    let artifacts = || client().artifacts().clone();
    for client in [Client::of(MemoryStore::new(), artifacts()), Client::of(embedded, artifacts())] {
        let listed = client.webhooks().list(ListWebhooks::default()).try_collect::<Vec<_>>().await;
        assert!(listed.as_ref().unwrap_err().is_unsupported());
        check_refused(listed, 501, "NOT_IMPLEMENTED", "This store has no webhooks; a server may have some.");
    }
}

/// MLflow 2 has none either, and says so in its way.
#[tokio::test]
async fn an_older_server_has_none() {
    let client = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared_2().url())).unwrap();
    let refused = client.webhooks().create(&hook("https://127.0.0.1/hook", &["prompt.created"])).await;
    assert!(refused.as_ref().unwrap_err().is_unsupported(), "{refused:?}");
}
