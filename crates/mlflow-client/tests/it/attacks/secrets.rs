//! Secrets: not in errors, not in `Debug`, not in what is traced, whatever a server does.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use mlflow_client::artifacts::{DownloadOptions, UploadOptions};
use mlflow_client::types::SecretText;
use mlflow_client::types::experiments::{CreateExperiment, GetExperiment};
use mlflow_client::uri::ArtifactUri;
use mlflow_client::{Client, Error, Settings};
use tracing_subscriber::fmt::MakeWriter;

use super::{Hostile, chain, reply};

const PASSWORD: &str = "correct-horse-battery";
const TOKEN: &str = "dapi0123456789abcdef";
/// `ann:correct-horse-battery`, as basic authentication writes it.
const BASIC: &str = "YW5uOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==";

/// Everything that is traced.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Traced {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn settings(url: &str, variables: &[(&str, &str)]) -> Settings {
    let variable = |name: &str| {
        let own = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        own.or_else(|| (name == "MLFLOW_TRACKING_URI").then(|| url.to_owned()))
    };
    Settings::from_environment(&variable).unwrap()
}

/// A client that tries again once, and traces that it does.
fn twice(settings: &Settings) -> Client {
    let mut settings = settings.clone();
    settings.http.retry.max_retries = 1;
    Client::connect(&settings).unwrap()
}

/// What fails with the server, in words for people and for programmers.
async fn failures(client: &Client) -> String {
    let call = GetExperiment { experiment_id: "1".parse().unwrap() };
    let mut errors: Vec<Error> = client.tracking().get_experiment(&call).await.err().into_iter().collect();
    let call = CreateExperiment { name: "a".into(), ..CreateExperiment::default() };
    errors.extend(client.tracking().create_experiment(&call).await.err());
    let uri: ArtifactUri = "mlflow-artifacts:/1/model".parse().unwrap();
    let resolved = client.resolve(&uri).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = DownloadOptions::default();
    errors.extend(client.artifacts().download(&resolved, &folder.path().join("x"), &options).await.err());
    assert!(!errors.is_empty());
    errors.iter().map(|error| format!("{}\n{error:?}", chain(error))).collect::<Vec<_>>().join("\n")
}

/// Servers that quote the request in every way that an answer has.
fn servers() -> Vec<Hostile> {
    let quoting = |status: &'static str, page: bool| {
        Hostile::start(move |head, stream| {
            let quoted = head.replace('"', "'").replace("\r\n", " ");
            let body = if page {
                format!("<html><body>{quoted}</body></html>")
            } else {
                serde_json::json!({"error_code": "BAD_REQUEST", "message": quoted}).to_string()
            };
            reply(stream, status, "", &body);
        })
    };
    let leading = Hostile::start(|head, stream| {
        let quoted: String = head.split_whitespace().collect();
        reply(stream, "307 Temporary", &format!("Location: https://x.test/{quoted}?{quoted}\r\n"), "");
    });
    vec![
        quoting("400 Bad", false),
        quoting("401 Unauthorized", true),
        quoting("500 Error", true),
        quoting("200 OK", true),
        leading,
        Hostile::start(|_, _| {}),
    ]
}

#[tokio::test]
async fn no_secret_is_shown() {
    let traced = Traced::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(traced.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut shown = String::new();
    for server in servers() {
        let url = server.url();
        let with_password = url.replace("http://", &format!("http://ann:{PASSWORD}@"));
        let all = [
            settings(&url, &[("MLFLOW_TRACKING_USERNAME", "ann"), ("MLFLOW_TRACKING_PASSWORD", PASSWORD)]),
            settings(&url, &[("MLFLOW_TRACKING_TOKEN", TOKEN)]),
            settings(&with_password, &[]),
        ];
        for settings in &all {
            let client = twice(settings);
            writeln!(shown, "{settings:?}\n{client:?}\n{}", settings.store_address()).unwrap();
            shown.push_str(&failures(&client).await);
        }
        let seen = server.seen();
        assert!(seen.iter().any(|head| head.contains(BASIC)), "the password was never sent: {seen:?}");
        assert!(seen.iter().any(|head| head.contains(TOKEN)), "the token was never sent: {seen:?}");
    }
    let traced = String::from_utf8_lossy(&traced.0.lock().unwrap()).into_owned();
    assert!(traced.contains("sending again"), "nothing was traced: {traced}");
    for (place, text) in [("shown", &shown), ("traced", &traced)] {
        for secret in [PASSWORD, TOKEN, BASIC] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{place}");
        }
    }
}

/// A server that quotes a call back quotes what the call keeps secret, in JSON and out of it.
#[tokio::test]
async fn what_a_call_keeps_secret_is_in_no_refusal() {
    let quoted = r#"{"error_code":"BAD_REQUEST","message":"not \"qu\\\"ote-me-not\" nor qu\"ote-me-not"}"#;
    for status in ["400 Bad Request", "200 OK"] {
        let server = Hostile::saying(status, "", quoted);
        let secret = SecretText::new("qu\"ote-me-not");
        let error = server.client().users().create(&"ann".parse().unwrap(), secret).await.unwrap_err();
        let shown = format!("{} {error:?}", chain(&error));
        assert!(!shown.contains("ote-me-not"), "{shown}");
    }
}

/// Settings with a secret, and how that travels if it does.
struct Kept {
    settings: Settings,
    secrets: Vec<&'static str>,
    /// What the server must have heard, so that a failure to ask is not taken for a secret kept.
    heard: &'static str,
    /// Files that are asked for as well.
    uri: Option<&'static str>,
}

/// What each kind of setting keeps secret.
fn kept(url: &str) -> Vec<Kept> {
    let proxy = url.replace("http://", &format!("http://ann:{PASSWORD}@"));
    let mut all = vec![
        Kept {
            settings: settings("databricks", &[("DATABRICKS_HOST", url), ("DATABRICKS_TOKEN", TOKEN)]),
            secrets: vec![TOKEN],
            heard: TOKEN,
            uri: None,
        },
        Kept {
            settings: settings("http://mlflow.test", &[("http_proxy", &proxy)]),
            secrets: vec![PASSWORD, BASIC],
            heard: BASIC,
            uri: None,
        },
    ];
    if cfg!(feature = "aws-sigv4") {
        all.push(Kept {
            settings: settings(
                url,
                &[
                    ("MLFLOW_TRACKING_AWS_SIGV4", "true"),
                    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
                    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
                    ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEBYaDGfoo"),
                    ("AWS_REGION", "eu-west-3"),
                ],
            ),
            secrets: vec!["wJalrXUtnFEMI/K7MDENG", "FwoGZXIvYXdzEBYaDGfoo"],
            heard: "FwoGZXIvYXdzEBYaDGfoo",
            uri: None,
        });
    }
    if cfg!(feature = "s3") {
        all.push(Kept {
            settings: settings(
                url,
                &[
                    ("MLFLOW_S3_ENDPOINT_URL", url),
                    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
                    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
                    ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEBYaDGfoo"),
                    ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", r#"{"SSECustomerKey": "c3NlLWN1c3RvbWVyLWtleQ"}"#),
                ],
            ),
            secrets: vec!["wJalrXUtnFEMI/K7MDENG", "FwoGZXIvYXdzEBYaDGfoo", "c3NlLWN1c3RvbWVyLWtleQ"],
            heard: "GET /api",
            uri: Some("s3://bucket/a"),
        });
    }
    let azure = [
        ("AZURE_STORAGE_ACCESS_KEY", "YWNjb3VudC1rZXktb2Ytb3Vycw==", "YWNjb3VudC1rZXktb2Ytb3Vycw"),
        ("AZURE_STORAGE_ACCESS_KEY", "no-base64-at-all!", "no-base64-at-all"),
        ("AZURE_STORAGE_SAS_TOKEN", "sv=2022-11-02&sig=c2FzLXNpZ25hdHVyZQ", "c2FzLXNpZ25hdHVyZQ"),
        (
            "AZURE_STORAGE_CONNECTION_STRING",
            "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=Y29ubmVjdGlvbi1rZXk=",
            "Y29ubmVjdGlvbi1rZXk",
        ),
    ];
    for (variable, value, secret) in azure.into_iter().filter(|_| cfg!(feature = "azure")) {
        all.push(Kept {
            // Whoever is asked, it is this server that hears of it.
            settings: settings(url, &[(variable, value), ("https_proxy", &proxy)]),
            secrets: vec![secret, PASSWORD, BASIC],
            heard: "GET /api",
            uri: Some("abfss://container@account.dfs.core.windows.net/a"),
        });
    }
    all
}

#[tokio::test]
async fn no_key_of_any_kind_is_shown() {
    let traced = Traced::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(traced.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for server in servers() {
        for kept in kept(&server.url()) {
            let before = server.seen().len();
            let client = twice(&kept.settings);
            let mut shown = format!("{:?}\n{client:?}\n{}\n", kept.settings, kept.settings.store_address());
            shown.push_str(&failures(&client).await);
            if let Some(uri) = kept.uri {
                shown.push_str(&object_store_failures(&client, uri).await);
            }
            let seen = server.seen().split_off(before);
            assert!(seen.iter().any(|head| head.contains(kept.heard)), "{}: {seen:?}", kept.heard);
            shown.push_str(&String::from_utf8_lossy(&traced.0.lock().unwrap()));
            for secret in kept.secrets {
                let line = shown.lines().find(|line| line.contains(secret));
                assert_eq!(line, None);
            }
        }
    }
}

/// What fails with an object store, as [`failures`] shows it.
async fn object_store_failures(client: &Client, uri: &str) -> String {
    let uri: ArtifactUri = uri.parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), "x").unwrap();
    let resolved = client.resolve(&uri).await.unwrap();
    let (download, upload) = (DownloadOptions::default(), UploadOptions::default());
    let errors = [
        client.artifacts().download(&resolved, &folder.path().join("new"), &download).await.map(drop),
        client.artifacts().upload(folder.path(), &uri, &upload).await.map(drop),
    ];
    let errors = errors.into_iter().filter_map(Result::err);
    errors.map(|error| format!("{}\n{error:?}", chain(&error))).collect::<Vec<_>>().join("\n")
}
