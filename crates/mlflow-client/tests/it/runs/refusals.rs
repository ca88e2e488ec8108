//! What the store refuses for good, and what is refused before it is sent.

use mlflow_client::logging::{Entry, Spool};
use mlflow_client::types::runs::RunStatus;
use mlflow_client::types::tags::Param;

use super::*;

async fn check(logging: LoggingOptions) -> RunReport {
    let store = Fake::scripted([]);
    let run = start(&store, logging).await;
    let run_id = run.run_id().clone();
    run.log_param("lr", "0.1").unwrap();
    run.flush().await.unwrap();
    store.always(Some(Fault::Before));
    for step in 0..700 {
        run.log_metric("loss", 0.5, step).unwrap();
        if step == 300 || step == 555 {
            run.log_param("lr", step).unwrap();
        }
    }
    run.log_param("dropout", "0.2").unwrap();
    store.always(None);
    let report = run.end(RunStatus::Finished).await.unwrap();
    (report, store.run(&run_id))
}

type RunReport = (mlflow_client::EndReport, fake::FakeRun);

#[track_caller]
fn assert_only_two_are_missing((report, run): &RunReport) {
    assert_eq!((report.rejected, report.waiting, report.is_complete()), (2, 0, false));
    let refused: Vec<(Entry, &str)> =
        report.rejections.iter().map(|refused| (refused.entry.clone(), refused.reason.as_str())).collect();
    let words = "runs/log-batch: server said 400 INVALID_PARAMETER_VALUE: Changing param values is not allowed. \
                 Param with key='lr'";
    let entry = |value: &str| Entry::Param(Param::new("lr", value));
    assert_eq!(refused, [(entry("300"), words), (entry("555"), words)]);
    assert_eq!(run.steps("loss"), (0..700).collect::<Vec<_>>(), "the others come, once and in order");
    assert_eq!(run.params, [Param::new("lr", "0.1"), Param::new("dropout", "0.2")]);
    assert_eq!(run.info.status, RunStatus::Finished);
}

#[tokio::test]
async fn a_refused_entry_holds_up_nothing_and_is_told() {
    assert_only_two_are_missing(&check(logging()).await);
}

#[tokio::test]
async fn with_a_spool_refused_entries_are_kept_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_only_two_are_missing(&check(spooled(folder.path())).await);
    let kept = Spool::new(folder.path()).rejected().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        std::fs::read_to_string(&kept[0]).unwrap().lines().next().unwrap(),
        r#"{"entry":{"param":{"key":"lr","value":"300"}},"reason":"runs/log-batch: server said 400 INVALID_PARAMETER_VALUE: Changing param values is not allowed. Param with key='lr'"}"#
    );
    assert!(Spool::new(folder.path()).pending().unwrap().is_empty());
}

#[tokio::test]
async fn a_run_that_was_deleted_keeps_its_entries_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run = start(&store, spooled(folder.path())).await;
    store.delete(run.run_id());
    (0..100).for_each(|step| run.log_metric("loss", 0.5, step).unwrap());
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert_eq!((report.sent, report.waiting, report.rejected), (0, 101, 0));
    assert!(report.trouble.unwrap().to_string().ends_with("Current state is deleted."));
}

#[tokio::test]
async fn what_the_server_would_refuse_or_cut_is_refused_at_the_call() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    let refused = [
        (
            run.log_metric("a=b", 1.0, 0),
            "`metrics.key` \"a=b\" may only have letters, digits, underscores, dashes, periods, spaces, colons and slashes",
        ),
        (
            run.log_param("p", "x".repeat(6001)),
            "`params.value` has 6001 characters, and the server keeps 6000",
        ),
        (run.set_tag("t", "x".repeat(8001)), "`tags.value` has 8001 characters, and the server keeps 8000"),
    ];
    for (answer, expected) in refused {
        assert_eq!(answer.unwrap_err().to_string(), format!("runs/log-batch: {expected}"));
    }
    // One wrong entry keeps its whole call out.
    run.log_metrics([("fine", 1.0), ("../not", 1.0)], 0).unwrap_err();
    let run_id = run.run_id().clone();
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert_eq!((report.sent, store.run(&run_id).metrics.len()), (1, 0));
}

#[tokio::test]
async fn a_tag_that_is_not_there_holds_up_nothing_by_being_removed() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    let run_id = run.run_id().clone();
    run.delete_tag("absent").unwrap();
    run.log_metric("loss", 0.5, 0).unwrap();
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert_eq!((report.sent, report.waiting, report.rejected), (2, 0, 1));
    assert_eq!(report.rejections[0].entry, Entry::DeleteTag("absent".to_owned()));
    assert_eq!(store.run(&run_id).info.status, RunStatus::Finished);
}
