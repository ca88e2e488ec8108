//! What processes left behind is sent later: all of it, once.

use std::fs;

use mlflow_client::TrackingStore;
use mlflow_client::logging::{ReplayReport, Spool};
use mlflow_client::types::RunId;
use mlflow_client::types::runs::{RunStatus, UpdateRun};

use super::*;

/// A run of which a part was sent, a part may have been, and a part was not; its file is in the folder.
async fn left_behind(folder: &Path, store: &Arc<Fake>, status: RunStatus) -> RunId {
    let mut options = spooled(folder);
    options.end_patience = Duration::ZERO;
    let run = start(store, options).await;
    (0..50).for_each(|step| run.log_metric("loss", 0.5, step).unwrap());
    run.flush().await.unwrap();
    store.always(Some(Fault::After));
    (50..100).for_each(|step| run.log_metric("loss", 0.5, step).unwrap());
    run.flush().await.unwrap();
    store.always(Some(Fault::Before));
    (100..150).for_each(|step| run.log_metric("loss", 0.5, step).unwrap());
    run.log_param("p", 1).unwrap();
    let run_id = run.run_id().clone();
    run.end(status).await.unwrap();
    store.always(None);
    run_id
}

async fn replay(folder: &Path, store: &Arc<Fake>) -> ReplayReport {
    let store: Arc<dyn TrackingStore> = Arc::clone(store) as _;
    Spool::new(folder).replay(ADDRESS, &store).await.unwrap()
}

#[tokio::test]
async fn a_replay_sends_what_waits_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run_id = left_behind(folder.path(), &store, RunStatus::Finished).await;
    let pending = Spool::new(folder.path()).pending().unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!((&pending[0].run_id, pending[0].address.as_str()), (&run_id, ADDRESS));
    assert_eq!((pending[0].ended, pending[0].busy, pending[0].torn_bytes), (true, false, 0));

    let report = replay(folder.path(), &store).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.replayed.len(), 1);
    assert_eq!((report.replayed[0].sent, report.replayed[0].waiting), (pending[0].waiting, 0));
    let run = store.run(&run_id);
    assert_eq!(run.steps("loss"), (0..150).collect::<Vec<_>>());
    assert_eq!((run.params.len(), run.info.status), (1, RunStatus::Finished));
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn replaying_twice_is_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run_id = left_behind(folder.path(), &store, RunStatus::Finished).await;
    let name = files(folder.path()).remove(0);
    let copy = fs::read(folder.path().join(&name)).unwrap();
    replay(folder.path(), &store).await;
    assert!(replay(folder.path(), &store).await.replayed.is_empty());
    // As if the process that replayed had been killed before it noted that anything was sent, but for the first batch,
    // which it had begun.
    fs::write(folder.path().join(&name), copy).unwrap();
    let before = store.run(&run_id);
    store.always(Some(Fault::After));
    let report = replay(folder.path(), &store).await;
    assert!(!report.is_complete());
    store.always(None);
    assert!(replay(folder.path(), &store).await.is_complete());
    let after = store.run(&run_id);
    let doubtful: Vec<i64> = after.steps("loss").into_iter().skip(before.metrics.len()).collect();
    assert!(doubtful.iter().all(|step| *step >= 100), "what was in doubt was looked up: {doubtful:?}");
}

#[tokio::test]
async fn a_replay_that_is_broken_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run_id = left_behind(folder.path(), &store, RunStatus::Killed).await;
    for fault in [Fault::After, Fault::Before, Fault::Gateway(504), Fault::Status(401)] {
        store.always(Some(fault));
        let report = replay(folder.path(), &store).await;
        assert!(report.replayed[0].trouble.is_some());
        assert!(!report.is_complete());
    }
    store.always(None);
    assert!(replay(folder.path(), &store).await.is_complete());
    let run = store.run(&run_id);
    assert_eq!(run.steps("loss"), (0..150).collect::<Vec<_>>());
    assert_eq!(run.info.status, RunStatus::Killed);
}

#[tokio::test]
async fn files_of_other_stores_and_of_living_processes_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    left_behind(folder.path(), &store, RunStatus::Finished).await;
    let erased: Arc<dyn TrackingStore> = Arc::clone(&store) as _;
    let other = Spool::new(folder.path()).replay("http://other.test", &erased).await.unwrap();
    assert!(other.replayed.is_empty());

    let run = start(&store, spooled(folder.path())).await;
    store.always(Some(Fault::Before));
    run.log_metric("loss", 0.5, 0).unwrap();
    store.always(None);
    let report = replay(folder.path(), &store).await;
    assert_eq!((report.replayed.len(), report.busy.len()), (1, 1));
    run.end(RunStatus::Finished).await.unwrap();
}

#[tokio::test]
async fn whatever_byte_a_crash_ends_at_every_whole_record_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let mut options = spooled(folder.path());
    options.end_patience = Duration::ZERO;
    let run = start(&store, options).await;
    store.always(Some(Fault::Before));
    (0..6).for_each(|step| run.log_metric("loss", 0.5, step).unwrap());
    let run_id = run.run_id().clone();
    run.end(RunStatus::Finished).await.unwrap();
    let name = files(folder.path()).remove(0);
    let whole = fs::read(folder.path().join(&name)).unwrap();
    let header = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;

    for length in 0..=whole.len() {
        let store = Fake::scripted([]);
        store.insert(run_id.as_str());
        let folder = tempfile::tempdir().unwrap();
        let torn = &whole[..length];
        fs::write(folder.path().join(&name), torn).unwrap();
        let report = replay(folder.path(), &store).await;
        assert!(report.is_complete(), "{length}: {report:?}");
        let lines = torn.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let lines: Vec<String> = lines.map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
        let metrics = lines.iter().filter(|line| line.contains("\"metric\"")).count();
        let run = store.run(&run_id);
        assert_eq!(run.steps("loss"), (0..i64::try_from(metrics).unwrap()).collect::<Vec<_>>(), "{length}");
        let ended = lines.iter().any(|line| line.contains("\"end\""));
        let status = match (length < header, ended) {
            // Nothing was promised yet, not even that there is a file.
            (true, _) => RunStatus::Running,
            (false, true) => RunStatus::Finished,
            (false, false) => RunStatus::Failed,
        };
        assert_eq!(run.info.status, status, "{length}");
        assert!(files(folder.path()).is_empty(), "{length}");
    }
}

#[tokio::test]
async fn a_file_that_was_changed_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    left_behind(folder.path(), &store, RunStatus::Finished).await;
    let path = folder.path().join(files(folder.path()).remove(0));
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    bytes[second + 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let expected =
        format!("{}: the record at byte {second} was changed after it was written", path.display());
    let report = replay(folder.path(), &store).await;
    assert!(!report.is_complete());
    assert_eq!(report.unreadable[0].1.to_string(), expected);
    assert_eq!(Spool::new(folder.path()).pending().unwrap_err().to_string(), expected);
}

/// Makes the only file in the folder one of a process that was killed before it ended its run.
fn forget_the_end(folder: &Path) {
    let path = folder.join(files(folder).remove(0));
    let text = fs::read_to_string(&path).unwrap();
    let without_end: Vec<&str> = text.lines().filter(|line| !line.contains("\"end\"")).collect();
    fs::write(&path, without_end.join("\n") + "\n").unwrap();
}

#[tokio::test]
async fn a_run_that_another_process_works_on_is_left_running() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run_id = left_behind(elsewhere.path(), &store, RunStatus::Finished).await;
    forget_the_end(elsewhere.path());
    let resumed = RunOptions::resume(run_id.clone()).with_logging(spooled(folder.path()));
    let run = ActiveRun::start(Arc::clone(&store) as _, resumed).await.unwrap();
    let name = files(elsewhere.path()).remove(0);
    fs::copy(elsewhere.path().join(&name), folder.path().join(&name)).unwrap();
    let report = replay(folder.path(), &store).await;
    assert_eq!((report.replayed.len(), report.busy.len()), (1, 1));
    assert!(report.is_complete() && !report.replayed[0].ended_as_failed);
    assert_eq!(store.run(&run_id).info.status, RunStatus::Running);
    run.end(RunStatus::Finished).await.unwrap();
}

#[tokio::test]
async fn a_run_that_somebody_else_ended_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Fake::scripted([]);
    let run_id = left_behind(folder.path(), &store, RunStatus::Finished).await;
    forget_the_end(folder.path());
    let status = Some(RunStatus::Killed);
    let call = UpdateRun { run_id: run_id.clone(), status, end_time: Some(5), run_name: None };
    store.update_run(&call).await.unwrap();
    let report = replay(folder.path(), &store).await;
    assert!(!report.replayed[0].ended_as_failed);
    let run = store.run(&run_id);
    assert_eq!(run.steps("loss").len(), 150);
    assert_eq!((run.statuses, run.info.end_time), (vec![RunStatus::Killed], Some(5)));
}
