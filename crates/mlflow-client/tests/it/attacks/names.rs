//! Names of files that would lead out of the folder that they are downloaded into.

use mlflow_client::Error;
use mlflow_client::artifacts::{ArtifactPath, DownloadOptions};
use mlflow_client::uri::ArtifactUri;

use super::{Hostile, reply};

/// A server whose listing has files of these names, and every file the same content.
fn listing(names: &[&str]) -> Hostile {
    let file = |name| serde_json::json!({"path": name, "is_dir": false, "file_size": 4});
    let files: Vec<_> = names.iter().map(file).collect();
    let listing = serde_json::json!({"files": files}).to_string();
    Hostile::start(move |head, stream| {
        let line = head.lines().next().unwrap_or_default();
        let body = if line.contains("?path=") || line.contains("artifacts HTTP") { &listing } else { "evil" };
        reply(stream, "200 OK", "", body);
    })
}

async fn download(server: &Hostile, folder: &std::path::Path) -> Result<(), Error> {
    let client = server.client();
    let uri: ArtifactUri = "mlflow-artifacts:/1/model".parse()?;
    let resolved = client.resolve(&uri).await?;
    client.artifacts().download(&resolved, folder, &DownloadOptions::default()).await.map(drop)
}

#[tokio::test]
async fn a_plain_name_arrives() {
    let place = tempfile::tempdir().unwrap();
    download(&listing(&["MLmodel"]), &place.path().join("model")).await.unwrap();
    assert_eq!(std::fs::read(place.path().join("model/MLmodel")).unwrap(), b"evil");
}

#[tokio::test]
async fn nothing_is_written_outside_of_the_folder() {
    let names = [
        "../evil",
        "a/../../evil",
        "..",
        ".",
        "",
        "/etc/evil",
        "//host/evil",
        "C:/evil",
        "C:evil",
        "..\\evil",
        "a\\..\\..\\evil",
        "%2e%2e/evil",
        "..%2fevil",
        "%252e%252e%252fevil",
        "a/%2e%2e/%2e%2e/evil",
        "a//b",
        "a/./b",
        "a/",
        "evil\u{0}.txt",
        "evil\n",
        "\u{1b}[31m",
        "model#evil",
        "~/evil/../..",
        "a/../b",
    ];
    for name in names {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("deep/model");
        let failed = download(&listing(&[name]), &folder).await;
        assert!(failed.is_err(), "{name:?}");
        let left: Vec<_> = std::fs::read_dir(place.path().join("deep"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "{name:?} left {left:?}");
        assert!(
            std::fs::read_dir(place.path()).unwrap().all(|entry| entry.unwrap().file_name() == "deep"),
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn a_name_as_long_as_no_file_system_takes_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let failed = download(&listing(&[&"x/".repeat(5000)]), &place.path().join("model")).await.unwrap_err();
    assert!(failed.to_string().len() < 500, "{failed}");
    assert!(ArtifactPath::try_new("x".repeat(5000)).is_err());
}

/// One file twice, and a file that is a folder as well: whichever came last would win.
#[tokio::test]
async fn a_name_that_comes_twice_is_refused() {
    for names in [["a", "a"], ["a", "a/b"], ["MODEL", "model"]] {
        let place = tempfile::tempdir().unwrap();
        let answer = download(&listing(&names), &place.path().join("model")).await;
        // Names that differ by case are two files here, and one on other systems.
        assert_eq!(
            answer.is_ok(),
            names == ["MODEL", "model"] && cfg!(target_os = "linux"),
            "{names:?}: {answer:?}"
        );
    }
}
