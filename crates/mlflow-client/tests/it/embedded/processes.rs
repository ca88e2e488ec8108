//! Several processes on one file.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mlflow_client::types::metrics::Metric;
use mlflow_client::types::runs::LogBatch;
use mlflow_client::{EmbeddedStore, TrackingStore};
use rusqlite::Connection;

use super::{run_id, store};

const BATCH: usize = 500;

/// Says that there are orders on stdin. To the test's binary it is the name of one more test, which there is not.
const ORDERS: &str = "orders-on-stdin";

/// What another process does: for each order (folder, run, key and count, with tabs between) it opens the store, and
/// logs so many metrics.
#[tokio::test]
#[ignore = "is the other process of the tests below"]
async fn other_process() {
    let orders = std::env::args().any(|argument| argument == ORDERS).then(|| io::stdin().lock().lines());
    for line in orders.into_iter().flatten() {
        let line = line.unwrap();
        let [folder, run, key, count] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let store = EmbeddedStore::open_default(Path::new(folder)).unwrap();
        let count: usize = count.parse().unwrap();
        for start in (0..count).step_by(BATCH) {
            let metric = |step: usize| Metric::new(key, 0.5, 1, i64::try_from(step).unwrap());
            let metrics = (start..count.min(start + BATCH)).map(metric).collect();
            let (params, tags) = (Vec::new(), Vec::new());
            let call = LogBatch { run_id: run.parse().unwrap(), metrics, params, tags };
            store.log_batch(&call).await.unwrap();
        }
    }
}

fn start() -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::processes::other_process", "--ignored", ORDERS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells processes that are up already what to do, all at once, and waits for them.
fn tell(processes: Vec<(Child, String)>) {
    let told: Vec<Child> = processes
        .into_iter()
        .map(|(mut process, line)| {
            writeln!(process.stdin.take().unwrap(), "{line}").unwrap();
            process
        })
        .collect();
    for process in told {
        let done = process.wait_with_output().unwrap();
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && out.contains("1 passed"), "{out}");
    }
}

fn count(folder: &Path, sql: &str) -> i64 {
    Connection::open(folder.join("mlflow.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn two_that_write_lose_nothing() {
    let (folder, store) = store();
    let run_id = run_id(&store).await;
    let line = |key: &str| format!("{}\t{run_id}\t{key}\t10000", folder.path().display());
    tell(vec![(start(), line("first")), (start(), line("second"))]);
    assert_eq!(count(folder.path(), "SELECT count(*) FROM metrics"), 20_000);
    assert_eq!(count(folder.path(), "SELECT min(step) FROM latest_metrics"), 9_999);
}

#[test]
fn four_that_come_at_once_make_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{}\t-\t-\t0", folder.path().display());
    tell((0..4).map(|_| (start(), line.clone())).collect());
    assert_eq!(count(folder.path(), "SELECT count(*) FROM experiments"), 1);
    assert_eq!(count(folder.path(), "SELECT count(*) FROM alembic_version"), 1);
    let intact: String = Connection::open(folder.path().join("mlflow.db"))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(intact, "ok");
}
