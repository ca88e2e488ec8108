//! The store is away for a while.

use mlflow_client::types::ModelId;
use mlflow_client::types::runs::RunStatus;
use mlflow_client::types::tags::Tag;

use super::*;

/// Every kind of failure, several times, at every point of a run.
fn outage() -> impl Iterator<Item = Fault> {
    let kinds = [
        Fault::Before,
        Fault::After,
        Fault::None,
        Fault::Status(500),
        Fault::Gateway(504),
        Fault::Gateway(502),
        Fault::Status(429),
        Fault::None,
        Fault::After,
        Fault::After,
    ];
    kinds.into_iter().cycle().take(60)
}

async fn check(logging: LoggingOptions) {
    let store = Fake::scripted(outage());
    let run = start(&store, logging).await;
    let run_id = run.run_id().clone();
    for step in 0..5000 {
        run.log_metric("loss", 1.0 / 3.0, step).unwrap();
        if step % 10 == 0 {
            run.log_param(format!("p{step}"), step).unwrap();
            run.set_tag("progress", step).unwrap();
        }
    }
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.sent, 5000 + 500 + 500 + 1);
    let run = store.run(&run_id);
    assert_eq!(run.steps("loss"), (0..5000).collect::<Vec<_>>(), "all, once, in order");
    assert!(run.metrics.iter().all(|metric| metric.value.to_bits() == (1.0_f64 / 3.0).to_bits()));
    assert_eq!(run.params.len(), 500);
    assert_eq!(run.tags, [Tag::new("progress", "4990")], "the last value wins");
    assert_eq!(run.info.status, RunStatus::Finished);
    assert!(store.looks() > 0, "the test saw calls in doubt");
}

#[tokio::test]
async fn a_server_that_fails_in_every_way_loses_nothing_and_doubles_nothing() {
    check(logging()).await;
}

#[tokio::test]
async fn with_a_spool_neither() {
    let folder = tempfile::tempdir().unwrap();
    check(spooled(folder.path())).await;
    assert!(files(folder.path()).is_empty(), "what was sent is removed");
}

#[tokio::test]
async fn a_small_queue_waits_for_room_and_loses_nothing() {
    let mut options = logging();
    options.queue_capacity = 7;
    check(options).await;
}

#[tokio::test]
async fn a_store_that_never_fails_is_never_asked_for_histories() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run = start(&store, spooled(folder.path())).await;
    let steps = (0..3000).map(|step| run.log_metric("loss", 0.5, step));
    steps.collect::<Result<Vec<_>, _>>().unwrap();
    run.end(RunStatus::Finished).await.unwrap();
    assert_eq!(store.looks(), 0);
}

#[tokio::test]
async fn ten_thousand_metrics_from_several_threads_arrive_in_the_order_of_each() {
    let folder = tempfile::tempdir().unwrap();
    for options in [logging(), spooled(folder.path())] {
        let store = Fake::scripted([Fault::After, Fault::Before, Fault::None, Fault::Gateway(503)]);
        let run = start(&store, options).await;
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let run = &run;
                scope.spawn(move || {
                    let key = format!("thread {thread}");
                    (0..1250).for_each(|step| run.log_metric(&key, 0.5, step).unwrap());
                });
            }
        });
        let run_id = run.run_id().clone();
        run.end(RunStatus::Finished).await.unwrap();
        for thread in 0..8 {
            let steps = store.run(&run_id).steps(&format!("thread {thread}"));
            assert_eq!(steps, (0..1250).collect::<Vec<_>>(), "thread {thread}");
        }
    }
}

#[tokio::test]
async fn a_queue_that_stays_full_is_an_error_and_not_a_loss() {
    let store = Fake::scripted([]);
    let mut options = logging();
    (options.queue_capacity, options.queue_patience) = (3, Duration::ZERO);
    let run = start(&store, options).await;
    store.always(Some(Fault::Before));
    let failed = (0..).find_map(|step| run.log_metric("loss", 0.5, step).err().map(|error| (step, error)));
    let (accepted, error) = failed.unwrap();
    assert_eq!(
        error.to_string(),
        format!("run {}: 3 entries wait for the store, and no more fit", run.run_id())
    );
    store.always(None);
    let run_id = run.run_id().clone();
    run.end(RunStatus::Finished).await.unwrap();
    assert_eq!(store.run(&run_id).steps("loss"), (0..accepted).collect::<Vec<_>>());
}

#[tokio::test]
async fn flush_says_where_the_entries_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run = start(&store, spooled(folder.path())).await;
    run.log_metric("loss", 0.5, 0).unwrap();
    assert_eq!(run.flush().await.unwrap(), mlflow_client::Flushed::Sent);
    assert_eq!(store.run(run.run_id()).steps("loss"), [0]);
    store.always(Some(Fault::Before));
    run.log_metric("loss", 0.5, 1).unwrap();
    assert_eq!(run.flush().await.unwrap(), mlflow_client::Flushed::Spooled);
    assert_eq!(store.run(run.run_id()).steps("loss"), [0]);
    store.always(None);
    run.end(RunStatus::Finished).await.unwrap();
}

#[tokio::test]
async fn an_output_that_may_have_arrived_is_looked_up() {
    let store = Fake::scripted([Fault::After]);
    let run = start(&store, logging()).await;
    let run_id = run.run_id().clone();
    run.log_output_model(ModelId::try_new("m-1").unwrap(), 1).unwrap();
    run.log_output_model(ModelId::try_new("m-2").unwrap(), 2).unwrap();
    let report = run.end(RunStatus::Finished).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(store.run(&run_id).outputs.len(), 2);
}
