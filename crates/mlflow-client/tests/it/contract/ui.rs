//! `mlflow ui`, started in a folder that we wrote, shows what is there: to a program, and to a person's browser.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mlflow_client::artifacts::{ArtifactPath, ArtifactSettings, Artifacts, UploadOptions};
use mlflow_client::rest::RestStore;
use mlflow_client::types::logged_models::{CreateLoggedModel, FinalizeLoggedModel, LoggedModelStatus};
use mlflow_client::types::model_versions::CreateModelVersion;
use mlflow_client::types::runs::RunStatus;
use mlflow_client::types::tags::Tag;
use mlflow_client::types::{ExperimentId, ModelId, RunId};
use mlflow_client::{ActiveRun, Client, EmbeddedStore, RunOptions, Settings};
use serde_json::{Value, json};
use st_testkit::{MlflowServer, ServerOptions};

use crate::everything::{check_same, found, write};

const ML_MODEL: &str = "flavors: {}\n";

/// A run and the model that it made, registered, with files of both.
async fn log_model(client: &Client) -> (RunId, ModelId) {
    let experiment_id: ExperimentId = "0".parse().unwrap();
    let options = RunOptions::new(experiment_id.clone()).with_run_name("trained");
    let run = ActiveRun::start(Arc::clone(client.tracking()), options).await.unwrap();
    run.log_param("rate", 0.1).unwrap();
    for (step, loss) in (0..).zip([0.5, 1.0 / 3.0, 5e-324]) {
        run.log_metric("loss", loss, step).unwrap();
    }
    let note = ArtifactPath::try_new("notes/größe.txt").unwrap();
    run.artifacts(client.artifacts()).unwrap().log_text("hü\n", &note).await.unwrap();

    let call = CreateLoggedModel {
        experiment_id,
        name: Some("encoder".parse().unwrap()),
        model_type: None,
        source_run_id: Some(run.run_id().clone()),
        params: Vec::new(),
        tags: vec![Tag::new("pooling", "mean")],
    };
    let info = client.tracking().create_logged_model(&call).await.unwrap().info;
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("MLmodel"), ML_MODEL).unwrap();
    let uri = info.artifact_uri.parse().unwrap();
    client.artifacts().upload(files.path(), &uri, &UploadOptions::default()).await.unwrap();
    let call = FinalizeLoggedModel { model_id: info.model_id.clone(), status: LoggedModelStatus::Ready };
    client.tracking().finalize_logged_model(&call).await.unwrap();
    run.log_output_model(info.model_id.clone(), 2).unwrap();
    let run_id = run.run_id().clone();
    assert!(run.end(RunStatus::Finished).await.unwrap().is_complete());

    let name = "searcher".parse().unwrap();
    client.registered_models().get_or_create(&name).await.unwrap();
    let call = CreateModelVersion {
        name: name.clone(),
        source: format!("models:/{}", info.model_id),
        run_id: Some(run_id.clone()),
        tags: Vec::new(),
        run_link: None,
        description: None,
        model_id: Some(info.model_id.clone()),
    };
    let version = client.model_versions().create(&call).await.unwrap().version;
    client.registered_models().set_alias(&name, &"champion".parse().unwrap(), version).await.unwrap();
    (run_id, info.model_id)
}

fn store(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open_default(folder).unwrap()
}

#[tokio::test]
async fn mlflow_ui_shows_what_was_written_into_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(&store(folder.path())).await;
    let client = Client::of(store(folder.path()), Artifacts::new(ArtifactSettings::default()));
    let (run_id, model_id) = log_model(&client).await;
    drop(client);

    let server = MlflowServer::start(&ServerOptions::default().with_ui_of(folder.path()));
    let rest = RestStore::connect(&Settings::for_tracking_uri(server.url())).unwrap();
    let shown = found(&rest).await;
    assert_eq!((shown.runs.len(), shown.logged_models.len(), shown.model_versions.len()), (4, 3, 3));
    check_same(shown, found(&store(folder.path())).await);

    check_pages(&server, &run_id, &model_id);
    check_files(&server, &run_id, &model_id);
}

/// The page, and what it asks for.
fn check_pages(server: &MlflowServer, run_id: &RunId, model_id: &ModelId) {
    let page = server.get("/");
    let text = String::from_utf8(page.body).unwrap();
    assert_eq!(page.status, 200);
    assert!(page.content_type.starts_with("text/html"), "{}", page.content_type);
    assert!(text.contains("<title>MLflow</title>") && text.contains("static-files/"), "{text}");

    let run = ask(server, &format!("runs/get?run_id={run_id}"));
    assert_eq!(run["run"]["info"]["run_name"], "trained");
    assert_eq!(run["run"]["info"]["status"], "FINISHED");
    assert_eq!(run["run"]["data"]["params"], json!([{"key": "rate", "value": "0.1"}]));
    let history = ask(server, &format!("metrics/get-history?run_id={run_id}&metric_key=loss"));
    let values =
        history["metrics"].as_array().unwrap().iter().map(|metric| metric["value"].as_f64().unwrap());
    assert_eq!(values.collect::<Vec<_>>(), [0.5, 1.0 / 3.0, 5e-324]);

    let model = ask(server, &format!("logged-models/{model_id}"));
    assert_eq!(model["model"]["info"]["name"], "encoder");
    assert_eq!(model["model"]["info"]["status"], "LOGGED_MODEL_READY");
    assert_eq!(model["model"]["info"]["source_run_id"], run_id.as_str());
    let version = ask(server, "registered-models/alias?name=searcher&alias=champion");
    assert_eq!(version["model_version"]["version"], "1");
    assert_eq!(version["model_version"]["run_id"], run_id.as_str());
}

/// Files of the run, of the model and of the registered version: their lists, and what is in them.
fn check_files(server: &MlflowServer, run_id: &RunId, model_id: &ModelId) {
    let notes = json!([{"path": "notes/größe.txt", "is_dir": false, "file_size": 4}]);
    assert_eq!(ask(server, &format!("artifacts/list?run_id={run_id}&path=notes"))["files"], notes);
    check_file(server, &format!("/get-artifact?path=notes/gr%C3%B6%C3%9Fe.txt&run_uuid={run_id}"), "hü\n");

    let files = ask(server, &format!("logged-models/{model_id}/artifacts/directories"));
    assert_eq!(files["files"], json!([{"path": "MLmodel", "is_dir": false, "file_size": ML_MODEL.len()}]));
    let path = format!("logged-models/{model_id}/artifacts/files?artifact_file_path=MLmodel");
    check_file(server, &format!("/ajax-api/2.0/mlflow/{path}"), ML_MODEL);
    check_file(server, "/model-versions/get-artifact?path=MLmodel&name=searcher&version=1", ML_MODEL);
}

/// By the route of the page, which is not that of programs.
#[track_caller]
fn ask(server: &MlflowServer, path: &str) -> Value {
    let page = server.get(&format!("/ajax-api/2.0/mlflow/{path}"));
    assert_eq!(page.status, 200, "{path}: {page:?}");
    page.json()
}

#[track_caller]
fn check_file(server: &MlflowServer, path: &str, contents: &str) {
    let page = server.get(path);
    assert_eq!((page.status, String::from_utf8_lossy(&page.body).as_ref()), (200, contents), "{path}");
}
