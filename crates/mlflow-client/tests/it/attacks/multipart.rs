//! Large files in parts through a server that says where each part goes, which may be anywhere.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use mlflow_client::artifacts::{ArtifactPath, LocalFile};
use mlflow_client::{Client, Error, Settings};
use serde_json::{Value, json};

use super::{Hostile, reply};

/// Two whole parts of the least size, and a little one.
const LENGTH: usize = (10 << 20) + 7;

/// `ann:correct-horse-battery`, as basic authentication writes it.
const BASIC: &str = "YW5uOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==";

/// A request in full.
#[derive(Clone)]
struct Seen {
    head: String,
    body: Vec<u8>,
}

impl Seen {
    /// The verb and the address.
    fn line(&self) -> &str {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server of one connection for each request, which answers as its test says; no answer is a broken connection.
struct Scripted {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Status, headers and body.
type Answer = (&'static str, &'static str, String);

impl Scripted {
    fn start(answer: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, record) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    record.lock().unwrap().push(request.clone());
                    if let Some((status, headers, body)) = answer(&request) {
                        reply(&mut stream, status, headers, &body);
                    }
                });
            }
        });
        Self { url, seen }
    }

    /// An object store that takes every part.
    fn store() -> Self {
        Self::start(|request| {
            let tag =
                if request.line().ends_with("=1") { "ETag: \"one\"\r\n" } else { "ETag: \"other\"\r\n" };
            Some(("200 OK", tag, String::new()))
        })
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Verbs and last words of routes of what changes something, in order.
    fn changes(&self) -> Vec<String> {
        let word = |line: &str| {
            let (verb, route) = line.split_once(' ')?;
            let step = ["create", "complete", "abort"]
                .into_iter()
                .find(|step| route.contains(&format!("mpu/{step}/")));
            (verb != "GET").then(|| format!("{verb} {}", step.unwrap_or("file")))
        };
        self.seen().iter().filter_map(|seen| word(seen.line())).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { head: head.trim_end().to_owned(), body })
}

/// What comes of a call that puts the parts together.
#[derive(Clone, Copy)]
enum Complete {
    /// Done and said so.
    Done,
    /// Done, but the connection breaks.
    Lost,
    /// Not done, and the connection breaks.
    Broken,
    /// Not done, as the server says.
    Refused,
}

/// A server of MLflow that offers parts. What `create` answers is made from the number of parts; of `complete` calls, one
/// comes to each of these ends.
fn mlflow(create: impl Fn(u64) -> Answer + Send + Sync + 'static, complete: &[Complete]) -> Scripted {
    let complete = Mutex::new(complete.iter().copied().collect::<VecDeque<_>>());
    let there = Mutex::new(None);
    let fine = |body: Value| Some(("200 OK", "", body.to_string()));
    Scripted::start(move |request| {
        let line = request.line();
        if line.ends_with("server-info") {
            return fine(json!({"multipart_uploads_enabled": true}));
        }
        if line.contains("/mpu/create/1/model") {
            return Some(create(request.json()["num_parts"].as_u64().unwrap()));
        }
        if line.contains("/mpu/complete/1/model") {
            let end = complete.lock().unwrap().pop_front().unwrap();
            if matches!(end, Complete::Done | Complete::Lost) {
                *there.lock().unwrap() = Some(LENGTH);
            }
            return match end {
                Complete::Done => fine(json!({})),
                Complete::Refused => {
                    Some(("400 Bad", "", json!({"error_code": "BAD_REQUEST", "message": "no"}).to_string()))
                }
                Complete::Lost | Complete::Broken => None,
            };
        }
        if line.starts_with("PUT") {
            *there.lock().unwrap() = Some(request.body.len());
        } else if line.starts_with("GET") {
            let files: Vec<_> = there
                .lock()
                .unwrap()
                .iter()
                .map(|size| json!({"path": "m.bin", "file_size": size}))
                .collect();
            return fine(json!({"files": files}));
        }
        fine(json!({}))
    })
}

/// So many parts, each at this address; `N` becomes its number.
fn parts(numbers: impl IntoIterator<Item = u64>, url: &str) -> Answer {
    let credential = |number: u64| {
        let url = url.replace('N', &number.to_string());
        // What must not be heeded, and what must.
        let headers = json!({"Content-Length": "5", "Host": "evil.test", "X-Ms-Blob-Type": "BlockBlob"});
        json!({"url": url, "part_number": number, "headers": headers})
    };
    let credentials: Vec<_> = numbers.into_iter().map(credential).collect();
    ("200 OK", "", json!({"upload_id": "id", "credentials": credentials}).to_string())
}

fn content() -> Vec<u8> {
    (0..LENGTH).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

/// Uploads a file of [`LENGTH`] bytes, as somebody with a password, a workspace, and these hosts allowed.
async fn upload(server: &Scripted, allowed: &str) -> Result<(), Error> {
    upload_with(server, allowed, &[]).await
}

async fn upload_with(server: &Scripted, allowed: &str, variables: &[(&str, &str)]) -> Result<(), Error> {
    let uri = server.url.replace("http://", "http://ann:correct-horse-battery@");
    let variable = |name: &str| {
        let own = variables.iter().find(|(key, _)| *key == name);
        let value = match name {
            _ if own.is_some() => own?.1,
            "MLFLOW_TRACKING_URI" => &uri,
            "MLFLOW_WORKSPACE" => "ours",
            "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE" | "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE" => "1",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES" => "2",
            "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR" | "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER" => "0",
            "ST_ALLOWED_HOSTS" => allowed,
            _ => return None,
        };
        Some(value.to_owned())
    };
    let client = Client::connect(&Settings::from_environment(&variable).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = LocalFile { path: folder.path().join("m.bin"), length: LENGTH as u64 };
    std::fs::write(&file.path, content()).unwrap();
    let store = client.artifacts().open_given(&"mlflow-artifacts:/1/model".parse()?)?;
    store.write(&ArtifactPath::try_new("m.bin").unwrap(), &file).await
}

/// Nothing but an upload in one piece came of it.
#[track_caller]
fn check_fell_back(server: &Scripted, steps: &[&str]) {
    let expected: Vec<_> = steps.iter().chain(&["PUT file"]).copied().collect();
    assert_eq!(server.changes(), expected);
    let put = server.seen().into_iter().find(|seen| seen.line().starts_with("PUT")).unwrap();
    assert!(put.body == content(), "another file arrived");
    assert_eq!(put.line(), "PUT /api/2.0/mlflow-artifacts/artifacts/1/model/m.bin");
}

#[tokio::test]
async fn parts_go_past_the_server_and_are_put_together() {
    let store = Scripted::store();
    let url = format!("{}/bucket/m.bin?sig=s&part=N", store.url);
    // In no particular order.
    let server = mlflow(move |count| parts((1..=count).rev(), &url), &[Complete::Done]);
    upload(&server, &store.url).await.unwrap();
    assert_eq!(server.changes(), ["POST create", "POST complete"]);

    let mut seen = store.seen();
    seen.sort_by(|one, other| one.line().cmp(other.line()));
    let lines: Vec<_> = seen.iter().map(Seen::line).collect();
    assert_eq!(lines, [1, 2, 3].map(|number| format!("PUT /bucket/m.bin?sig=s&part={number}")));
    assert!(seen.iter().flat_map(|part| part.body.clone()).eq(content()), "the parts are no whole");
    for part in &seen {
        let head = part.head.to_ascii_lowercase();
        assert!(head.contains("x-ms-blob-type: blockblob"), "{head}");
        assert!(
            !head.contains("authorization") && !head.contains("x-mlflow") && !head.contains("evil"),
            "{head}"
        );
        assert_eq!(head.matches("content-length").count(), 1, "{head}");
    }
    let asked = server.seen();
    let of = |step: &str| asked.iter().find(|seen| seen.line().contains(step)).unwrap();
    assert_eq!(of("create").json(), json!({"path": "m.bin", "num_parts": 3}));
    let put = |number: u64, tag: &str| json!({"part_number": number, "etag": tag, "url": format!("{}/bucket/m.bin?sig=s&part={number}", store.url)});
    let all = [put(1, "\"one\""), put(2, "\"other\""), put(3, "\"other\"")];
    assert_eq!(of("complete").json(), json!({"path": "m.bin", "upload_id": "id", "parts": all}));
    assert!(of("complete").head.contains(BASIC), "the server itself knows who we are");
}

#[tokio::test]
async fn parts_can_be_forbidden() {
    for variable in ["MLFLOW_ENABLE_MULTIPART_UPLOAD", "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] {
        let server = mlflow(|_| panic!("parts were asked for"), &[]);
        upload_with(&server, "", &[(variable, "false")]).await.unwrap();
        check_fell_back(&server, &[]);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_parts_gets_the_file_whole() {
    for (status, code) in [
        ("501 Not Implemented", "NOT_IMPLEMENTED"),
        ("404 Not Found", "ENDPOINT_NOT_FOUND"),
        ("405 Not Allowed", "BAD_REQUEST"),
        ("500 Error", "INTERNAL_ERROR"),
    ] {
        let body = json!({"error_code": code, "message": "Multipart upload is not supported"}).to_string();
        let server = mlflow(move |_| (status, "", body.clone()), &[]);
        upload(&server, "").await.unwrap();
        check_fell_back(&server, &["POST create"]);
    }
}

/// The object store behind a server is often in a network that we are not in.
#[tokio::test]
async fn addresses_that_no_store_of_ours_has_are_not_gone_to() {
    let elsewhere = Hostile::saying("200 OK", "ETag: \"e\"\r\n", "");
    let port = elsewhere.url().rsplit_once(':').unwrap().1.to_owned();
    for url in [
        elsewhere.url(),
        format!("http://localhost:{port}/N"),
        format!("https://localhost:{port}/N"),
        format!("https://[::ffff:127.0.0.1]:{port}/N"),
        format!("https://ann:secret@127.0.0.1:{port}/N"),
        "http://minio:9000/bucket/N".to_owned(),
        "https://10.0.0.5/bucket/N".to_owned(),
        "http://169.254.169.254/latest/meta-data/N".to_owned(),
        "https://169.254.169.254/latest/meta-data/N".to_owned(),
        "https://metadata.google.internal/N".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/relative".to_owned(),
        String::new(),
    ] {
        let server = mlflow(move |count| parts(1..=count, &url), &[]);
        upload(&server, "").await.unwrap();
        check_fell_back(&server, &["POST create", "POST abort"]);
    }
    assert_eq!(elsewhere.seen(), Vec::<String>::new());
}

/// One good address does not vouch for the others: nothing is sent before all were looked at.
#[tokio::test]
async fn one_bad_address_spoils_all() {
    let store = Scripted::store();
    let url = store.url.clone();
    let create = move |count| {
        let (status, headers, body) = parts(1..=count, &format!("{url}/N"));
        (status, headers, body.replacen(&format!("{url}/3"), "http://169.254.169.254/", 1))
    };
    let server = mlflow(create, &[]);
    upload(&server, &store.url).await.unwrap();
    check_fell_back(&server, &["POST create", "POST abort"]);
    assert_eq!(store.seen().len(), 0);
}

#[tokio::test]
async fn other_parts_than_were_asked_for_are_not_sent() {
    let store = Scripted::store();
    for numbers in [vec![], vec![1, 2], vec![1, 2, 3, 4], vec![1, 2, 2], vec![0, 1, 2], vec![1, 2, u64::MAX]]
    {
        let url = format!("{}/N", store.url);
        let server = mlflow(move |_| parts(numbers.clone(), &url), &[]);
        upload(&server, &store.url).await.unwrap();
        check_fell_back(&server, &["POST create", "POST abort"]);
    }
    assert_eq!(store.seen().len(), 0);
}

#[tokio::test]
async fn a_part_that_is_refused_ends_the_parts() {
    let refusing = Scripted::start(|request| {
        let refusal = ("403 Forbidden", "", "<Error><Code>SignatureDoesNotMatch</Code></Error>".to_owned());
        Some(if request.line().ends_with('2') {
            refusal
        } else {
            ("200 OK", "ETag: \"e\"\r\n", String::new())
        })
    });
    let url = format!("{}/N", refusing.url);
    let server = mlflow(move |count| parts(1..=count, &url), &[]);
    upload(&server, &refusing.url).await.unwrap();
    check_fell_back(&server, &["POST create", "POST abort"]);
    let abort = server.seen().into_iter().find(|seen| seen.line().contains("abort")).unwrap();
    assert_eq!(abort.json(), json!({"path": "m.bin", "upload_id": "id"}));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_not_waited_for() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = mlflow(move |count| parts(1..=count, &format!("http://{nobody}/N")), &[]);
    upload(&server, &nobody.to_string()).await.unwrap();
    check_fell_back(&server, &["POST create", "POST abort"]);
}

#[tokio::test]
async fn a_part_is_not_led_to_another_origin() {
    let elsewhere = Hostile::saying("200 OK", "ETag: \"e\"\r\n", "");
    let to: &'static str = Box::leak(format!("Location: {}/\r\n", elsewhere.url()).into_boxed_str());
    let leading = Scripted::start(move |_| Some(("307 Temporary", to, String::new())));
    let url = format!("{}/N", leading.url);
    let server = mlflow(move |count| parts(1..=count, &url), &[]);
    upload(&server, &leading.url).await.unwrap();
    check_fell_back(&server, &["POST create", "POST abort"]);
    assert_eq!(elsewhere.seen(), Vec::<String>::new());
}

/// A server that is its own object store gets a signed request, and no second proof of who we are beside the signature.
#[tokio::test]
async fn the_servers_own_address_is_asked_as_nobody() {
    let address = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&address);
    let server =
        mlflow(move |count| parts(1..=count, &format!("{}/store/N", own.lock().unwrap())), &[Complete::Done]);
    address.lock().unwrap().clone_from(&server.url);
    upload(&server, "").await.unwrap();
    let seen = server.seen();
    let stored: Vec<_> = seen.iter().filter(|seen| seen.line().contains("/store/")).collect();
    assert_eq!(stored.len(), 3);
    assert!(stored.iter().all(|seen| !seen.head.contains(BASIC)));
}

async fn complete(ends: &[Complete]) -> (Vec<String>, Scripted) {
    let store = Scripted::store();
    let url = format!("{}/N", store.url);
    let server = mlflow(move |count| parts(1..=count, &url), ends);
    upload(&server, &store.url).await.unwrap();
    (server.changes(), server)
}

/// It is looked up whether it ran, and not sent a second time if it did.
#[tokio::test]
async fn a_lost_answer_to_the_last_call_is_looked_up() {
    let (changes, _) = complete(&[Complete::Lost]).await;
    assert_eq!(changes, ["POST create", "POST complete"]);
    let (changes, _) = complete(&[Complete::Broken, Complete::Done]).await;
    assert_eq!(changes, ["POST create", "POST complete", "POST complete"]);
    let (_, server) = complete(&[Complete::Broken, Complete::Refused]).await;
    check_fell_back(&server, &["POST create", "POST complete", "POST complete", "POST abort"]);
    let (_, server) = complete(&[Complete::Refused]).await;
    check_fell_back(&server, &["POST create", "POST complete", "POST abort"]);
}

/// An older file of the same length is no sign that a new one has arrived.
#[tokio::test]
async fn an_older_file_of_the_same_length_proves_nothing() {
    let store = Scripted::store();
    let url = format!("{}/N", store.url);
    let broken = [Complete::Done, Complete::Broken, Complete::Broken, Complete::Broken];
    let server = mlflow(move |count| parts(1..=count, &url), &broken);
    upload(&server, &store.url).await.unwrap();
    upload(&server, &store.url).await.unwrap();
    let changes = server.changes();
    assert_eq!(changes.last().unwrap(), "PUT file", "{changes:?}");
    assert!(changes.contains(&"POST abort".to_owned()), "{changes:?}");
}
