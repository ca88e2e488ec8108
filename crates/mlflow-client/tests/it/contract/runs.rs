//! Runs, and what is logged to them.

use mlflow_client::types::RunId;
use mlflow_client::types::experiments::LifecycleStage;
use mlflow_client::types::metrics::{GetMetricHistory, Metric};
use mlflow_client::types::runs::{
    CreateRun, DeleteRun, DeleteTag, GetRun, LogBatch, LogInputs, LogMetric, LogParam, RestoreRun, RunStatus,
    SetTag, UpdateRun,
};
use mlflow_client::types::tags::{Param, Tag, system};

use super::Backend;
use crate::support::{LONG_AGO, all_pages, check_code, check_refused, datasets};

pub(super) async fn one_is_what_it_was_created_as(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let call = CreateRun {
        experiment_id: experiment_id.clone(),
        user_id: "ann".into(),
        run_name: Some("größe 𝄞".into()),
        start_time: LONG_AGO,
        tags: vec![Tag::new("mlflow.user", "ann"), Tag::new("a b.c-d_e:f/g", "line\nline")],
    };
    let created = backend.tracking.create_run(&call).await.unwrap();
    let run = backend.look(&created.info.run_id).await;
    assert_eq!(created.info, run.info);
    assert_eq!((run.info.run_name.as_str(), run.info.user_id.as_str()), ("größe 𝄞", "ann"));
    assert_eq!((run.info.experiment_id, run.info.status), (experiment_id, RunStatus::Running));
    assert_eq!((run.info.start_time, run.info.end_time), (Some(LONG_AGO), None));
    assert_eq!(run.info.lifecycle_stage, LifecycleStage::Active);
    let end = format!("{}/artifacts", run.info.run_id);
    assert!(run.info.artifact_uri.ends_with(&end), "{}", run.info.artifact_uri);
    let mut tags = call.tags.clone();
    tags.push(Tag::new(system::RUN_NAME, "größe 𝄞"));
    tags.sort();
    assert_eq!(run.data.tags, tags);
    assert!(run.data.metrics.is_empty() && run.data.params.is_empty());

    let nameless = CreateRun { run_name: None, tags: Vec::new(), ..call };
    let nameless = backend.tracking.create_run(&nameless).await.unwrap();
    assert!(!nameless.info.run_name.is_empty());
}

pub(super) async fn one_ends(backend: &Backend) {
    let run_id = backend.run().await;
    let (status, end_time) = (Some(RunStatus::Failed), Some(LONG_AGO + 1000));
    let call = UpdateRun { run_id: run_id.clone(), status, end_time, run_name: Some("named".into()) };
    let info = backend.tracking.update_run(&call).await.unwrap();
    let run = backend.look(&run_id).await;
    assert_eq!(info, run.info);
    assert_eq!((run.info.status, run.info.end_time), (RunStatus::Failed, end_time));
    assert_eq!(run.info.run_name, "named");
    assert_eq!(run.data.tags, [Tag::new(system::RUN_NAME, "named")]);

    // An update that names nothing changes nothing.
    let call = UpdateRun { run_id: run_id.clone(), status: None, end_time: None, run_name: None };
    backend.tracking.update_run(&call).await.unwrap();
    assert_eq!(backend.look(&run_id).await.info.run_name, "named");
}

pub(super) async fn params_are_set_once(backend: &Backend) {
    let run_id = backend.run().await;
    let mut call = LogParam { run_id: run_id.clone(), key: "lr".into(), value: "0.1".into() };
    backend.tracking.log_param(&call).await.unwrap();
    backend.tracking.log_param(&call).await.unwrap();
    call.value = "0.2".into();
    check_refused(
        backend.tracking.log_param(&call).await,
        400,
        "INVALID_PARAMETER_VALUE",
        &format!(
            "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run \
             ID='{run_id}'. Attempted logging new value '0.2'."
        ),
    );
    (call.key, call.value) = ("long".into(), "ö".repeat(6000));
    backend.tracking.log_param(&call).await.unwrap();
    let params = [Param::new("long", "ö".repeat(6000)), Param::new("lr", "0.1")];
    assert_eq!(backend.look(&run_id).await.data.params, params);
}

pub(super) async fn tags_are_set_and_removed(backend: &Backend) {
    let run_id = backend.run().await;
    for value in ["first", "second"] {
        let call = SetTag { run_id: run_id.clone(), key: "note".into(), value: value.into() };
        backend.tracking.set_tag(&call).await.unwrap();
    }
    let name = Tag::new(system::RUN_NAME, "run");
    assert_eq!(backend.look(&run_id).await.data.tags, [name.clone(), Tag::new("note", "second")]);
    let call = DeleteTag { run_id: run_id.clone(), key: "note".into() };
    backend.tracking.delete_tag(&call).await.unwrap();
    assert_eq!(backend.look(&run_id).await.data.tags, [name]);
    check_code(backend.tracking.delete_tag(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
}

pub(super) async fn the_latest_metric_is_of_the_highest_step(backend: &Backend) {
    let run_id = backend.run().await;
    for (value, timestamp, step) in [(0.3, 30, 3), (0.9, 90, 1), (0.1, 20, 3), (0.2, 30, 3)] {
        let call = LogMetric::new(run_id.clone(), "loss", value, timestamp, step);
        backend.tracking.log_metric(&call).await.unwrap();
    }
    let latest = backend.look(&run_id).await.data.metrics;
    assert_eq!(latest.len(), 1);
    assert_eq!((latest[0].value, latest[0].timestamp, latest[0].step), (0.3, 30, 3));
}

async fn history(backend: &Backend, run_id: &RunId, key: &str) -> Vec<Metric> {
    all_pages(async |page_token| {
        let (run_id, metric_key) = (run_id.clone(), key.to_owned());
        let call = GetMetricHistory { run_id, metric_key, max_results: Some(3), page_token };
        let page = backend.tracking.get_metric_history(&call).await.unwrap();
        (page.metrics, page.next_page_token)
    })
    .await
}

pub(super) async fn numbers_that_json_has_no_word_for_arrive(backend: &Backend) {
    let run_id = backend.run().await;
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MAX, 0.1 + 0.2, -1e-17];
    for (step, value) in (0..).zip(values) {
        let call = LogMetric::new(run_id.clone(), "odd", value, LONG_AGO, step);
        backend.tracking.log_metric(&call).await.unwrap();
    }
    let mut found = history(backend, &run_id, "odd").await;
    found.sort_by_key(|metric| metric.step);
    let found: Vec<f64> = found.into_iter().map(|metric| metric.value).collect();
    // A database has no infinity; the largest number stands for it.
    let (largest, rest) = (f64::MAX, &values[3..]);
    assert!(found[0].is_nan());
    assert!(found[1] >= largest && found[2] <= -largest, "{found:?}");
    assert_eq!(&found[3..], rest);
}

pub(super) async fn a_history_comes_in_pages(backend: &Backend) {
    let run_id = backend.run().await;
    let metrics = (0..10)
        .map(|step| Metric::new("loss", 1.0 / f64::from(step + 1), LONG_AGO + i64::from(step), step.into()));
    let metrics: Vec<Metric> = metrics.collect();
    let call =
        LogBatch { run_id: run_id.clone(), metrics: metrics.clone(), params: Vec::new(), tags: Vec::new() };
    backend.tracking.log_batch(&call).await.unwrap();
    let seen = history(backend, &run_id, "loss").await;
    let plain = |metric: &Metric| (metric.step, metric.timestamp, metric.value.to_bits());
    assert_eq!(seen.iter().map(plain).collect::<Vec<_>>(), metrics.iter().map(plain).collect::<Vec<_>>());
    assert_eq!(history(backend, &run_id, "never").await, []);
    let call = GetMetricHistory { run_id, metric_key: "loss".into(), max_results: Some(3), page_token: None };
    let page = backend.tracking.get_metric_history(&call).await.unwrap();
    assert_eq!((page.metrics.len(), page.next_page_token.is_some()), (3, true));
}

pub(super) async fn a_batch_is_all_or_nothing(backend: &Backend) {
    let run_id = backend.run().await;
    let mut call = LogBatch {
        run_id: run_id.clone(),
        metrics: vec![Metric::new("loss", 0.5, LONG_AGO, 0)],
        params: vec![Param::new("lr", "0.1"), Param::new("empty", "")],
        tags: vec![Tag::new("phase", "warm-up")],
    };
    backend.tracking.log_batch(&call).await.unwrap();
    let before = backend.look(&run_id).await.data;
    assert_eq!(before.params, [Param::new("empty", ""), Param::new("lr", "0.1")]);
    call.params = vec![Param::new("new", "1"), Param::new("lr", "0.2")];
    call.metrics = vec![Metric::new("other", 0.5, LONG_AGO, 0)];
    check_code(backend.tracking.log_batch(&call).await, 400, "INVALID_PARAMETER_VALUE");
    assert_eq!(backend.look(&run_id).await.data.params, before.params);

    (call.metrics, call.tags) = (Vec::new(), Vec::new());
    call.params = vec![Param::new("twice", "1"), Param::new("twice", "2")];
    check_code(backend.tracking.log_batch(&call).await, 400, "INVALID_PARAMETER_VALUE");
    call.params = (0..101).map(|number| Param::new(format!("p{number}"), "1")).collect();
    check_code(backend.tracking.log_batch(&call).await, 400, "INVALID_PARAMETER_VALUE");
    assert_eq!(backend.look(&run_id).await.data.params, before.params);
}

pub(super) async fn a_deleted_one_takes_nothing_more(backend: &Backend) {
    let run_id = backend.run().await;
    backend.tracking.delete_run(&DeleteRun { run_id: run_id.clone() }).await.unwrap();
    assert_eq!(backend.look(&run_id).await.info.lifecycle_stage, LifecycleStage::Deleted);
    let metric = LogMetric::new(run_id.clone(), "loss", 0.5, LONG_AGO, 0);
    check_refused(
        backend.tracking.log_metric(&metric).await,
        400,
        "INVALID_PARAMETER_VALUE",
        &format!("The run {run_id} must be in the 'active' state. Current state is deleted."),
    );
    backend.tracking.restore_run(&RestoreRun { run_id: run_id.clone() }).await.unwrap();
    backend.tracking.log_metric(&metric).await.unwrap();
    assert_eq!(backend.look(&run_id).await.data.metrics.len(), 1);
}

pub(super) async fn what_is_not_there_is_said_to_be_missing(backend: &Backend) {
    let run_id: RunId = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let missing = format!("Run with id={run_id} not found");
    let call = GetRun { run_id: run_id.clone() };
    check_refused(backend.tracking.get_run(&call).await, 404, "RESOURCE_DOES_NOT_EXIST", &missing);
    let call = LogMetric::new(run_id.clone(), "loss", 0.5, LONG_AGO, 0);
    check_refused(backend.tracking.log_metric(&call).await, 404, "RESOURCE_DOES_NOT_EXIST", &missing);
    let call = SetTag { run_id, key: "a".into(), value: "b".into() };
    check_refused(backend.tracking.set_tag(&call).await, 404, "RESOURCE_DOES_NOT_EXIST", &missing);
}

pub(super) async fn datasets_are_noted_once(backend: &Backend) {
    let run_id = backend.run().await;
    let datasets = datasets();
    let call = LogInputs { run_id: run_id.clone(), datasets: datasets.clone(), models: Vec::new() };
    backend.tracking.log_inputs(&call).await.unwrap();
    backend.tracking.log_inputs(&call).await.unwrap();
    assert_eq!(backend.look(&run_id).await.inputs.dataset_inputs, datasets);
}
