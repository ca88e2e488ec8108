//! The calls about artifacts and datasets, as a real server answers them.

use mlflow_client::rest::{HttpBody, HttpRequest, RestStore};
use mlflow_client::types::artifacts::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, CreatePresignedDownloadUrl,
    CreatePresignedUploadUrl, DeleteProxiedArtifact, GetPresignedDownload, ListArtifacts,
    ListLoggedModelArtifacts, ListProxiedArtifacts, MultipartUploadPart, file_path,
};
use mlflow_client::types::experiments::{DatasetSummary, SearchDatasets};
use mlflow_client::types::logged_models::CreateLoggedModel;
use mlflow_client::types::runs::LogInputs;
use mlflow_client::types::{Api, Endpoint, Method, Repeat};
use mlflow_client::{Settings, TrackingStore};
use st_testkit::MlflowServer;

use crate::support::{check_code, datasets, experiment, run};

fn connect() -> RestStore {
    RestStore::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap()
}

fn unique(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
}

/// Sends a request for a file's bytes; the answer's status and beginning.
async fn file(store: &RestStore, method: Method, path: &str, body: &'static str) -> (u16, String) {
    let mut request =
        HttpRequest::new(method, store.session().url(Api::Artifacts, &file_path(path)).unwrap());
    request.body = HttpBody::Bytes(body.into());
    let mut answer = store.session().execute("artifacts", request, Repeat::Freely).await.unwrap();
    (answer.status, String::from_utf8(answer.bytes(1000).await.unwrap().to_vec()).unwrap())
}

/// What lies below a root of the server, as path, directory or not, and size.
fn shown(files: Vec<mlflow_client::types::artifacts::FileInfo>) -> Vec<(String, bool, Option<i64>)> {
    files.into_iter().map(|file| (file.path, file.is_dir, file.file_size)).collect()
}

#[tokio::test]
async fn files_are_written_listed_read_and_removed() {
    let store = connect();
    let experiment_id = experiment(&store, &unique("artifacts")).await;
    let run = run(&store, &experiment_id).await.info;
    let root = run.artifact_uri.strip_prefix("mlflow-artifacts:/").unwrap().to_owned();
    let path = format!("{root}/a b/größe?.txt");
    assert_eq!(file(&store, Method::Put, &path, "hello").await.0, 200);
    assert_eq!(file(&store, Method::Get, &path, "").await, (200, "hello".to_owned()));

    let list = |path: Option<&str>| ListArtifacts {
        run_id: run.run_id.clone(),
        path: path.map(str::to_owned),
        page_token: None,
    };
    let top = store.call(&list(None)).await.unwrap();
    assert_eq!(top.root_uri, run.artifact_uri);
    assert_eq!(shown(top.files), [("a b".to_owned(), true, None)]);
    let below = store.call(&list(Some("a b"))).await.unwrap();
    assert_eq!(shown(below.files), [("a b/größe?.txt".to_owned(), false, Some(5))]);
    let behind = ListProxiedArtifacts { path: Some(format!("{root}/a b")) };
    let behind = store.call(&behind).await.unwrap();
    assert_eq!(shown(behind.files), [("größe?.txt".to_owned(), false, Some(5))]);

    store.call(&DeleteProxiedArtifact { path: path.clone() }).await.unwrap();
    assert_eq!(file(&store, Method::Get, &path, "").await.0, 404);
}

#[tokio::test]
async fn files_of_a_logged_model_are_listed() {
    let store = connect();
    let call = CreateLoggedModel {
        experiment_id: experiment(&store, &unique("artifacts")).await,
        name: Some("enc".parse().unwrap()),
        model_type: None,
        source_run_id: None,
        params: Vec::new(),
        tags: Vec::new(),
    };
    let model = store.create_logged_model(&call).await.unwrap().info;
    let root = model.artifact_uri.strip_prefix("mlflow-artifacts:/").unwrap();
    assert_eq!(file(&store, Method::Put, &format!("{root}/x/MLmodel"), "flavors: {}").await.0, 200);
    let list = |directory: Option<&str>| ListLoggedModelArtifacts {
        model_id: model.model_id.clone(),
        artifact_directory_path: directory.map(str::to_owned),
        page_token: None,
    };
    assert_eq!(shown(store.call(&list(None)).await.unwrap().files), [("x".to_owned(), true, None)]);
    let below = store.call(&list(Some("x"))).await.unwrap();
    assert_eq!(shown(below.files), [("x/MLmodel".to_owned(), false, Some(11))]);
}

async fn check_refused<E: Endpoint>(store: &RestStore, call: &E, status: u16, code: &str)
where
    E::Response: Send,
{
    check_code(store.call(call).await.map(drop), status, code);
}

/// Artifacts in a folder of the server: it knows the routes, and says that this place cannot do it.
#[tokio::test]
async fn what_a_folder_cannot_do_is_refused_by_name() {
    let store = connect();
    let run_id = run(&store, &experiment(&store, &unique("artifacts")).await).await.info.run_id;
    let (directory, path) = ("0/x".to_owned(), "model.bin".to_owned());
    let create = CreateMultipartUpload { directory: directory.clone(), path: path.clone(), num_parts: 2 };
    check_refused(&store, &create, 501, "NOT_IMPLEMENTED").await;
    let part = MultipartUploadPart { part_number: 1, etag: "e".into(), url: "u".into() };
    let complete = CompleteMultipartUpload {
        directory: directory.clone(),
        path: path.clone(),
        upload_id: Some("u".into()),
        parts: vec![part],
    };
    check_refused(&store, &complete, 501, "NOT_IMPLEMENTED").await;
    let abort = AbortMultipartUpload { directory, path: path.clone(), upload_id: Some("u".into()) };
    check_refused(&store, &abort, 501, "NOT_IMPLEMENTED").await;
    check_refused(&store, &GetPresignedDownload { path: "0/x/model.bin".into() }, 501, "NOT_IMPLEMENTED")
        .await;
    let upload =
        CreatePresignedUploadUrl { run_id: Some(run_id.clone()), path: path.clone(), ..Default::default() };
    check_refused(&store, &upload, 400, "INVALID_PARAMETER_VALUE").await;
    let download = CreatePresignedDownloadUrl { run_id, path, expiration: Some(60) };
    check_refused(&store, &download, 400, "INVALID_PARAMETER_VALUE").await;
}

#[tokio::test]
async fn datasets_of_an_experiment_are_found() {
    let store = connect();
    let experiment_id = experiment(&store, &unique("datasets")).await;
    let run_id = run(&store, &experiment_id).await.info.run_id;
    store.log_inputs(&LogInputs { run_id, datasets: datasets(), models: Vec::new() }).await.unwrap();
    let found = store.call(&SearchDatasets { experiment_ids: vec![experiment_id.clone()] }).await.unwrap();
    let expected = DatasetSummary {
        experiment_id,
        name: "sts".into(),
        digest: "0a1b2c".into(),
        context: Some("eval".into()),
    };
    assert_eq!(found.dataset_summaries, [expected]);
}
