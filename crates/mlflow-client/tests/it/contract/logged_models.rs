//! Logged models, which MLflow 3 began.

use mlflow_client::types::inputs::{ModelInput, ModelOutput};
use mlflow_client::types::logged_models::{
    CreateLoggedModel, DeleteLoggedModel, DeleteLoggedModelTag, FinalizeLoggedModel, GetLoggedModel,
    LogLoggedModelParams, LoggedModel, LoggedModelStatus, SearchLoggedModels, SetLoggedModelTags,
};
use mlflow_client::types::model_versions::{CreateModelVersion, GetModelVersion};
use mlflow_client::types::runs::{LogInputs, LogMetric, LogOutputs};
use mlflow_client::types::tags::{Param, Tag, system};
use mlflow_client::types::{ExperimentId, ModelId, RunId};

use super::{Backend, version_of};
use crate::support::{LONG_AGO, all_pages, check_code, check_refused};

async fn create(backend: &Backend, experiment_id: &ExperimentId, name: &str, run: Option<RunId>) -> ModelId {
    let call = CreateLoggedModel {
        experiment_id: experiment_id.clone(),
        name: Some(name.parse().unwrap()),
        model_type: Some("encoder".into()),
        source_run_id: run,
        params: vec![Param::new("pooling", "mean")],
        tags: vec![Tag::new("team", "search")],
    };
    backend.tracking.create_logged_model(&call).await.unwrap().info.model_id
}

async fn get(backend: &Backend, model_id: &ModelId) -> LoggedModel {
    let call = GetLoggedModel { model_id: model_id.clone() };
    let mut found = backend.tracking.get_logged_model(&call).await.unwrap();
    found.info.tags.sort();
    found.data.params.sort();
    found
}

pub(super) async fn one_is_pending_and_then_ready(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let run_id = backend.run_in(&experiment_id).await;
    let model_id = create(backend, &experiment_id, "enc", Some(run_id.clone())).await;
    assert!(model_id.as_str().starts_with("m-"), "{model_id}");
    let found = get(backend, &model_id).await;
    assert_eq!((found.info.name.as_str(), found.info.experiment_id), ("enc", experiment_id));
    assert_eq!(found.info.status, LoggedModelStatus::Pending);
    assert_eq!(found.info.model_type.as_deref(), Some("encoder"));
    assert_eq!(found.info.source_run_id.as_deref(), Some(run_id.as_str()));
    let end = format!("models/{model_id}/artifacts");
    assert!(found.info.artifact_uri.ends_with(&end), "{}", found.info.artifact_uri);

    let call = FinalizeLoggedModel { model_id: model_id.clone(), status: LoggedModelStatus::Ready };
    let ready = backend.tracking.finalize_logged_model(&call).await.unwrap();
    assert_eq!(ready.info.status, LoggedModelStatus::Ready);
    assert_eq!(get(backend, &model_id).await.info.status, LoggedModelStatus::Ready);
}

pub(super) async fn params_and_tags_are_added(backend: &Backend) {
    let model_id = create(backend, &backend.experiment().await, "enc", None).await;
    let params = vec![Param::new("dim", "384")];
    let call = LogLoggedModelParams { model_id: model_id.clone(), params };
    backend.tracking.log_logged_model_params(&call).await.unwrap();
    let tags = vec![Tag::new("team", "ranking"), Tag::new("stage", "test")];
    let call = SetLoggedModelTags { model_id: model_id.clone(), tags };
    backend.tracking.set_logged_model_tags(&call).await.unwrap();
    let found = get(backend, &model_id).await;
    assert_eq!(found.data.params, [Param::new("dim", "384"), Param::new("pooling", "mean")]);
    assert_eq!(found.info.tags, [Tag::new("stage", "test"), Tag::new("team", "ranking")]);
    let call = DeleteLoggedModelTag { model_id: model_id.clone(), tag_key: "stage".into() };
    backend.tracking.delete_logged_model_tag(&call).await.unwrap();
    assert_eq!(get(backend, &model_id).await.info.tags, [Tag::new("team", "ranking")]);
    check_code(backend.tracking.delete_logged_model_tag(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
}

pub(super) async fn its_metrics_are_those_of_its_runs(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let run_id = backend.run_in(&experiment_id).await;
    let model_id = create(backend, &experiment_id, "enc", None).await;
    let mut call = LogMetric::new(run_id.clone(), "spearman", 0.81, LONG_AGO, 2);
    call.metric.model_id = Some(model_id.clone());
    (call.metric.dataset_name, call.metric.dataset_digest) = (Some("sts".into()), Some("0a1b".into()));
    backend.tracking.log_metric(&call).await.unwrap();
    let metrics = get(backend, &model_id).await.data.metrics;
    assert_eq!(metrics.len(), 1);
    assert_eq!((metrics[0].key.as_str(), metrics[0].value, metrics[0].step), ("spearman", 0.81, 2));
    assert_eq!(metrics[0].dataset_name.as_deref(), Some("sts"));
    assert_eq!(metrics[0].run_id.as_ref(), Some(&run_id));
}

pub(super) async fn a_run_reads_and_makes_them(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let run_id = backend.run_in(&experiment_id).await;
    let read = create(backend, &experiment_id, "read", None).await;
    let made = create(backend, &experiment_id, "made", Some(run_id.clone())).await;
    let models = vec![ModelInput { model_id: read.clone() }];
    let call = LogInputs { run_id: run_id.clone(), datasets: Vec::new(), models: models.clone() };
    backend.tracking.log_inputs(&call).await.unwrap();
    let outputs = vec![ModelOutput { model_id: made.clone(), step: 3 }];
    let call = LogOutputs { run_id: run_id.clone(), models: outputs.clone() };
    backend.tracking.log_outputs(&call).await.unwrap();
    let run = backend.look(&run_id).await;
    assert_eq!((run.inputs.model_inputs, run.outputs.model_outputs), (models, outputs));
}

pub(super) async fn they_are_searched(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        made.push(create(backend, &experiment_id, name, None).await);
    }
    let search = async |filter: Option<&str>, max_results: Option<u32>| {
        let call = SearchLoggedModels {
            experiment_ids: vec![experiment_id.clone()],
            filter: filter.map(str::to_owned),
            max_results,
            ..SearchLoggedModels::default()
        };
        let models = all_pages(async |page_token| {
            let call = SearchLoggedModels { page_token, ..call.clone() };
            let page = backend.tracking.search_logged_models(&call).await.unwrap();
            (page.models, page.next_page_token)
        })
        .await;
        let mut names: Vec<String> = models.into_iter().map(|model| model.info.name).collect();
        names.sort();
        names
    };
    assert_eq!(search(None, Some(2)).await, ["a", "b", "c"]);
    assert_eq!(search(Some("name = 'b'"), None).await, ["b"]);
    assert_eq!(search(Some("params.pooling = 'mean' AND name != 'b'"), None).await, ["a", "c"]);
    assert_eq!(search(Some("tags.team = 'nobody'"), None).await, Vec::<String>::new());
}

pub(super) async fn a_deleted_one_is_gone(backend: &Backend) {
    let model_id = create(backend, &backend.experiment().await, "enc", None).await;
    let call = DeleteLoggedModel { model_id: model_id.clone() };
    backend.tracking.delete_logged_model(&call).await.unwrap();
    check_refused(
        backend.tracking.get_logged_model(&GetLoggedModel { model_id: model_id.clone() }).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        &format!("Logged model with ID '{model_id}' not found."),
    );
}

pub(super) async fn a_version_knows_its_model(backend: &Backend) {
    let model_id = create(backend, &backend.experiment().await, "enc", None).await;
    let name = backend.registered_model().await;
    let source = format!("models:/{model_id}");
    let call =
        CreateModelVersion { source: source.clone(), model_id: Some(model_id.clone()), ..version_of(&name) };
    let created = backend.registry.create_model_version(&call).await.unwrap();
    assert_eq!(created.source, source);
    let call = GetModelVersion { name: name.clone(), version: created.version };
    assert_eq!(backend.registry.get_model_version(&call).await.unwrap().source, source);
    let tags = get(backend, &model_id).await.info.tags;
    let versions = format!("[{{\"name\": \"{name}\", \"version\": 1}}]");
    assert_eq!(tags, [Tag::new(system::MODEL_VERSIONS, versions), Tag::new("team", "search")]);
}

/// A call that would make a version of somebody else's files.
pub(super) async fn a_version_names_the_model_that_it_is_made_of(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let (model_id, other) = (
        create(backend, &experiment_id, "enc", None).await,
        create(backend, &experiment_id, "other", None).await,
    );
    let name = backend.registered_model().await;
    for named in [None, Some(other)] {
        let source = format!("models:/{model_id}");
        let call = CreateModelVersion { source, model_id: named, ..version_of(&name) };
        check_code(backend.registry.create_model_version(&call).await, 400, "INVALID_PARAMETER_VALUE");
    }
}
