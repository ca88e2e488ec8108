//! What is S3's own: signatures, Python's client on the other side, and what goes wrong.

use mlflow_client::artifacts::{DownloadOptions, ReadStart};
use mlflow_client::uri::ArtifactUri;
use mlflow_client::{Client, Error, Settings};
use st_testkit::{Environment, Fault, FaultProxy, Moment, PythonScript, Rule, S3Server};

use super::{Place, files_in, path, s3_settings, settings, unique};

/// Lists a folder of S3 with MLflow's own client and reads it, or writes into it.
const PYTHON: &str = r#"
import json, os, sys
from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository
repo = S3ArtifactRepository(sys.argv[1])
if sys.argv[2] == "write":
    os.makedirs("py/sub dir")
    open("py/a.txt", "w").write("a")
    open("py/sub dir/ü 100%.txt", "w").write("from Python")
    open("py/large.bin", "wb").write(bytes(range(256)) * 40000)
    repo.log_artifacts("py")
    print(json.dumps([]))
else:
    folder = repo.download_artifacts("")
    found = {}
    for root, _, files in os.walk(folder):
        for name in files:
            full = os.path.join(root, name)
            data = open(full, "rb").read()
            found[os.path.relpath(full, folder)] = data.decode() if len(data) < 100 else f"{len(data)} bytes, {sum(data)}"
    print(json.dumps(found))
"#;

fn python(place: &Place, verb: &str) -> PythonScript {
    PythonScript::new(Environment::Mlflow, PYTHON)
        .argument(place.uri().to_string())
        .argument(verb)
        .folder(place.folder.path())
        .variable("MLFLOW_S3_ENDPOINT_URL", S3Server::shared().url())
        .variable("AWS_ACCESS_KEY_ID", "key")
        .variable("AWS_SECRET_ACCESS_KEY", "not-checked")
        .variable("AWS_DEFAULT_REGION", "us-east-1")
}

#[tokio::test]
async fn python_reads_what_we_wrote() {
    let place = Place::s3();
    place.write("MLmodel", b"a: 1\n").await;
    place.write("sub dir/\u{fc} 100%.txt", b"from Rust").await;
    place.write("large.bin", &vec![1; 11 << 20]).await;
    let found: serde_json::Value = python(&place, "read").run();
    let expected = serde_json::json!({
        "MLmodel": "a: 1\n",
        "sub dir/\u{fc} 100%.txt": "from Rust",
        "large.bin": format!("{} bytes, {}", 11 << 20, 11 << 20),
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_python_wrote_is_read() {
    let place = Place::s3();
    python(&place, "write").run::<Vec<()>>();
    let options = DownloadOptions::default();
    let got =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await.unwrap();
    assert_eq!(files_in(&got.path), ["a.txt", "large.bin", "sub dir/ü 100%.txt"]);
    assert_eq!(std::fs::read_to_string(got.path.join("sub dir/ü 100%.txt")).unwrap(), "from Python");
    let expected = (0..=255).collect::<Vec<u8>>().repeat(40_000);
    assert!(std::fs::read(got.path.join("large.bin")).unwrap() == expected);
}

/// moto signs the request again, with the code of Python's client, and compares.
#[tokio::test]
async fn signatures_are_those_of_pythons_client() {
    let strict = S3Server::strict();
    let place = Place::of_settings(
        &s3_settings(&strict.server.url(), &strict.access_key_id, &strict.secret_access_key),
        "s3://strict/a",
    );
    place.write("a b/\u{fc}+&=.txt", b"signed").await;
    place.write("large.bin", &vec![1; 6 << 20]).await;
    assert_eq!(place.text("a b/\u{fc}+&=.txt").await, "signed");
    assert_eq!(place.list(Some("a b")).await, ["a b/\u{fc}+&=.txt"]);
    let (_, rest, _) = place.read("large.bin", &ReadStart { offset: (6 << 20) - 2, tag: None }).await;
    assert_eq!(rest, [1, 1]);

    let wrong = "correct-horse-battery-staple";
    let settings = s3_settings(&strict.server.url(), &strict.access_key_id, wrong);
    let place = Place::of_settings(&settings, "s3://strict/a");
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    assert!(error.to_string().contains("SignatureDoesNotMatch"), "{error}");
    let shown = format!("{error:?} {place:?} {settings:?}", place = place.store);
    assert!(!shown.contains(wrong), "{shown}");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error_not_an_empty_folder() {
    let settings = s3_settings(&S3Server::shared().url(), "key", "not-checked");
    let place = Place::of_settings(&settings, &format!("s3://{}/a", unique()));
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("NoSuchBucket"), "{error}");
    let error = place.store.read(&path("x"), &ReadStart::default()).await.unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    let error = place.store.write(&path("x"), &place.file(b"x")).await.unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_secrets() {
    let settings = s3_settings("http://127.0.0.1:1", "key", "correct-horse-battery-staple");
    let place = Place::of_settings(&settings, "s3://bucket/a");
    let error = place.store.list(None).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { attempts: 2, .. }), "{error:?}");
    assert!(error.to_string().starts_with("s3://bucket: no answer after 2 attempts in "), "{error}");
    assert!(!format!("{error:?}").contains("correct-horse"), "{error:?}");
}

#[tokio::test]
async fn a_token_of_a_temporary_key_is_not_quoted_back() {
    let server = crate::attacks::Hostile::start(|head, stream| {
        let quoted = head.replace("\r\n", " ");
        crate::attacks::reply(
            stream,
            "403 No",
            "",
            &format!("<Error><Code>AccessDenied</Code><Message>{quoted}</Message></Error>"),
        );
    });
    let settings = settings(&[
        ("MLFLOW_S3_ENDPOINT_URL", &server.url()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEBY"),
    ]);
    let place = Place::of_settings(&settings, "s3://bucket/a");
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("[secret]"), "{error}");
    assert!(!format!("{error:?}").contains("FwoGZXIvYXdzEBY"), "{error:?}");
    assert!(server.seen()[0].contains("FwoGZXIvYXdzEBY"));
}

#[tokio::test]
async fn a_bucket_in_another_region_is_told() {
    let server = crate::attacks::Hostile::saying(
        "301 Moved",
        "x-amz-bucket-region: eu-west-3\r\n",
        "<Error><Code>PermanentRedirect</Code></Error>",
    );
    let place = Place::of_settings(&s3_settings(&server.url(), "key", "secret"), "s3://bucket/a");
    let error = place.store.list(None).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "s3://bucket: server said 421 HTTP_421: WrongRegion: the bucket is in eu-west-3; set AWS_REGION"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn one_that_a_server_names_is_opened_with_our_keys() {
    let client = Client::connect(&Settings::for_tracking_uri("http://127.0.0.1:1")).unwrap();
    let uri: ArtifactUri = "s3://bucket:80/x".parse().unwrap();
    let error = client.artifacts().open_given(&uri).unwrap_err().to_string();
    assert_eq!(error, "s3://bucket:80: access points are not served; name their bucket");
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke() {
    let (server, bucket) = (S3Server::shared(), unique());
    server.make_bucket(&bucket);
    let uri = format!("s3://{bucket}/a");
    let direct = Place::of_settings(&s3_settings(&server.url(), "key", "not-checked"), &uri);
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    direct.write("large.bin", &content).await;
    let object = format!("/{bucket}/a/large.bin");
    let rules = vec![
        Rule::new("GET", &object, Fault::Reset(Moment::InAnswer(5_000_000))),
        Rule::new("GET", &object, Fault::answer(503, &[], "slow down")).from_nth(2),
    ];
    let proxy = FaultProxy::start(server.address(), rules);
    let place = Place::of_settings(&s3_settings(&proxy.url(), "key", "not-checked"), &uri);
    let options = DownloadOptions::default();
    let got =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await.unwrap();
    assert!(std::fs::read(got.path.join("large.bin")).unwrap() == content);
    proxy.assert_rules_met();
    let asked = proxy.requests_to("GET", &object);
    let last = asked.last().unwrap();
    assert!(last.header("range").is_some_and(|range| range.starts_with("bytes=")), "{last:?}");
    assert!(last.header("if-match").is_some() || asked.len() == 3, "{last:?}");
}

#[tokio::test]
async fn an_upload_whose_parts_are_refused_leaves_nothing() {
    let (server, bucket) = (S3Server::shared(), unique());
    server.make_bucket(&bucket);
    let object = format!("/{bucket}/a/x");
    let proxy = FaultProxy::start(
        server.address(),
        vec![
            Rule::new("PUT", &object, Fault::answer(403, &[], "<Error><Code>AccessDenied</Code></Error>"))
                .from_nth(2),
        ],
    );
    let place =
        Place::of_settings(&s3_settings(&proxy.url(), "key", "not-checked"), &format!("s3://{bucket}/a"));
    let error = place.store.write(&path("x"), &place.file(&vec![1; 16 << 20])).await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    assert_eq!(place.list(None).await, Vec::<String>::new());
    // One upload is removed, and the server says so; after an answer that was lost it is asked again.
    let removals = proxy.requests_to("DELETE", &object);
    let last = removals.last().expect("the parts are removed");
    assert!(last.path.contains("uploadId=") && removals.iter().all(|removal| removal.path == last.path));
    assert!(last.status == Some(204) || (removals.len() > 1 && last.status == Some(404)), "{removals:?}");
}

#[tokio::test]
async fn an_upload_whose_last_answer_is_lost_is_done() {
    let (server, bucket) = (S3Server::shared(), unique());
    server.make_bucket(&bucket);
    let object = format!("/{bucket}/a/x");
    let proxy = FaultProxy::start(
        server.address(),
        vec![Rule::new("POST", &object, Fault::Reset(Moment::BeforeAnswer)).from_nth(2)],
    );
    let place =
        Place::of_settings(&s3_settings(&proxy.url(), "key", "not-checked"), &format!("s3://{bucket}/a"));
    place.write("x", &vec![1; 6 << 20]).await;
    proxy.assert_rules_met();
    assert!(place.read("x", &ReadStart::default()).await.1 == vec![1; 6 << 20]);
}
