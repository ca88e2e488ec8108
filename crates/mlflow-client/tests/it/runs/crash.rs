//! A process that is killed outright, in the middle of its work on a real store.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mlflow_client::logging::Spool;
use mlflow_client::types::metrics::GetMetricHistory;
use mlflow_client::types::runs::{GetRun, RunStatus};
use mlflow_client::{EmbeddedStore, TrackingStore};

use super::*;

/// Says that the next argument is a folder. To the test's binary both are names of more tests, which there are not.
const FOLDER: &str = "folder-to-log-in";
/// What the victim says of each entry that was accepted.
const ACCEPTED: &str = "accepted ";

/// What the process does that is killed: it logs to the embedded store of a folder, and says so after each entry.
#[tokio::test]
#[ignore = "is the process that the test below kills"]
async fn victim() {
    let mut arguments = std::env::args().skip_while(|argument| argument != FOLDER).skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else { return };
    let store = Arc::new(EmbeddedStore::open_default(&folder).unwrap());
    let mut logging = LoggingOptions::default();
    logging.spool = Some(SpoolOptions::new(folder.join("spool"), ADDRESS));
    let run = ActiveRun::start(store, experiment().with_logging(logging)).await.unwrap();
    let mut output = std::io::stdout().lock();
    for step in 0.. {
        run.log_metric("loss", 0.5, step).unwrap();
        writeln!(output, "{ACCEPTED}{step}").unwrap();
        output.flush().unwrap();
    }
}

/// Kills a victim that was told that `accepted` entries are safe, and answers how many it had been told of by then.
fn kill_after(folder: &Path, accepted: usize) -> usize {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runs::crash::victim", "--ignored", FOLDER])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut lines = lines.filter(|line| line.as_ref().unwrap().starts_with(ACCEPTED));
    assert_eq!(lines.by_ref().take(accepted).count(), accepted);
    victim.kill().unwrap();
    victim.wait().unwrap();
    accepted + lines.count()
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_that_it_was_promised() {
    for accepted in [1, 2, 50, 999, 5000] {
        let folder = tempfile::tempdir().unwrap();
        let promised = kill_after(folder.path(), accepted);
        let store: Arc<dyn TrackingStore> = Arc::new(EmbeddedStore::open_default(folder.path()).unwrap());
        let spool = Spool::new(folder.path().join("spool"));
        let pending = spool.pending().unwrap().remove(0);
        assert!(!pending.busy && !pending.ended);
        let report = spool.replay(ADDRESS, &store).await.unwrap();
        assert!(report.is_complete() && report.replayed[0].ended_as_failed, "{report:?}");

        let run_id = pending.run_id;
        let call = GetMetricHistory {
            run_id: run_id.clone(),
            metric_key: "loss".to_owned(),
            max_results: None,
            page_token: None,
        };
        let history = store.get_metric_history(&call).await.unwrap().metrics;
        assert!(history.len() >= promised, "{} of {promised} promised entries", history.len());
        let steps: Vec<i64> = history.iter().map(|metric| metric.step).collect();
        assert_eq!(steps, (0..i64::try_from(steps.len()).unwrap()).collect::<Vec<_>>());
        let run = store.get_run(&GetRun { run_id }).await.unwrap();
        assert_eq!(run.info.status, RunStatus::Failed);
        assert!(spool.pending().unwrap().is_empty());
    }
}
