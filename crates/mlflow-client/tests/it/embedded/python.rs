//! The same file, read and written by Python's MLflow.

use std::path::Path;

use mlflow_client::types::experiments::{DeleteExperiment, Experiment, SearchExperiments, ViewType};
use mlflow_client::types::inputs::{Dataset, DatasetInput, ModelInput, ModelOutput};
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
use mlflow_client::{EmbeddedStore, FileStore, Imported, RegistryStore, TrackingStore};
use serde::Deserialize;
use serde_json::Value;
use st_testkit::{Environment, PythonScript};

use super::{experiment, run_id, store};

const READ: &str = include_str!("python/read.py");
const WRITE: &str = include_str!("python/write.py");

/// Everything that is in a database.
#[derive(Debug, Deserialize)]
struct Found {
    experiments: Vec<Experiment>,
    runs: Vec<Run>,
    histories: Vec<GetMetricHistoryResponse>,
    logged_models: Vec<LoggedModel>,
    registered_models: Vec<RegisteredModel>,
    model_versions: Vec<ModelVersion>,
}

fn script(folder: &Path, text: &str) -> PythonScript {
    PythonScript::new(Environment::Mlflow, text).folder(folder)
}

/// What Python finds, and what we find, in texts that can be compared although a metric may be no number.
#[track_caller]
fn check_same(python: Found, ours: Found) {
    let (python, ours) = (text(python), text(ours));
    for (line, pair) in python.lines().zip(ours.lines()).enumerate() {
        assert_eq!(pair.0, pair.1, "line {line} of\n{python}\nand of\n{ours}");
    }
    assert_eq!(python.lines().count(), ours.lines().count());
}

fn text(mut found: Found) -> String {
    found.experiments.sort_by(|left, right| left.experiment_id.cmp(&right.experiment_id));
    found.experiments.iter_mut().for_each(|experiment| experiment.tags.sort());
    found.runs.sort_by(|left, right| left.info.run_id.cmp(&right.info.run_id));
    for run in &mut found.runs {
        run.data.metrics.sort_by(|left, right| left.key.cmp(&right.key));
        run.data.params.sort();
        run.data.tags.sort();
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

/// Python's version does not say which logged model it was made of, but for its source.
fn normalise(version: &mut ModelVersion) {
    version.model_id = None;
    version.tags.sort();
    version.aliases.sort();
    for text in [&mut version.description, &mut version.run_id, &mut version.run_link, &mut version.user_id] {
        *text = text.take().filter(|text| !text.is_empty());
    }
}

async fn ours(store: &EmbeddedStore) -> Found {
    let call = SearchExperiments { view_type: ViewType::All, ..SearchExperiments::default() };
    let experiments = store.search_experiments(&call).await.unwrap().experiments;
    let experiment_ids: Vec<_> =
        experiments.iter().map(|experiment| experiment.experiment_id.clone()).collect();
    let (run_view_type, search) = (ViewType::All, SearchRuns::default());
    let call = SearchRuns { experiment_ids: experiment_ids.clone(), run_view_type, ..search };
    let mut runs = Vec::new();
    for run in store.search_runs(&call).await.unwrap().runs {
        let alone = store.get_run(&GetRun { run_id: run.info.run_id.clone() }).await.unwrap();
        assert_eq!(format!("{run:?}"), format!("{alone:?}"));
        runs.push(alone);
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

#[tokio::test]
async fn what_python_wrote_is_read() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), WRITE).run::<Value>();
    let python: Found = script(folder.path(), READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (4, 2, 2));
    let store = EmbeddedStore::open_default(folder.path()).unwrap();
    check_same(python, ours(&store).await);
}

#[tokio::test]
async fn what_we_wrote_python_reads() {
    let (folder, store) = store();
    write(&store).await;
    let python: Found = script(folder.path(), READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (3, 2, 2));
    check_same(python, ours(&store).await);
}

/// Python goes on in a file that we began, and we go on after it.
#[tokio::test]
async fn one_file_is_written_in_turns() {
    let (folder, store) = store();
    let run_id = run_id(&store).await;
    script(folder.path(), WRITE).run::<Value>();
    let call = LogMetric::new(run_id.clone(), "after", 1.5, 1, 0);
    store.log_metric(&call).await.unwrap();
    let python: Found = script(folder.path(), READ).run();
    check_same(python, ours(&store).await);
}

/// Python writes a store of files; what it reads from there is what it reads from the database that we import it into.
#[tokio::test]
async fn a_store_of_files_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let files = |text: &str| {
        let text = text.replace("sqlite:///mlflow.db", "./mlruns");
        script(folder.path(), &text).variable("MLFLOW_ALLOW_FILE_STORE", "true")
    };
    files(WRITE).run::<Value>();
    let mut python: Found = files(READ).run();
    let root = folder.path().join("mlruns");
    let old = FileStore::open(&root).unwrap();
    check_reads(&old, &python).await;
    let store = EmbeddedStore::open(folder.path().join("mlflow.db").to_str().unwrap(), "mlruns").unwrap();
    let imported = old.import_into(&store).await.unwrap();
    let Imported { experiments, runs, logged_models, registered_models, model_versions, .. } = imported;
    assert_eq!((experiments, runs, logged_models, registered_models, model_versions), (4, 4, 2, 2, 3));
    super::check_refused(
        old.import_into(&store).await,
        400,
        "RESOURCE_ALREADY_EXISTS",
        "The database holds experiments, runs or models already; an import needs an empty one.",
    );
    adapt_to_database(&mut python);
    check_same(python, ours(&store).await);
    let python: Found = script(folder.path(), READ).run();
    check_same(python, ours(&store).await);
}

/// What a store of files says otherwise than a database: it keeps infinite values, counts its lines in their own order,
/// forgets a step that stands before a dataset, names datasets and runs in values of runs' metrics, and tells the newest
/// versions of a model their aliases.
fn adapt_to_database(python: &mut Found) {
    let histories = python.histories.iter_mut().flat_map(|history| &mut history.metrics);
    for metric in histories.chain(python.runs.iter_mut().flat_map(|run| &mut run.data.metrics)) {
        if metric.dataset_name.is_some() || metric.key == "spearman" {
            metric.step = 2;
        }
        (metric.run_id, metric.dataset_name, metric.dataset_digest) = (None, None, None);
        if metric.value.is_infinite() {
            metric.value = metric.value.clamp(f64::MIN, f64::MAX);
        }
    }
    python
        .registered_models
        .iter_mut()
        .flat_map(|model| &mut model.latest_versions)
        .for_each(|version| version.aliases.clear());
    for history in &mut python.histories {
        history.metrics.sort_by(|left, right| {
            (left.timestamp, left.step)
                .cmp(&(right.timestamp, right.step))
                .then_with(|| left.value.total_cmp(&right.value))
        });
    }
}

/// The old store answers, and refuses to be written.
async fn check_reads(old: &FileStore, python: &Found) {
    let call = SearchExperiments { view_type: ViewType::All, ..SearchExperiments::default() };
    assert_eq!(old.search_experiments(&call).await.unwrap().experiments.len(), python.experiments.len());
    let experiment_ids =
        python.experiments.iter().map(|experiment| experiment.experiment_id.clone()).collect();
    let filter = Some("metrics.spearman > 0.7 AND attributes.run_name = 'named'".to_owned());
    let call = SearchRuns { experiment_ids, filter, ..SearchRuns::default() };
    let runs = old.search_runs(&call).await.unwrap().runs;
    assert_eq!(runs.len(), 1);
    let [run] = &runs[..] else { panic!("{runs:?}") };
    let call = LogMetric::new(run.info.run_id.clone(), "a", 1.0, 1, 0);
    let error = old.log_metric(&call).await.unwrap_err().to_string();
    let expected = "a store of files is only read; import it into a database first (`FileStore::import_into`, or `mlflow \
                    migrate-filestore`)";
    assert_eq!(error, format!("{}: {expected}", old.root().display()));
}

async fn write(store: &EmbeddedStore) {
    let experiment_id = experiment(store, "größe 𝄞").await;
    let deleted = experiment(store, "deleted").await;
    super::run(store, &deleted).await;
    store.delete_experiment(&DeleteExperiment { experiment_id: deleted }).await.unwrap();
    let call = CreateRun {
        experiment_id: experiment_id.clone(),
        user_id: "ann".into(),
        run_name: Some("named".into()),
        start_time: 1_700_000_000_000,
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
    let gone = super::run(store, &experiment_id).await.info.run_id;
    store.delete_run(&DeleteRun { run_id: gone }).await.unwrap();
    let model_id = write_models(store, &experiment_id, &run_id).await;
    write_versions(store, &model_id).await;
    let (status, end_time) = (Some(RunStatus::Finished), Some(1_700_000_001_000));
    store.update_run(&UpdateRun { run_id, status, end_time, run_name: None }).await.unwrap();
}

async fn write_models(
    store: &EmbeddedStore,
    experiment_id: &mlflow_client::types::ExperimentId,
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
    let dataset = Dataset {
        name: "sts".into(),
        digest: "0a1b2c".into(),
        source_type: "code".into(),
        source: "{\"tags\": {}}".into(),
        schema: Some("[]".into()),
        profile: None,
    };
    let datasets = vec![DatasetInput { tags: vec![Tag::new("mlflow.data.context", "eval")], dataset }];
    let models = vec![ModelInput { model_id: other }];
    let call = LogInputs { run_id: run_id.clone(), datasets, models };
    store.log_inputs(&call).await.unwrap();
    store.log_inputs(&call).await.unwrap();
    let mut call = LogMetric::new(run_id.clone(), "spearman", 0.8, 7, 2);
    call.metric.model_id = Some(model_id.clone());
    call.metric.dataset_name = Some("sts".into());
    call.metric.dataset_digest = Some("0a1b2c".into());
    store.log_metric(&call).await.unwrap();
    model_id
}

async fn write_versions(store: &EmbeddedStore, model_id: &mlflow_client::types::ModelId) {
    for name in ["reg-enc", "empty"] {
        let tags = vec![Tag::new("owner", "search")];
        let call =
            CreateRegisteredModel { name: name.parse().unwrap(), tags, description: Some("Encodes.".into()) };
        store.create_registered_model(&call).await.unwrap();
    }
    let name: mlflow_client::types::RegisteredModelName = "reg-enc".parse().unwrap();
    for source in [format!("models:/{model_id}"), "s3://bucket/model".into(), "s3://bucket/other".into()] {
        let call = CreateModelVersion {
            name: name.clone(),
            source,
            run_id: None,
            tags: vec![Tag::new("v", "1")],
            run_link: None,
            description: None,
            model_id: None,
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
