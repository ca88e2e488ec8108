//! How runs end.

use mlflow_client::types::runs::RunStatus;

use super::*;

#[tokio::test]
async fn a_run_that_is_dropped_has_failed() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    run.log_metric("loss", 0.5, 0).unwrap();
    let run_id = run.run_id().clone();
    drop(run);
    let run = store.run(&run_id);
    assert_eq!((run.steps("loss"), run.statuses), (vec![0], vec![RunStatus::Failed]));
}

#[tokio::test]
async fn a_run_whose_program_panics_has_failed() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    let run_id = run.run_id().clone();
    let panicked = std::thread::spawn(move || {
        run.log_metric("loss", 0.5, 0).unwrap();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    let run = store.run(&run_id);
    assert_eq!((run.steps("loss"), run.statuses), (vec![0], vec![RunStatus::Failed]));
}

#[tokio::test]
async fn a_kill_switch_ends_the_run_once() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    run.log_metric("loss", 0.5, 0).unwrap();
    let switch = run.kill_switch();
    assert!(switch.kill(FOREVER));
    assert!(switch.clone().kill(FOREVER), "what has ended is safe");
    let refused = run.log_metric("loss", 0.5, 1).unwrap_err();
    assert_eq!(refused.to_string(), format!("run {}: the run has ended", run.run_id()));
    let run_id = run.run_id().clone();
    drop(run);
    let run = store.run(&run_id);
    assert_eq!((run.steps("loss"), run.statuses), (vec![0], vec![RunStatus::Killed]));
    assert!(run.info.end_time.is_some());
}

#[tokio::test]
async fn what_cannot_be_sent_by_the_end_is_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let mut options = spooled(folder.path());
    options.end_patience = Duration::ZERO;
    let run = start(&store, options).await;
    store.always(Some(Fault::Before));
    run.log_metric("loss", 0.5, 0).unwrap();
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!((report.sent, report.waiting, report.rejected), (0, 2, 0), "the metric, and the end");
    assert!(report.spool.unwrap().is_file());
}

#[tokio::test]
async fn without_a_spool_it_is_an_error() {
    let store = Fake::scripted([]);
    let run = start(&store, logging()).await;
    // What no patience helps against is not waited for.
    store.always(Some(Fault::Status(401)));
    run.log_metric("loss", 0.5, 0).unwrap();
    let run_id = run.run_id().clone();
    let error = run.end(RunStatus::Finished).await.unwrap_err();
    assert_eq!(error.to_string(), format!("run {run_id}: 2 entries were not sent, the run's end among them"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "runs/log-batch: server said 401 INTERNAL_ERROR: scripted");
}

#[tokio::test]
async fn dropping_does_not_wait_longer_than_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let mut options = spooled(folder.path());
    options.drop_patience = Duration::ZERO;
    let run = start(&store, options).await;
    store.always(Some(Fault::Before));
    drop(run);
    let pending = mlflow_client::logging::Spool::new(folder.path()).pending().unwrap();
    assert_eq!(
        pending.iter().map(|pending| (pending.waiting, pending.ended)).collect::<Vec<_>>(),
        [(1, true)]
    );
}

/// The end may come while the writer looks whether there is anything to do.
#[tokio::test]
async fn the_end_of_an_idle_run_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    for round in 0..2000 {
        let logging = if round % 2 == 0 { logging() } else { spooled(folder.path()) };
        let run = start(&store, logging).await;
        run.log_metric("loss", 0.5, 0).unwrap();
        run.flush().await.unwrap();
        let report = run.end(RunStatus::Finished).await.unwrap();
        assert!(report.is_complete(), "round {round}: {report:?}");
    }
    assert!(files(folder.path()).is_empty());
}
