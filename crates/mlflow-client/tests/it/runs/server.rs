//! A real server that is killed while a run is at work.

use mlflow_client::rest::RestStore;
use mlflow_client::types::metrics::GetMetricHistory;
use mlflow_client::types::runs::{GetRun, RunStatus};
use mlflow_client::{Settings, TrackingStore};
use st_testkit::{MlflowServer, ServerOptions};

use super::*;

/// The server, without attempts of the store's own: the run's are what is tested.
fn connect(server: &MlflowServer) -> Arc<dyn TrackingStore> {
    let mut settings = Settings::for_tracking_uri(server.url());
    settings.http.retry.max_retries = 0;
    Arc::new(RestStore::connect(&settings).unwrap())
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_has_everything_once() {
    let server = MlflowServer::start(&ServerOptions::default());
    let store = connect(&server);
    let folder = tempfile::tempdir().unwrap();
    let mut logging = spooled(folder.path());
    let longest = Duration::from_millis(200);
    logging.backoff = Backoff { first: longest, longest };
    let options = experiment().with_run_name("outage").with_logging(logging);
    let run = ActiveRun::start(Arc::clone(&store), options).await.unwrap();
    let log = |from: i64, to: i64| (from..to).for_each(|step| run.log_metric("loss", 0.1, step).unwrap());
    log(0, 1500);
    run.log_param("lr", 0.1).unwrap();
    assert_eq!(run.flush().await.unwrap(), mlflow_client::Flushed::Sent);
    // The server dies while batches are on their way to it.
    log(1500, 6000);
    server.kill();
    log(6000, 9000);
    assert_eq!(run.flush().await.unwrap(), mlflow_client::Flushed::Spooled);
    server.start_again();
    log(9000, 10_000);
    let run_id = run.run_id().clone();
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert!(report.is_complete(), "{report:?}");

    let call = GetMetricHistory {
        run_id: run_id.clone(),
        metric_key: "loss".to_owned(),
        max_results: Some(25_000),
        page_token: None,
    };
    let mut history = store.get_metric_history(&call).await.unwrap().metrics;
    history.sort_by_key(|metric| metric.step);
    let steps: Vec<i64> = history.iter().map(|metric| metric.step).collect();
    assert_eq!(steps, (0..10_000).collect::<Vec<_>>());
    assert!(history.iter().all(|metric| metric.value.to_bits() == 0.1_f64.to_bits()));
    let run = store.get_run(&GetRun { run_id }).await.unwrap();
    assert_eq!((run.info.status, run.info.run_name.as_str()), (RunStatus::Finished, "outage"));
    assert!(files(folder.path()).is_empty());
}

/// The program stands still in a drop, on the only thread of its runtime; connections of that runtime would, too.
#[tokio::test(flavor = "current_thread")]
async fn a_run_that_is_dropped_on_the_only_thread_has_failed() {
    let store = connect(MlflowServer::shared());
    let run = ActiveRun::start(Arc::clone(&store), experiment().with_logging(logging())).await.unwrap();
    let run_id = run.run_id().clone();
    run.log_metric("loss", 0.1, 0).unwrap();
    drop(run);
    let run = store.get_run(&GetRun { run_id }).await.unwrap();
    assert_eq!((run.info.status, run.data.metrics.len()), (RunStatus::Failed, 1));
}
