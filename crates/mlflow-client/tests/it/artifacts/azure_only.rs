//! What is Azure's own: keys and signatures, Python's client on the other side, long listings, and what goes wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use mlflow_client::Error;
use mlflow_client::artifacts::{DownloadOptions, ReadStart};
use st_testkit::{AzureServer, Environment, Fault, FaultProxy, Moment, PythonScript, Rule};

use super::{Place, azure_settings, azure_settings_of, azure_uri, files_in, path, settings, unique};
use crate::attacks::{Hostile, reply};

/// Lists a folder of Azure's storage with MLflow's own client and reads it, or writes into it.
const PYTHON: &str = r#"
import json, os, sys
from mlflow.store.artifact.azure_blob_artifact_repo import AzureBlobArtifactRepository
repo = AzureBlobArtifactRepository(sys.argv[1])
if sys.argv[2] == "write":
    os.makedirs("py/sub dir")
    open("py/a.txt", "w").write("a")
    open("py/empty.txt", "w")
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

/// Words in base64, which are nobody's key.
const WRONG_KEY: &str = "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";

fn python(place: &Place, verb: &str) -> PythonScript {
    PythonScript::new(Environment::Mlflow, PYTHON)
        .argument(place.uri().to_string())
        .argument(verb)
        .folder(place.folder.path())
        .variable("AZURE_STORAGE_CONNECTION_STRING", AzureServer::shared().connection_string())
}

/// The folder `a` of a new container, through whatever stands before the server.
fn behind(address: &str, container: &str) -> Place {
    let text = AzureServer::connection_string_of(&format!("{address}/ann"), AzureServer::KEY);
    Place::of_settings(&azure_settings_of(&text), &azure_uri(container, "a"))
}

fn container() -> String {
    let name = unique();
    AzureServer::shared().make_container(&name);
    name
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn python_reads_what_we_wrote() {
    let place = Place::azure();
    place.write("MLmodel", b"a: 1\n").await;
    place.write("sub dir/\u{fc} 100%.txt", b"from Rust").await;
    place.write("empty.txt", b"").await;
    place.write("large.bin", &vec![1; 11 << 20]).await;
    let found: serde_json::Value = python(&place, "read").run();
    let expected = serde_json::json!({
        "MLmodel": "a: 1\n",
        "sub dir/\u{fc} 100%.txt": "from Rust",
        "empty.txt": "",
        "large.bin": format!("{} bytes, {}", 11 << 20, 11 << 20),
    });
    assert_eq!(found, expected);
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn what_python_wrote_is_read() {
    let place = Place::azure();
    python(&place, "write").run::<Vec<()>>();
    let options = DownloadOptions::default();
    let got =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await.unwrap();
    assert_eq!(files_in(&got.path), ["a.txt", "empty.txt", "large.bin", "sub dir/ü 100%.txt"]);
    assert_eq!(std::fs::read_to_string(got.path.join("sub dir/ü 100%.txt")).unwrap(), "from Python");
    let expected = (0..=255).collect::<Vec<u8>>().repeat(40_000);
    assert!(std::fs::read(got.path.join("large.bin")).unwrap() == expected);
}

/// Azurite signs the request again and compares.
#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn a_wrong_key_is_refused_and_not_shown() {
    let container = container();
    let proxy = FaultProxy::start(AzureServer::shared().address(), Vec::new());
    let text = AzureServer::connection_string_of(&format!("{}/ann", proxy.url()), WRONG_KEY);
    let settings = azure_settings_of(&text);
    let place = Place::of_settings(&settings, &azure_uri(&container, "a"));
    for error in [
        place.store.list(None).await.unwrap_err(),
        place.store.read(&path("x"), &ReadStart::default()).await.err().unwrap(),
        place.store.write(&path("x"), &place.file(b"x")).await.unwrap_err(),
        place.store.write(&path("x"), &place.file(&vec![1; 6 << 20])).await.unwrap_err(),
    ] {
        assert!(error.is_denied(), "{error:?}");
        let location = format!("wasbs://{container}@ann.blob.core.windows.net: server said 403 ");
        assert!(error.to_string().starts_with(&location), "{error}");
        assert!(error.to_string().contains("failed to authenticate the request"), "{error}");
        let shown = format!("{error:?} {error} {store:?} {settings:?}", store = place.store);
        assert!(!shown.contains(WRONG_KEY) && !shown.contains("SharedKey"), "{shown}");
    }
    // A refusal is an answer: nothing is asked twice.
    let asked = proxy.requests();
    let whole = asked.iter().filter(|request| !request.path.contains("comp=block"));
    assert_eq!(whole.filter(|request| request.method == "PUT").count(), 1, "{asked:?}");
    assert_eq!(proxy.requests_to("GET", &format!("/ann/{container}")).len(), 1, "{asked:?}");
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn a_signature_that_expired_is_refused_and_not_shown() {
    let container = container();
    let endpoint = AzureServer::shared().endpoint();
    let text = format!("BlobEndpoint={endpoint};SharedAccessSignature={}", AzureServer::EXPIRED_SIGNATURE);
    let settings = azure_settings_of(&text);
    let place = Place::of_settings(&settings, &azure_uri(&container, "a"));
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    let shown = format!("{error:?} {error} {store:?} {settings:?}", store = place.store);
    for secret in ["oDs9X", "sig=", "se=2001"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_signature_is_not_quoted_back() {
    let server = Hostile::start(|head, stream| {
        let quoted = head.replace("\r\n", " ");
        let body = format!("<Error><Code>AuthenticationFailed</Code><Message>{quoted}</Message></Error>");
        reply(stream, "403 No", "", &body);
    });
    let text = format!("BlobEndpoint={}/ann;SharedAccessSignature={}", server.url(), AzureServer::SIGNATURE);
    let place = Place::of_settings(&azure_settings_of(&text), &azure_uri("c", "a"));
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("[secret]"), "{error}");
    assert!(!format!("{error:?}").contains("LGua2eDFpkb23ooZJB8Z9"), "{error:?}");
    assert!(server.seen()[0].contains("LGua2eDFpkb23ooZJB8Z9"));
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn a_container_that_is_not_there_is_an_error_not_an_empty_folder() {
    let place = Place::of_settings(&azure_settings(), &azure_uri(&unique(), "a"));
    let error = place.store.list(None).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("ContainerNotFound"), "{error}");
    let error = place.store.read(&path("x"), &ReadStart::default()).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("ContainerNotFound"), "{error}");
    for content in [vec![1], vec![1; 6 << 20]] {
        let error = place.store.write(&path("x"), &place.file(&content)).await.unwrap_err();
        assert!(error.is_not_found() && error.to_string().contains("ContainerNotFound"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_secrets() {
    let place = behind("http://127.0.0.1:1", "c");
    let error = place.store.list(None).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { attempts: 2, .. }), "{error:?}");
    let begin = "wasbs://c@ann.blob.core.windows.net: no answer after 2 attempts in ";
    assert!(error.to_string().starts_with(begin), "{error}");
    assert!(!format!("{error:?}").contains(AzureServer::KEY), "{error:?}");
}

/// Asks the server for pages of two names, as a signature in the address allows whoever stands in between.
fn by_twos() -> Hostile {
    let server = AzureServer::shared().address();
    Hostile::start(move |head, stream| {
        let head = head.replacen('?', "?maxresults=2&", 1);
        let head = head.trim_end();
        let mut forward = TcpStream::connect(server).unwrap();
        write!(forward, "{head}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        forward.read_to_end(&mut answer).unwrap();
        stream.write_all(&answer).unwrap();
    })
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn a_listing_of_many_pages_is_whole() {
    let (container, relay) = (container(), by_twos());
    let direct = Place::of_settings(&azure_settings(), &azure_uri(&container, "a"));
    let names = ["b/x", "c 1%.txt", "d/y", "e&f=g+h", "z"];
    for name in names {
        direct.write(name, b"x").await;
    }
    let text = format!("BlobEndpoint={}/ann;SharedAccessSignature={}", relay.url(), AzureServer::SIGNATURE);
    let place = Place::of_settings(&azure_settings_of(&text), &azure_uri(&container, "a"));
    assert_eq!(place.list(None).await, ["b/", "c 1%.txt", "d/", "e&f=g+h", "z"]);
    assert_eq!(relay.seen().len(), 3, "{:?}", relay.seen());
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn a_download_goes_on_where_it_broke() {
    let container = container();
    let direct = Place::of_settings(&azure_settings(), &azure_uri(&container, "a"));
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    direct.write("large.bin", &content).await;
    let blob = format!("/ann/{container}/a/large.bin");
    // More often than the library goes on by itself, which compares tags in the answers; we ask for a tag.
    let rules = vec![Rule::new("GET", &blob, Fault::Reset(Moment::InAnswer(1_000_000))).times(4)];
    let proxy = FaultProxy::start(AzureServer::shared().address(), rules);
    let place = behind(&proxy.url(), &container);
    let options = DownloadOptions::default();
    let got =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await.unwrap();
    assert!(std::fs::read(got.path.join("large.bin")).unwrap() == content);
    proxy.assert_rules_met();
    let asked = proxy.requests_to("GET", &blob);
    let last = asked.last().unwrap();
    let range = last.header("range");
    assert!(range.is_some_and(|range| range.starts_with("bytes=") && range != "bytes=0-"), "{asked:?}");
    assert!(last.header("if-match").is_some(), "{asked:?}");
}

#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn an_upload_whose_blocks_are_refused_leaves_what_was_there() {
    let container = container();
    let direct = Place::of_settings(&azure_settings(), &azure_uri(&container, "a"));
    direct.write("x", b"first").await;
    let refusal = "<Error><Code>AuthorizationPermissionMismatch</Code></Error>";
    let rule = Rule::new("PUT", &format!("/ann/{container}/a/x"), Fault::answer(403, &[], refusal));
    let proxy = FaultProxy::start(AzureServer::shared().address(), vec![rule.from_nth(2)]);
    let place = behind(&proxy.url(), &container);
    let error = place.store.write(&path("x"), &place.file(&vec![1; 16 << 20])).await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    proxy.assert_rules_met();
    assert_eq!(direct.text("x").await, "first");
}

/// The first and the last request of an upload in blocks: either may run twice.
#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn an_upload_whose_answers_are_lost_is_done() {
    let container = container();
    let blob = format!("/ann/{container}/a/x");
    let lost = |nth| Rule::new("PUT", &blob, Fault::Reset(Moment::BeforeAnswer)).from_nth(nth);
    // Two blocks, of which one is sent twice, and the list of them.
    let proxy = FaultProxy::start(AzureServer::shared().address(), vec![lost(1), lost(4)]);
    let place = behind(&proxy.url(), &container);
    let content: Vec<u8> = (0..1_600_000_u32).flat_map(u32::to_le_bytes).collect();
    place.write("x", &content).await;
    proxy.assert_rules_met();
    assert!(place.read("x", &ReadStart::default()).await.1 == content);
}

/// The variables that need no address are those of the real service: they are taken, and nothing is asked yet.
#[tokio::test]
async fn the_key_alone_is_enough() {
    for (variable, value) in
        [("AZURE_STORAGE_ACCESS_KEY", AzureServer::KEY), ("AZURE_STORAGE_SAS_TOKEN", AzureServer::SIGNATURE)]
    {
        let place = Place::of_settings(&settings(&[(variable, value)]), &azure_uri("c", "a"));
        assert!(!format!("{:?}", place.store).contains(value));
    }
}
