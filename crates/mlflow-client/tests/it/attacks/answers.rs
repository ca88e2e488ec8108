//! Answers that lead elsewhere, have no end, or would steer a terminal.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mlflow_client::types::experiments::{CreateExperiment, GetExperiment};
use mlflow_client::{Client, Error, Settings};

use super::{Hostile, chain, reply};

async fn get(client: &Client) -> Error {
    let call = GetExperiment { experiment_id: "1".parse().unwrap() };
    client.tracking().get_experiment(&call).await.unwrap_err()
}

async fn create(client: &Client) -> Error {
    let call = CreateExperiment { name: "a".into(), ..CreateExperiment::default() };
    client.tracking().create_experiment(&call).await.unwrap_err()
}

#[tokio::test]
async fn another_origin_hears_nothing() {
    let elsewhere = Arc::new(Hostile::saying("200 OK", "", "{}"));
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = elsewhere.url();
        let server = Hostile::start(move |_, stream| {
            reply(stream, status, &format!("Location: {to}/api/2.0/mlflow/experiments/get\r\n"), "");
        });
        let uri = server.url().replace("http://", "http://ann:correct-horse@");
        let client = super::once(&Settings::for_tracking_uri(uri));
        for error in [get(&client).await, create(&client).await] {
            assert!(matches!(error, Error::Redirect { .. }), "{status}: {error:?}");
        }
        assert!(server.seen().iter().all(|head| head.to_ascii_lowercase().contains("authorization: basic ")));
    }
    assert_eq!(elsewhere.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Hostile::saying("307 Temporary", "Location: /api/2.0/mlflow/experiments/get\r\n", "");
    let error = get(&server.client()).await.to_string();
    assert!(error.ends_with("more than 10 times in a row"), "{error}");
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn a_redirect_that_would_drop_the_call_is_not_followed() {
    let server = Hostile::saying("302 Found", "Location: /elsewhere\r\n", "");
    let error = create(&server.client()).await.to_string();
    assert!(error.ends_with("with 302, which drops what was sent"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_terminal_gets_no_orders() {
    let orders =
        "{\"error_code\": \"BAD\\u001b[2J\", \"message\": \"red \\u001b[31m\\u0007\\r\\u009b1A\\nnext\"}";
    for body in
        [orders.to_owned(), "plain \u{1b}[31m red\r\u{9b}1A".to_owned(), "<html>\u{1b}[31m</html>".to_owned()]
    {
        let server = Hostile::saying("400 Bad", "", body);
        let shown = chain(&get(&server.client()).await);
        let steers = |character: &char| character.is_control() && *character != '\n';
        assert_eq!(shown.chars().find(steers), None, "{shown:?}");
    }
}

#[tokio::test]
async fn a_refusal_without_end_ends() {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let server = Hostile::start(move |_, stream| {
        let _ = write!(stream, "HTTP/1.1 400 Bad\r\nContent-Length: 99999999999\r\n\r\n");
        let piece = vec![b'x'; 64 << 10];
        while stream.write_all(&piece).is_ok() {
            counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let error = get(&server.client()).await;
    let message = error.as_api().unwrap().message.clone();
    assert_eq!(message.chars().count(), 1001, "a thousand characters and the sign that there were more");
    // What was read, and what the buffers of two sockets hold.
    assert!(sent.load(Ordering::Relaxed) < 32 << 20);
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let deep = format!("{{\"experiment\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        &deep,
        "[]",
        "null",
        "{\"experiment\": 3}",
        "{\"experiment\"",
        "\u{0}",
        "<html><body>Sign in</body></html>",
    ] {
        let server = Hostile::saying("200 OK", "", body);
        let error = get(&server.client()).await;
        assert!(matches!(error, Error::Decode { .. }), "{body:.40}: {error:?}");
        assert!(chain(&error).len() < 2000);
    }
}

#[tokio::test]
async fn a_body_that_is_shorter_than_promised_is_no_answer() {
    let server = Hostile::start(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{{}}");
    });
    let error = get(&server.client()).await;
    assert!(matches!(error, Error::Unreachable { after_sending: true, .. }), "{error:?}");
}

/// Patience helps against servers that are away, not against those that will never be believed.
#[tokio::test]
async fn a_server_that_cannot_do_tls_is_asked_once() {
    let server = Hostile::saying("400 Bad", "", "this is not TLS");
    let settings = Settings::for_tracking_uri(format!("https://{}", server.address));
    let error = get(&Client::connect(&settings).unwrap()).await;
    assert!(matches!(error, Error::Unreachable { attempts: 1, after_sending: false, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}
