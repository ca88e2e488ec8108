//! Whole folders, there and back.

use mlflow_client::Error;
use mlflow_client::artifacts::{ArtifactPath, Digest, DownloadOptions, UploadOptions};

use super::{Place, files_in, path};

const FILES: [(&str, &str); 4] = [
    ("MLmodel", "flavors: {}\n"),
    ("model.sentence_transformer/config.json", "{}"),
    ("model.sentence_transformer/1_Pooling/config.json", "{\"a\": \"ü\"}"),
    ("model.sentence_transformer/empty.txt", ""),
];

async fn upload(place: &Place) {
    let folder = place.folder.path().join("given");
    for (name, content) in FILES {
        let file = path(name).under(&folder);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    let sent = place.artifacts.upload(&folder, place.uri(), &UploadOptions::default()).await.unwrap();
    let mut names = FILES.map(|(name, _)| name);
    names.sort_unstable();
    assert_eq!(sent.files.keys().map(ArtifactPath::as_str).collect::<Vec<_>>(), names);
}

pub(super) async fn one_goes_up_and_comes_down(place: &Place) {
    upload(place).await;
    let options = DownloadOptions::default();
    let got =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await.unwrap();
    assert_eq!(got.files.len(), FILES.len());
    for file in &got.files {
        let content = FILES.iter().find(|(name, _)| *name == file.path.as_str()).unwrap().1;
        assert_eq!(file.digest, Digest::of(content.as_bytes()));
        assert_eq!(std::fs::read_to_string(file.path.under(&got.path)).unwrap(), content);
    }
    // A part of it.
    let there = place.folder.path().join("part");
    let part = place.resolved(Some("model.sentence_transformer")).await;
    place.artifacts.download(&part, &there, &options).await.unwrap();
    assert_eq!(files_in(&there), ["1_Pooling/config.json", "config.json", "empty.txt"]);
}

pub(super) async fn a_single_file_comes_down(place: &Place) {
    upload(place).await;
    let file = place.resolved(Some("model.sentence_transformer/1_Pooling/config.json")).await;
    let got =
        place.artifacts.download(&file, &place.destination(), &DownloadOptions::default()).await.unwrap();
    assert_eq!(got.path, place.destination().join("config.json"));
    assert_eq!(files_in(&place.destination()), ["config.json"]);
}

pub(super) async fn nothing_is_left_of_one_that_is_damaged(place: &Place) {
    upload(place).await;
    let options = DownloadOptions::default().with_inspection(|folder, files| {
        let mlmodel = files.iter().find(|file| file.path.name() == "MLmodel").unwrap();
        assert_eq!(mlmodel.digest, Digest::of(&std::fs::read(folder.join("MLmodel")).unwrap()));
        Err(Error::Damaged { artifact: "MLmodel".to_owned(), problem: "it is something else".to_owned() })
    });
    let downloaded =
        place.artifacts.download(&place.resolved(None).await, &place.destination(), &options).await;
    let error = downloaded.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    let left: Vec<_> =
        files_in(place.folder.path()).into_iter().filter(|file| !file.starts_with("given")).collect();
    let left: Vec<_> = left.into_iter().filter(|file| !file.starts_with("root")).collect();
    assert_eq!(left, Vec::<String>::new());
}

pub(super) async fn what_is_not_there_is_said_to_be_missing(place: &Place) {
    upload(place).await;
    for name in ["none", "model.sentence_transformer/none", "MLmodel/none"] {
        let options = DownloadOptions::default();
        let got =
            place.artifacts.download(&place.resolved(Some(name)).await, &place.destination(), &options).await;
        let error = got.unwrap_err();
        assert!(error.is_not_found(), "{name}: {error:?}");
        assert!(!place.destination().exists());
    }
}
