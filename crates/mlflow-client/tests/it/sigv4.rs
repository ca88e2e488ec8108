//! Signatures for a server behind AWS's API gateway, beside those that Python's own client makes of the same requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mlflow_client::rest::{
    Clock, HttpBody, HttpRequest, HttpResponse, Identity, Session, Transport, TransportError,
};
use mlflow_client::settings::Settings;
use mlflow_client::types::{Method, Repeat};
use serde_json::{Value, json};
use st_testkit::{Environment, PythonScript};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDKEXAMPLE/token+==";
const START: u64 = 1_700_000_000;

/// Signs every request as botocore does, at the moment that the request itself names.
const BOTOCORE: &str = r#"
import datetime, json, sys
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
asked = json.loads(sys.argv[1])
answers = []
for one in asked["requests"]:
    now = datetime.datetime.strptime(one["date"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: now
    credentials = Credentials("AKIDEXAMPLE", asked["secret"], asked["token"])
    headers = {"content-type": one["type"]} if one["type"] else {}
    request = AWSRequest(method=one["method"], url=one["url"], data=one["body"].encode(), headers=headers)
    botocore.auth.SigV4Auth(credentials, "execute-api", "eu-west-3").add_auth(request)
    assert request.headers["X-Amz-Date"] == one["date"]
    answers.append(request.headers["Authorization"])
print(json.dumps(answers))
"#;

/// Answers 503 to every first request, and keeps what it saw.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<HttpRequest>>);

#[async_trait]
impl Transport for Seen {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut seen = self.0.lock().unwrap();
        seen.push(request.clone());
        Ok(HttpResponse::new(if seen.len() % 2 == 1 { 503 } else { 200 }, Vec::new(), ""))
    }
}

/// A clock that a wait sets forward.
#[derive(Debug, Default)]
struct Hands(Mutex<Duration>);

#[async_trait]
impl Clock for Hands {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(START) + self.elapsed()
    }

    fn random(&self) -> f64 {
        0.5
    }

    async fn sleep(&self, _: Duration) {
        *self.0.lock().unwrap() += Duration::from_secs(7);
    }
}

fn credentials(token: bool) -> mlflow_client::settings::Credentials {
    let lookup = |name: &str| match name {
        "MLFLOW_TRACKING_AWS_SIGV4" => Some("true".to_owned()),
        "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET.to_owned()),
        "AWS_SESSION_TOKEN" => token.then(|| TOKEN.to_owned()),
        "AWS_DEFAULT_REGION" => Some("eu-west-3".to_owned()),
        _ => None,
    };
    Settings::from_environment(&lookup).unwrap().credentials
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// The addresses and bodies that the client sends, and the odd ones that it might.
fn requests(file: &std::path::Path) -> Vec<(HttpRequest, &'static str)> {
    let at = |method, path: &str, body, kind: &str| {
        let mut request = HttpRequest::new(method, format!("https://x.test/stage/{path}").parse().unwrap());
        request.body = body;
        request.headers.push(("accept".into(), "*/*".into()));
        if !kind.is_empty() {
            request.headers.push(("content-type".into(), kind.into()));
        }
        request
    };
    let json = r#"{"name": "größe"}"#;
    let part = HttpBody::File { path: file.to_owned(), offset: 2, length: 5 };
    vec![
        (at(Method::Get, "api/2.0/mlflow/runs/get?run_id=0a1b", HttpBody::Empty, ""), ""),
        (at(Method::Get, "api/x?b=%C3%BC%20%2B&a=1&a=0&empty=", HttpBody::Empty, ""), ""),
        (
            at(Method::Post, "api/2.0/mlflow/runs/create", HttpBody::Bytes(json.into()), "application/json"),
            json,
        ),
        (at(Method::Put, "api/2.0/mlflow-artifacts/artifacts/a%20b/%C3%BC~x", part, "text/plain"), "23456"),
        (at(Method::Delete, "api/2.0/x", HttpBody::Bytes("{}".into()), "application/json"), "{}"),
        (at(Method::Patch, "api/2.0/x:y,z(1)", HttpBody::Bytes("{}".into()), "application/json"), "{}"),
    ]
}

async fn check(token: bool, address: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "0123456789").unwrap();
    let (seen, hands) = (Arc::new(Seen::default()), Arc::new(Hands::default()));
    let identity = Identity::of(&credentials(token)).unwrap();
    let session = Session::new(seen.clone(), address.parse().unwrap());
    let session = session.with_clock(hands).with_identity(identity);
    let mut asked = Vec::new();
    for (mut request, body) in requests(&file) {
        let url = request.url.as_str().replace("https://x.test/stage", address);
        request.url = url.parse().unwrap();
        session.execute("x", request, Repeat::Freely).await.unwrap();
        asked.extend([body, body]);
    }
    let sent = seen.0.lock().unwrap();
    let describe = |(request, body): (&HttpRequest, &&str)| {
        json!({
            "method": format!("{:?}", request.method).to_uppercase(),
            "url": request.url.as_str(),
            "date": header(request, "x-amz-date"),
            "type": header(request, "content-type"),
            "body": body,
        })
    };
    let requests: Vec<Value> = sent.iter().zip(&asked).map(describe).collect();
    let question = json!({"requests": requests, "secret": SECRET, "token": token.then_some(TOKEN)});
    let answers: Vec<String> =
        PythonScript::new(Environment::Mlflow, BOTOCORE).argument(question.to_string()).run();
    assert_eq!((sent.len(), answers.len()), (12, 12));
    for (request, expected) in sent.iter().zip(&answers) {
        assert_eq!(header(request, "authorization"), expected, "{}", request.url);
        assert_eq!(header(request, "x-amz-security-token"), if token { TOKEN } else { "" });
    }
    // The second attempt says when it was made itself.
    for pair in sent.chunks(2) {
        assert_ne!(header(&pair[0], "x-amz-date"), header(&pair[1], "x-amz-date"));
        assert_ne!(header(&pair[0], "authorization"), header(&pair[1], "authorization"));
    }
}

#[tokio::test]
async fn each_attempt_is_signed_as_pythons_client_signs_it() {
    check(false, "https://x.execute-api.eu-west-3.amazonaws.com/stage").await;
}

#[tokio::test]
async fn a_temporary_key_sends_its_token() {
    check(true, "http://127.0.0.1:8080/stage").await;
}

#[tokio::test]
async fn another_origin_gets_no_signature() {
    let seen = Arc::new(Seen::default());
    let identity = Identity::of(&credentials(true)).unwrap();
    let session = Session::new(seen.clone(), "https://x.test".parse().unwrap()).with_identity(identity);
    let session = session.with_clock(Arc::new(Hands::default()));
    let request = HttpRequest::new(Method::Get, "https://y.test/x".parse().unwrap());
    session.execute("x", request, Repeat::Freely).await.unwrap();
    for request in seen.0.lock().unwrap().iter() {
        assert_eq!(header(request, "authorization"), "");
        assert_eq!(header(request, "x-amz-security-token"), "");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_not_sent() {
    let seen = Arc::new(Seen::default());
    let session = Session::new(seen.clone(), "https://x.test".parse().unwrap());
    let session = session.with_identity(Identity::of(&credentials(false)).unwrap());
    let mut request = HttpRequest::new(Method::Put, "https://x.test/x".parse().unwrap());
    request.body = HttpBody::File { path: "/none/such".into(), offset: 0, length: 1 };
    let error = session.execute("x", request, Repeat::Freely).await.unwrap_err();
    assert_eq!(error.to_string(), "/none/such: cannot read");
    assert!(seen.0.lock().unwrap().is_empty());
}
