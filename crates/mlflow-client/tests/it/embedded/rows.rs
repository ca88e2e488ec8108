//! Rows as Python writes them, and refusals in the server's words.

use mlflow_client::types::experiments::{DeleteExperiment, RestoreExperiment};
use mlflow_client::types::logged_models::CreateLoggedModel;
use mlflow_client::types::metrics::{GetMetricHistory, Metric};
use mlflow_client::types::model_versions::{CreateModelVersion, SearchModelVersions};
use mlflow_client::types::registered_models::{CreateRegisteredModel, RenameRegisteredModel};
use mlflow_client::types::runs::{GetRun, LogBatch, LogMetric, LogParam, SearchRuns, SetTag};
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::{RegistryStore, TrackingStore};
use rusqlite::Connection;

use super::{check_refused, experiment, run, run_id, store};

#[tokio::test]
async fn a_run_as_python_writes_it() {
    let (folder, store) = store();
    let run = run(&store, &"0".parse().unwrap()).await;
    let connection = Connection::open(folder.path().join("mlflow.db")).unwrap();
    let row: String = connection
        .query_row(
            "SELECT json_array(source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
                               source_version, lifecycle_stage, experiment_id, deleted_time) FROM runs",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(row, r#"["UNKNOWN","","","ann","RUNNING",1700000000000,null,"","active",0,null]"#);
    let tag: (String, String) = connection
        .query_row("SELECT key, value FROM tags", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(tag, ("mlflow.runName".to_owned(), run.info.run_name.clone()));
    assert_eq!(run.info.run_name.split('-').count(), 3, "{}", run.info.run_name);
    let artifacts = folder.path().join("mlruns/0").join(run.info.run_id.as_str()).join("artifacts");
    assert_eq!(run.info.artifact_uri, artifacts.to_str().unwrap());
}

#[tokio::test]
async fn metrics_and_their_latest() {
    let (folder, store) = store();
    let run_id = run_id(&store).await;
    let metrics = vec![
        Metric::new("loss", f64::NAN, 5, 1),
        Metric::new("loss", f64::INFINITY, 4, 0),
        Metric::new("loss", -1.0, 5, 1),
        Metric::new("loss", -1.0, 5, 1),
        Metric::new("acc", f64::NEG_INFINITY, 1, -3),
    ];
    let call = LogBatch { run_id: run_id.clone(), metrics, params: Vec::new(), tags: Vec::new() };
    store.log_batch(&call).await.unwrap();
    store.log_batch(&call).await.unwrap();
    let connection = Connection::open(folder.path().join("mlflow.db")).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let rows = list("SELECT json_array(key, step, is_nan, value) FROM metrics ORDER BY key, step, value");
    assert_eq!(
        rows,
        [
            "[\"acc\",-3,0,-1.7976931348623157e+308]",
            "[\"loss\",0,0,1.7976931348623157e+308]",
            "[\"loss\",1,0,-1.0]",
            "[\"loss\",1,1,0.0]"
        ]
    );
    // At one step and time the greater value is the latest; what is no number counts as 0.
    let latest = list("SELECT json_array(key, step, is_nan) FROM latest_metrics ORDER BY key");
    assert_eq!(latest, ["[\"acc\",-3,0]", "[\"loss\",1,1]"]);
    let mut history =
        GetMetricHistory { run_id, metric_key: "loss".into(), max_results: Some(2), page_token: None };
    let first = store.get_metric_history(&history).await.unwrap();
    assert_eq!(first.metrics.iter().map(|metric| metric.step).collect::<Vec<_>>(), [0, 1]);
    history.page_token = first.next_page_token;
    let second = store.get_metric_history(&history).await.unwrap();
    assert!(second.metrics[0].value.is_nan() && second.next_page_token.is_none());
}

#[tokio::test]
async fn params_are_set_once() {
    let (_folder, store) = store();
    let run_id = run_id(&store).await;
    let mut call = LogParam { run_id: run_id.clone(), key: "lr".into(), value: "0.1".into() };
    store.log_param(&call).await.unwrap();
    store.log_param(&call).await.unwrap();
    call.value = "0.2".into();
    check_refused(
        store.log_param(&call).await,
        400,
        "INVALID_PARAMETER_VALUE",
        &format!(
            "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run \
             ID='{run_id}'. Attempted logging new value '0.2'."
        ),
    );
    let params = vec![Param::new("new", "1"), Param::new("lr", "it's")];
    let batch =
        LogBatch { run_id: run_id.clone(), metrics: vec![Metric::new("a", 1.0, 1, 0)], params, tags: vec![] };
    check_refused(
        store.log_batch(&batch).await,
        400,
        "INVALID_PARAMETER_VALUE",
        &format!(
            "Changing param values is not allowed. Params were already logged='[{{'key': 'lr', 'old_value': '0.1', \
             'new_value': \"it's\"}}]' for run ID='{run_id}'."
        ),
    );
    let run = store.get_run(&GetRun { run_id: run_id.clone() }).await.unwrap();
    assert_eq!(run.data.params, [Param::new("lr", "0.1")], "a refused batch leaves nothing");
    assert!(run.data.metrics.is_empty());
    call.value = "x".repeat(6001);
    call.key = "long".into();
    check_refused(
        store.log_param(&call).await,
        400,
        "INVALID_PARAMETER_VALUE",
        "'Param value' exceeds the maximum length of 6000 characters",
    );
}

#[tokio::test]
async fn a_run_name_is_a_tag() {
    let (_folder, store) = store();
    let run_id = run_id(&store).await;
    let call = SetTag { run_id: run_id.clone(), key: "mlflow.runName".into(), value: "other".into() };
    store.set_tag(&call).await.unwrap();
    let run = store.get_run(&GetRun { run_id }).await.unwrap();
    assert_eq!(
        (run.info.run_name.as_str(), run.data.tags),
        ("other", vec![Tag::new("mlflow.runName", "other")])
    );
}

#[tokio::test]
async fn runs_go_and_come_with_their_experiment() {
    let (_folder, store) = store();
    let experiment_id = experiment(&store, "gone").await;
    let run_id = run(&store, &experiment_id).await.info.run_id;
    store.delete_experiment(&DeleteExperiment { experiment_id: experiment_id.clone() }).await.unwrap();
    check_refused(
        store.log_metric(&LogMetric::new(run_id.clone(), "a", 1.0, 1, 0)).await,
        400,
        "INVALID_PARAMETER_VALUE",
        &format!("The run {run_id} must be in the 'active' state. Current state is deleted."),
    );
    check_refused(
        store.delete_experiment(&DeleteExperiment { experiment_id: experiment_id.clone() }).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        "No Experiment with id=1 exists",
    );
    store.restore_experiment(&RestoreExperiment { experiment_id }).await.unwrap();
    store.log_metric(&LogMetric::new(run_id, "a", 1.0, 1, 0)).await.unwrap();
}

fn version_of(name: &str, source: &str) -> CreateModelVersion {
    CreateModelVersion {
        name: name.parse().unwrap(),
        source: source.to_owned(),
        run_id: None,
        tags: vec![Tag::new("stage", "a")],
        run_link: None,
        description: None,
        model_id: None,
    }
}

#[tokio::test]
async fn a_version_of_a_logged_model() {
    let (_folder, store) = store();
    let run_id = run_id(&store).await;
    let call = CreateLoggedModel {
        experiment_id: "0".parse().unwrap(),
        name: None,
        model_type: None,
        source_run_id: Some(run_id.clone()),
        params: vec![Param::new("pooling", "mean")],
        tags: Vec::new(),
    };
    let model = store.create_logged_model(&call).await.unwrap();
    let name = "größe".parse().unwrap();
    let call = CreateRegisteredModel { name, tags: Vec::new(), description: None };
    store.create_registered_model(&call).await.unwrap();
    check_refused(
        store.create_registered_model(&call).await,
        400,
        "RESOURCE_ALREADY_EXISTS",
        "Registered Model (name=größe) already exists.",
    );
    let source = format!("models:/{}", model.info.model_id);
    let version = store.create_model_version(&version_of("größe", &source)).await.unwrap();
    assert_eq!(version.run_id.as_deref(), Some(run_id.as_str()));
    assert_eq!(version.model_id.as_deref(), Some(model.info.model_id.as_str()));
    let second = store.create_model_version(&version_of("größe", "models:/größe/latest")).await.unwrap();
    assert_eq!((second.version.get(), second.run_id), (2, version.run_id));
    let get = mlflow_client::types::logged_models::GetLoggedModel { model_id: model.info.model_id };
    let tags = store.get_logged_model(&get).await.unwrap().info.tags;
    let noted = r#"[{"name": "gr\u00f6\u00dfe", "version": 1}, {"name": "gr\u00f6\u00dfe", "version": 2}]"#;
    assert_eq!(tags, [Tag::new("mlflow.modelVersions", noted)]);
    let call = RenameRegisteredModel { name: "größe".parse().unwrap(), new_name: "size".parse().unwrap() };
    store.rename_registered_model(&call).await.unwrap();
    let found = store.search_model_versions(&SearchModelVersions::default()).await.unwrap().model_versions;
    let found: Vec<_> =
        found.iter().map(|found| (found.name.as_str(), found.version.get(), &found.tags)).collect();
    let tags = vec![Tag::new("stage", "a")];
    assert_eq!(found, [("size", 2, &tags), ("size", 1, &tags)]);
    check_refused(
        store.create_model_version(&version_of("size", "models:/m-none")).await,
        500,
        "INTERNAL_ERROR",
        "Unable to fetch model from model URI source artifact location 'models:/m-none'.Error: \
         RESOURCE_DOES_NOT_EXIST: Logged model with ID 'm-none' not found.",
    );
}

#[tokio::test]
async fn values_of_filters_are_bound() {
    let (_folder, store) = store();
    let run_id = run_id(&store).await;
    let odd = "it's; DROP TABLE runs --";
    let call = SetTag { run_id: run_id.clone(), key: "odd key`".replace('`', ""), value: odd.into() };
    store.set_tag(&call).await.unwrap();
    let search = |filter: &str| SearchRuns {
        experiment_ids: vec!["0".parse().unwrap()],
        filter: Some(filter.to_owned()),
        order_by: vec!["metrics.`a'b` DESC".into(), "tags.`odd key`".into(), "attributes.run_name".into()],
        ..SearchRuns::default()
    };
    let found = store.search_runs(&search(&format!("tags.`odd key` = \"{odd}\""))).await.unwrap().runs;
    assert_eq!(found.iter().map(|run| &run.info.run_id).collect::<Vec<_>>(), [&run_id]);
    let none = store.search_runs(&search("tags.`odd key` LIKE 'IT%'")).await.unwrap().runs;
    assert!(none.is_empty(), "LIKE heeds case");
    let found =
        store.search_runs(&search("tags.`odd key` ILIKE 'IT%' AND params.none IS NULL")).await.unwrap().runs;
    assert_eq!(found.len(), 1);
}
