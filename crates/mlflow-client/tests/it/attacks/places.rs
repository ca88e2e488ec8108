//! Places of artifacts that a server may not choose.

use std::path::Path;
use std::sync::Arc;

use mlflow_client::artifacts::{ArtifactPath, ArtifactStore, DownloadOptions, ReadStart, UploadOptions};
use mlflow_client::uri::{ArtifactUri, Resolved};
use mlflow_client::{Client, Error, Settings};

use super::{Hostile, reply};

/// A client with a password at this server.
fn client(server: &Hostile, variables: &[(&str, &str)]) -> Client {
    let uri = server.url().replace("http://", "http://ann:correct-horse@");
    let variable = |name: &str| {
        let own = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        own.or_else(|| (name == "MLFLOW_TRACKING_URI").then(|| uri.clone()))
            .or_else(|| (name == "MLFLOW_HTTP_REQUEST_MAX_RETRIES").then(|| "0".to_owned()))
    };
    Client::connect(&Settings::from_environment(&variable).unwrap()).unwrap()
}

fn given(client: &Client, uri: &str) -> Result<Arc<dyn ArtifactStore>, Error> {
    client.artifacts().open_given(&uri.parse().unwrap())
}

/// Every way to a file: a listing, a download, an upload. What each was refused with.
async fn attempts(client: &Client, uri: &str) -> Vec<Error> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), "ours").unwrap();
    let uri: ArtifactUri = uri.parse().unwrap();
    let resolved = Resolved::of_store(uri.clone());
    let artifacts = client.artifacts();
    let (download, upload) = (DownloadOptions::default(), UploadOptions::default());
    vec![
        artifacts.download(&resolved, &folder.path().join("new"), &download).await.unwrap_err(),
        artifacts.upload(folder.path(), &uri, &upload).await.unwrap_err(),
        artifacts.open_resolved(&resolved).map(drop).unwrap_err(),
    ]
}

#[tokio::test]
async fn a_host_that_a_server_names_hears_nothing() {
    let (server, other) = (Hostile::saying("200 OK", "", "{}"), Hostile::saying("200 OK", "", "{}"));
    let client = client(&server, &[]);
    for uri in [
        format!("mlflow-artifacts://{}/1", other.url().trim_start_matches("http://")),
        format!("{}/1", other.url()),
        "mlflow-artifacts://mlflow.test/1".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
        // The same host with another port, and with a name that only looks like it.
        "mlflow-artifacts://127.0.0.1/1".to_owned(),
        format!("mlflow-artifacts://localhost:{}/1", server.address.port()),
        format!("https://{}/1", server.address),
    ] {
        for error in attempts(&client, &uri).await {
            let problem =
                "the server names another host, which is not among the allowed ones (ST_ALLOWED_HOSTS)";
            assert_eq!(error.to_string(), format!("{uri}: {problem}"));
        }
    }
    assert_eq!(other.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn an_allowed_host_is_asked_as_nobody() {
    let server = Hostile::saying("200 OK", "", "{}");
    let other = Arc::new(Hostile::saying("200 OK", "", "{\"files\": []}"));
    let allowed = other.url();
    let client = client(&server, &[("ST_ALLOWED_HOSTS", &format!("files.test, {allowed}"))]);
    let uri = format!("mlflow-artifacts://{}/1", other.address);
    given(&client, &uri).unwrap().list(None).await.unwrap();
    let path = ArtifactPath::try_new("x").unwrap();
    given(&client, &format!("{allowed}/1")).unwrap().read(&path, &ReadStart::default()).await.unwrap();
    let seen = other.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|head| !head.to_ascii_lowercase().contains("authorization")), "{seen:?}");
}

/// Python takes any spelling of the server's own name.
#[tokio::test]
async fn the_servers_own_host_may_be_spelt_in_every_way() {
    let client = |uri: &str| Client::connect(&Settings::for_tracking_uri(uri)).unwrap();
    for (server, uri) in [
        ("https://mlflow.test", "mlflow-artifacts://mlflow.test:443/1"),
        ("https://mlflow.test:443", "mlflow-artifacts://MLflow.Test/1"),
        ("http://MLFLOW.test/prefix", "mlflow-artifacts://mlflow.test:80/1"),
        ("http://[::1]:5000", "mlflow-artifacts://[0:0:0::1]:5000/1"),
        ("https://mlflow.test", "https://mlflow.test:443/1"),
    ] {
        given(&client(server), uri).unwrap_or_else(|error| panic!("{server}: {error}"));
    }
    for (server, uri) in [
        ("https://mlflow.test", "mlflow-artifacts://mlflow.test:80/1"),
        ("https://mlflow.test:8443", "mlflow-artifacts://mlflow.test/1"),
        ("https://mlflow.test", "http://mlflow.test/1"),
    ] {
        given(&client(server), uri).unwrap_err();
    }
}

#[tokio::test]
async fn files_are_not_led_to_another_origin() {
    let elsewhere = Hostile::saying("200 OK", "", "{}");
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = elsewhere.url();
        let server = Hostile::start(move |head, stream| {
            let headers = format!("Location: {to}/stolen\r\n");
            // The listing is the server's own; only files lead away.
            if head.lines().next().unwrap_or_default().contains("?path=") {
                reply(stream, "200 OK", "", "{\"files\": [{\"path\": \"x\", \"file_size\": 4}]}");
            } else {
                reply(stream, status, &headers, "");
            }
        });
        let client = client(&server, &[]);
        let errors = attempts_at_files(&client).await;
        for error in errors {
            assert!(matches!(error, Error::Redirect { .. }), "{status}: {error:?}");
            assert!(error.to_string().ends_with("which is another origin: nothing is sent there"), "{error}");
        }
        let verbs = ["GET", "PUT"].map(|verb| server.seen().iter().any(|head| head.starts_with(verb)));
        assert_eq!(verbs, [true, true]);
    }
    assert_eq!(elsewhere.seen(), Vec::<String>::new());
}

async fn attempts_at_files(client: &Client) -> [Error; 2] {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), "ours").unwrap();
    let uri: ArtifactUri = "mlflow-artifacts:/1".parse().unwrap();
    let resolved = Resolved::of_store(uri.clone());
    let artifacts = client.artifacts();
    let to = folder.path().join("new");
    [
        artifacts.download(&resolved, &to, &DownloadOptions::default()).await.unwrap_err(),
        artifacts.upload(folder.path(), &uri, &UploadOptions::default()).await.unwrap_err(),
    ]
}

/// Uploads one file with this content, as a model is.
async fn upload(client: &Client, root: &Path, content: &str) -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("requirements.txt"), content).unwrap();
    let uri: ArtifactUri = root.display().to_string().parse().unwrap();
    client.artifacts().upload(folder.path(), &uri, &UploadOptions::default()).await.map(drop)
}

#[tokio::test]
async fn a_server_that_names_the_users_own_folder_replaces_nothing_in_it() {
    let server = Hostile::saying("200 OK", "", "{}");
    let client = client(&server, &[]);
    let project = tempfile::tempdir().unwrap();
    let theirs = project.path().join("requirements.txt");
    std::fs::write(&theirs, "numpy\n").unwrap();
    for content in ["torch\n", "numpy", "numpy\n\n", "numpx\n", ""] {
        let error = upload(&client, project.path(), content).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{}: cannot write", theirs.display()));
        let why = super::chain(&error);
        assert!(why.contains("set ST_SERVER_FOLDERS=replace"), "{why}");
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "numpy\n");
    }
    assert_eq!(std::fs::read_dir(project.path()).unwrap().count(), 1, "a draft was left");
    // The very same may be there: an upload that is tried again.
    upload(&client, project.path(), "numpy\n").await.unwrap();

    // A link leads to a file that is not ours to replace, even if it leads to nothing.
    #[cfg(unix)]
    {
        std::fs::remove_file(&theirs).unwrap();
        std::os::unix::fs::symlink(project.path().join("nothing"), &theirs).unwrap();
        upload(&client, project.path(), "torch\n").await.unwrap_err();
        assert!(std::fs::symlink_metadata(&theirs).unwrap().is_symlink());
    }
}

/// A server and its clients that share a file system: new files go there, and what grows may grow.
#[tokio::test]
async fn a_shared_folder_works() {
    let server = Hostile::saying("200 OK", "", "{}");
    let shared = tempfile::tempdir().unwrap();
    let (one, other) = (client(&server, &[]), client(&server, &[]));
    let root = shared.path().join("1/artifacts");
    upload(&one, &root, "a\n").await.unwrap();
    upload(&one, &root, "a\nb\n").await.unwrap();
    upload(&other, &root, "c\n").await.unwrap_err();
    assert_eq!(std::fs::read_to_string(root.join("requirements.txt")).unwrap(), "a\nb\n");

    let replacing = client(&server, &[("ST_SERVER_FOLDERS", "replace")]);
    upload(&replacing, &root, "c\n").await.unwrap();
    assert_eq!(std::fs::read_to_string(root.join("requirements.txt")).unwrap(), "c\n");
}

#[tokio::test]
async fn folders_that_a_server_names_can_be_forbidden() {
    let server = Hostile::saying("200 OK", "", "{}");
    let client = client(&server, &[("ST_SERVER_FOLDERS", "refuse")]);
    let folder = tempfile::tempdir().unwrap();
    let uri = folder.path().join("new").display().to_string();
    for error in attempts(&client, &uri).await {
        let problem = "a server may not name folders of this machine (ST_SERVER_FOLDERS)";
        assert_eq!(error.to_string(), format!("{uri}: {problem}"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // What the user names is another matter.
    client.artifacts().open(&uri.parse().unwrap()).unwrap();
    let wrong = |name: &str| (name == "ST_SERVER_FOLDERS").then(|| "no".to_owned());
    assert_eq!(
        Settings::from_environment(&wrong).unwrap_err().to_string(),
        "ST_SERVER_FOLDERS: `no` is none of `add`, `replace` and `refuse`"
    );
}

/// The embedded store is the user's own: its folders are written as Python writes them, and its addresses are asked.
#[cfg(feature = "embedded")]
#[tokio::test]
async fn the_embedded_store_names_what_it_likes() {
    let web = Hostile::saying("200 OK", "", "from the web");
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    let client = Client::connect(&Settings::for_tracking_uri(&*database)).unwrap();
    let root = folder.path().join("root");
    upload(&client, &root, "a\n").await.unwrap();
    let again = Client::connect(&Settings::for_tracking_uri(&*database)).unwrap();
    upload(&again, &root, "b\n").await.unwrap();

    let path = ArtifactPath::try_new("MLmodel").unwrap();
    let store = given(&client, &format!("{}/models/1", web.url())).unwrap();
    let read = store.read(&path, &ReadStart::default()).await.unwrap();
    assert_eq!(read.bytes(100).await.unwrap(), b"from the web");
    assert!(web.seen()[0].starts_with("GET /models/1/MLmodel "), "{:?}", web.seen());
    assert!(!web.seen()[0].to_ascii_lowercase().contains("x-mlflow"), "{:?}", web.seen());

    // The user names one, and a whole download comes of it.
    let resolved = client.resolve(&format!("{}/a.txt", web.url()).parse().unwrap()).await.unwrap();
    let got =
        client.artifacts().download(&resolved, &folder.path().join("got"), &DownloadOptions::default()).await;
    assert_eq!(std::fs::read_to_string(got.unwrap().path).unwrap(), "from the web");
    let error = given(&client, "mlflow-artifacts:/1").unwrap_err().to_string();
    assert_eq!(error, "mlflow-artifacts:/1: there is no tracking server to reach it through");
}

/// A database of one's own beside a registry on a server: that may be hostile.
#[cfg(feature = "embedded")]
#[tokio::test]
async fn a_registry_on_a_server_is_not_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    let mut settings = Settings::for_tracking_uri(&*database);
    settings.registry_uri = Some("http://127.0.0.1:1".into());
    let client = Client::connect(&settings).unwrap();
    let root = folder.path().join("project");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("requirements.txt"), "numpy\n").unwrap();
    upload(&client, &root, "torch\n").await.unwrap_err();
    given(&client, "http://169.254.169.254/latest").unwrap_err();
}
