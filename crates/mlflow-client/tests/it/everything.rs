//! One of everything: written by us or by Python, and read by both.

use mlflow_client::types::ExperimentId;
use mlflow_client::types::experiments::{DeleteExperiment, Experiment, SearchExperiments, ViewType};
use mlflow_client::types::inputs::{ModelInput, ModelOutput};
use mlflow_client::types::logged_models::{
    CreateLoggedModel, FinalizeLoggedModel, LoggedModel, LoggedModelStatus, SearchLoggedModels,
};
use mlflow_client::types::metrics::{GetMetricHistory, GetMetricHistoryResponse, Metric};
use mlflow_client::types::model_versions::{
    CreateModelVersion, DeleteModelVersion, GetModelVersion, ModelVersion, SearchModelVersions,
    TransitionModelVersionStage,
};
use mlflow_client::types::registered_models::{
    CreateRegisteredModel, GetRegisteredModel, RegisteredModel, SearchRegisteredModels,
    SetRegisteredModelAlias,
};
use mlflow_client::types::runs::{
    CreateRun, DeleteRun, GetRun, LogBatch, LogInputs, LogMetric, LogOutputs, Run, RunStatus, SearchRuns,
    UpdateRun,
};
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::{RegistryStore, TrackingStore};
use serde::Deserialize;

use crate::support::{LONG_AGO, datasets, experiment, run};

pub(crate) const READ: &str = include_str!("everything/read.py");
pub(crate) const WRITE: &str = include_str!("everything/write.py");

/// Everything that is in a database.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    pub(crate) experiments: Vec<Experiment>,
    pub(crate) runs: Vec<Run>,
    pub(crate) histories: Vec<GetMetricHistoryResponse>,
    pub(crate) logged_models: Vec<LoggedModel>,
    pub(crate) registered_models: Vec<RegisteredModel>,
    pub(crate) model_versions: Vec<ModelVersion>,
}

/// What Python finds, and what we find, in texts that can be compared although a metric may be no number.
#[track_caller]
pub(crate) fn check_same(python: Found, ours: Found) {
    check_text(&text(python), &text(ours));
}

/// Equal texts; if not, the first line that differs.
#[track_caller]
fn check_text(left: &str, right: &str) {
    for (line, pair) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(pair.0, pair.1, "line {line} of\n{left}\nand of\n{right}");
    }
    assert_eq!(left.lines().count(), right.lines().count());
}

fn text(mut found: Found) -> String {
    found.experiments.sort_by(|left, right| left.experiment_id.cmp(&right.experiment_id));
    found.experiments.iter_mut().for_each(|experiment| experiment.tags.sort());
    found.runs.sort_by(|left, right| left.info.run_id.cmp(&right.info.run_id));
    found.runs = found.runs.into_iter().map(sorted).collect();
    for run in &mut found.runs {
        // Python's summary of a run says of an end that there is none yet with 0.
        run.info.end_time = run.info.end_time.filter(|time| *time != 0);
    }
    for history in &mut found.histories {
        history.next_page_token = None;
    }
    found.logged_models.sort_by(|left, right| left.info.model_id.cmp(&right.info.model_id));
    for model in &mut found.logged_models {
        model.info.tags.sort();
        model.data.params.sort();
        for text in
            [&mut model.info.model_type, &mut model.info.source_run_id, &mut model.info.status_message]
        {
            *text = text.take().filter(|text| !text.is_empty());
        }
    }
    for model in &mut found.registered_models {
        model.tags.sort();
        model.aliases.sort();
        model.latest_versions.sort_by_key(|version| version.version);
        model.latest_versions.iter_mut().for_each(normalise);
    }
    found.model_versions.iter_mut().for_each(normalise);
    format!("{found:#?}")
}

/// A server tells these in no order.
fn sorted(mut run: Run) -> Run {
    run.data.metrics.sort_by(|left, right| left.key.cmp(&right.key));
    run.data.params.sort();
    run.data.tags.sort();
    run
}

/// Python's version does not say which logged model it was made of, but for its source.
fn normalise(version: &mut ModelVersion) {
    version.model_id = None;
    version.tags.sort();
    version.aliases.sort();
    for text in [&mut version.description, &mut version.run_id, &mut version.run_link, &mut version.user_id] {
        *text = text.take().filter(|text| !text.is_empty());
    }
}

pub(crate) async fn found<Store: TrackingStore + RegistryStore>(store: &Store) -> Found {
    let call = SearchExperiments { view_type: ViewType::All, ..SearchExperiments::default() };
    let experiments = store.search_experiments(&call).await.unwrap().experiments;
    let experiment_ids: Vec<_> =
        experiments.iter().map(|experiment| experiment.experiment_id.clone()).collect();
    let (run_view_type, search) = (ViewType::All, SearchRuns::default());
    let call = SearchRuns { experiment_ids: experiment_ids.clone(), run_view_type, ..search };
    let mut runs = Vec::new();
    for run in store.search_runs(&call).await.unwrap().runs {
        let alone = store.get_run(&GetRun { run_id: run.info.run_id.clone() }).await.unwrap();
        let (mut searched, got) = (sorted(run), sorted(alone.clone()));
        // Of the models that a run read, a server tells who asks for the run, not who searches.
        if searched.inputs.model_inputs.is_empty() {
            searched.inputs.model_inputs.clone_from(&got.inputs.model_inputs);
        }
        check_text(&format!("{searched:#?}"), &format!("{got:#?}"));
        runs.push(sorted(alone));
    }
    runs.sort_by(|left, right| left.info.run_id.cmp(&right.info.run_id));
    let mut histories = Vec::new();
    for run in &runs {
        for metric in &run.data.metrics {
            let (run_id, metric_key) = (run.info.run_id.clone(), metric.key.clone());
            let call = GetMetricHistory { run_id, metric_key, max_results: None, page_token: None };
            histories.push(store.get_metric_history(&call).await.unwrap());
        }
    }
    let call = SearchLoggedModels { experiment_ids, ..SearchLoggedModels::default() };
    let logged_models = store.search_logged_models(&call).await.unwrap().models;
    let found = store.search_registered_models(&SearchRegisteredModels::default()).await.unwrap();
    let mut registered_models = Vec::new();
    for model in found.registered_models {
        registered_models
            .push(store.get_registered_model(&GetRegisteredModel { name: model.name }).await.unwrap());
    }
    let mut model_versions = Vec::new();
    for version in store.search_model_versions(&SearchModelVersions::default()).await.unwrap().model_versions
    {
        let call = GetModelVersion { name: version.name, version: version.version };
        model_versions.push(store.get_model_version(&call).await.unwrap());
    }
    Found { experiments, runs, histories, logged_models, registered_models, model_versions }
}

pub(crate) async fn write<Store: TrackingStore + RegistryStore>(store: &Store) {
    let experiment_id = experiment(store, "größe 𝄞").await;
    let deleted = experiment(store, "deleted").await;
    run(store, &deleted).await;
    store.delete_experiment(&DeleteExperiment { experiment_id: deleted }).await.unwrap();
    let call = CreateRun {
        experiment_id: experiment_id.clone(),
        user_id: "ann".into(),
        run_name: Some("named".into()),
        start_time: LONG_AGO,
        tags: vec![Tag::new("mlflow.user", "ann")],
    };
    let run_id = store.create_run(&call).await.unwrap().info.run_id;
    let metrics = [(f64::NAN, 5, 1), (f64::INFINITY, 4, 0), (0.1, 4, 0), (5e-324, 3, -1)];
    let call = LogBatch {
        run_id: run_id.clone(),
        metrics: metrics
            .into_iter()
            .map(|(value, time, step)| Metric::new("loss", value, time, step))
            .collect(),
        params: vec![Param::new("empty", ""), Param::new("a b.c-d_e:f/g", "ö".repeat(6000))],
        tags: vec![Tag::new("mlflow.note.content", "line\nline")],
    };
    store.log_batch(&call).await.unwrap();
    let gone = run(store, &experiment_id).await.info.run_id;
    store.delete_run(&DeleteRun { run_id: gone }).await.unwrap();
    let model_id = write_models(store, &experiment_id, &run_id).await;
    write_versions(store, &model_id).await;
    let (status, end_time) = (Some(RunStatus::Finished), Some(LONG_AGO + 1000));
    store.update_run(&UpdateRun { run_id, status, end_time, run_name: None }).await.unwrap();
}

async fn write_models<Store: TrackingStore + RegistryStore>(
    store: &Store,
    experiment_id: &ExperimentId,
    run_id: &mlflow_client::types::RunId,
) -> mlflow_client::types::ModelId {
    let mut call = CreateLoggedModel {
        experiment_id: experiment_id.clone(),
        name: Some("enc".parse().unwrap()),
        model_type: Some("encoder".into()),
        source_run_id: Some(run_id.clone()),
        params: vec![Param::new("pooling", "mean")],
        tags: vec![Tag::new("a", "b")],
    };
    let model_id = store.create_logged_model(&call).await.unwrap().info.model_id;
    (call.name, call.source_run_id, call.model_type) = (None, None, None);
    let other = store.create_logged_model(&call).await.unwrap().info.model_id;
    let call = FinalizeLoggedModel { model_id: other.clone(), status: LoggedModelStatus::UploadFailed };
    store.finalize_logged_model(&call).await.unwrap();
    let models = vec![ModelOutput { model_id: model_id.clone(), step: 3 }];
    store.log_outputs(&LogOutputs { run_id: run_id.clone(), models }).await.unwrap();
    let models = vec![ModelInput { model_id: other }];
    let call = LogInputs { run_id: run_id.clone(), datasets: datasets(), models };
    store.log_inputs(&call).await.unwrap();
    store.log_inputs(&call).await.unwrap();
    let mut call = LogMetric::new(run_id.clone(), "spearman", 0.8, 7, 2);
    call.metric.model_id = Some(model_id.clone());
    call.metric.dataset_name = Some("sts".into());
    call.metric.dataset_digest = Some("0a1b2c".into());
    store.log_metric(&call).await.unwrap();
    model_id
}

async fn write_versions<Store: TrackingStore + RegistryStore>(
    store: &Store,
    model_id: &mlflow_client::types::ModelId,
) {
    for name in ["reg-enc", "empty"] {
        let tags = vec![Tag::new("owner", "search")];
        let call =
            CreateRegisteredModel { name: name.parse().unwrap(), tags, description: Some("Encodes.".into()) };
        store.create_registered_model(&call).await.unwrap();
    }
    let name: mlflow_client::types::RegisteredModelName = "reg-enc".parse().unwrap();
    // A server takes a logged model for a source only if the call names it, too.
    for source in [format!("models:/{model_id}"), "s3://bucket/model".into(), "s3://bucket/other".into()] {
        let call = CreateModelVersion {
            name: name.clone(),
            run_id: None,
            tags: vec![Tag::new("v", "1")],
            run_link: None,
            description: None,
            model_id: source.starts_with("models:").then(|| model_id.clone()),
            source,
        };
        store.create_model_version(&call).await.unwrap();
    }
    let number = mlflow_client::types::ModelVersionNumber::new;
    for (alias, version) in [("champion", 1), ("newest", 3)] {
        let alias = alias.parse().unwrap();
        let call = SetRegisteredModelAlias { name: name.clone(), alias, version: number(version) };
        store.set_registered_model_alias(&call).await.unwrap();
    }
    let call = TransitionModelVersionStage {
        name: name.clone(),
        version: number(2),
        stage: "production".into(),
        archive_existing_versions: true,
    };
    store.transition_model_version_stage(&call).await.unwrap();
    store.delete_model_version(&DeleteModelVersion { name, version: number(3) }).await.unwrap();
}
