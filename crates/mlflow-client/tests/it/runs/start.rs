//! How runs begin.

use mlflow_client::types::inputs::Dataset;
use mlflow_client::types::runs::RunStatus;
use mlflow_client::types::tags::Tag;
use mlflow_client::types::{ModelId, RunId};

use super::*;

#[tokio::test]
async fn a_run_has_the_tags_of_its_options() {
    let store = Fake::scripted([]);
    let parent = start(&store, logging()).await;
    let options = experiment()
        .with_run_name("nightly")
        .with_user("ann")
        .with_parent(parent.run_id().clone())
        .with_logging(logging());
    let run = ActiveRun::start(Arc::clone(&store) as _, options).await.unwrap();
    let expected = [
        Tag::new("mlflow.parentRunId", parent.run_id().as_str()),
        Tag::new("mlflow.runName", "nightly"),
        Tag::new("mlflow.user", "ann"),
    ];
    assert_eq!(store.run(run.run_id()).created_with, expected);
    assert_eq!(run.artifact_uri(), format!("mlflow-artifacts:/0/{}/artifacts", run.run_id()));
}

#[tokio::test]
async fn options_that_contradict_each_other_start_nothing() {
    let store = Fake::scripted([]);
    let run_id = store.insert("gone");
    store.delete(&run_id);
    let cases = [
        (RunOptions::default(), "experiment_id: is needed to start a run"),
        (RunOptions::resume(run_id.clone()), "run_id: run gone was deleted"),
        (experiment().with_parent(run_id), "parent_run_id: run gone was deleted"),
        (
            RunOptions::resume(RunId::try_new("nowhere").unwrap()),
            "runs/get: server said 404 RESOURCE_DOES_NOT_EXIST: Run with id=nowhere not found",
        ),
    ];
    for (options, expected) in cases {
        let error = ActiveRun::start(Arc::clone(&store) as _, options).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_run_whose_spool_cannot_be_written_does_not_stay_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let store = Fake::scripted([]);
    let options = experiment().with_logging(spooled(&file));
    let error = ActiveRun::start(Arc::clone(&store) as _, options).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot create", file.display()));
    let run_id = RunId::try_new(format!("{:032x}", 1)).unwrap();
    assert_eq!(store.run(&run_id).statuses, [RunStatus::Failed]);
}

#[tokio::test]
async fn a_resumed_run_first_gets_what_was_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let mut options = spooled(folder.path());
    options.drop_patience = Duration::ZERO;
    let run = start(&store, options).await;
    store.always(Some(Fault::Before));
    run.log_metric("loss", 0.5, 0).unwrap();
    let run_id = run.run_id().clone();
    drop(run);
    store.always(None);
    let options =
        RunOptions::resume(run_id.clone()).with_tag("again", "yes").with_logging(spooled(folder.path()));
    let run = ActiveRun::start(Arc::clone(&store) as _, options).await.unwrap();
    run.log_metric("loss", 0.5, 1).unwrap();
    run.end(RunStatus::Finished).await.unwrap();
    let run = store.run(&run_id);
    assert_eq!(run.statuses, [RunStatus::Failed, RunStatus::Running, RunStatus::Finished]);
    assert_eq!(run.steps("loss"), [0, 1]);
    assert_eq!(run.tags, [Tag::new("again", "yes")]);
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn what_a_run_reads_and_makes_is_told_in_order() {
    let store = Fake::scripted([Fault::After]);
    let run = start(&store, logging()).await;
    let dataset = Dataset { name: "sts".into(), digest: "0a1b2c3d".into(), ..Dataset::default() };
    let model_id = ModelId::try_new("m-1").unwrap();
    run.log_input(dataset.clone(), Some("eval")).unwrap();
    run.log_model_metric(model_id.clone(), Some(&dataset), "spearman", 0.8, 3).unwrap();
    run.log_output_model(model_id.clone(), 3).unwrap();
    run.set_tag("draft", "yes").unwrap();
    run.delete_tag("draft").unwrap();
    let run_id = run.run_id().clone();
    run.end(RunStatus::Finished).await.unwrap();
    let run = store.run(&run_id);
    assert_eq!(run.inputs.len(), 1);
    assert_eq!(run.inputs[0].tags, [Tag::new("mlflow.data.context", "eval")]);
    let metric = &run.metrics[0];
    assert_eq!(metric.model_id.as_ref(), Some(&model_id));
    assert_eq!(
        (metric.dataset_name.as_deref(), metric.dataset_digest.as_deref()),
        (Some("sts"), Some("0a1b2c3d"))
    );
    assert_eq!(run.outputs.len(), 1);
    assert!(run.tags.is_empty());
}
