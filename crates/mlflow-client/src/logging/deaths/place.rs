//! What a victim leaves, and what is to be found once all of it is recovered.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mlflow_types::metrics::GetMetricHistory;
use mlflow_types::runs::{GetRun, Run, RunStatus, SearchRuns};
use mlflow_types::{ExperimentId, RunId};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ADDRESS, VICTIM, calls};
use crate::logging::{Entry, Spool};
use crate::{EmbeddedStore, TrackingStore};

/// What is to be seen of a run once all is sent.
#[derive(Debug, Default, PartialEq)]
struct State {
    params: Vec<(String, String)>,
    stage: Option<String>,
    /// Key, step and bits of each value in the order in which they arrived, however often they did.
    arrived: Vec<(String, i64, u64)>,
    datasets: usize,
    outputs: usize,
    refused: Vec<Value>,
    finished: bool,
}

impl State {
    /// After these entries.
    fn expected(entries: &[Entry]) -> Self {
        let mut state = Self::default();
        let mut params = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Metric(metric) => {
                    state.arrived.push((metric.key.clone(), metric.step, metric.value.to_bits()));
                }
                Entry::Param(param) => match params.get(&param.key) {
                    Some(value) if *value != param.value => state.refused.push(json!(entry)),
                    _ => drop(params.insert(param.key.clone(), param.value.clone())),
                },
                Entry::Tag(tag) => state.stage = Some(tag.value.clone()),
                Entry::DeleteTag(key) if key == "stage" => state.stage = None,
                Entry::DeleteTag(_) => state.refused.push(json!(entry)),
                Entry::Inputs { datasets, .. } => state.datasets += datasets.len(),
                Entry::Outputs(models) => state.outputs += models.len(),
                Entry::End { .. } => state.finished = true,
            }
        }
        state.params = params.into_iter().collect();
        state
    }

    /// A tag that is not there when its removal is sent again may have been there the first time: that is no refusal.
    fn without_refused_removals(mut self) -> Self {
        self.refused.retain(|entry| entry.get("delete_tag").is_none());
        self
    }
}

/// A folder with a database and a spool.
pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) store: Arc<dyn TrackingStore>,
    pub(super) spool: Spool,
}

impl Place {
    /// A copy of the template, whose database counts what arrives.
    pub(super) fn new(template: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(template.join("mlflow.db"), folder.path().join("mlflow.db")).unwrap();
        let store = Arc::new(EmbeddedStore::open_default(folder.path()).unwrap());
        let spool = Spool::new(folder.path().join("spool"));
        Self { folder, store, spool }
    }

    /// Does some work in a process that dies at a step, and answers whether it came to its end.
    pub(super) fn victim(&self, work: &str, step: usize) -> bool {
        let mut victim = Command::new(std::env::current_exe().unwrap());
        victim.args(["--exact", "logging::deaths::victim", "--ignored", VICTIM]).arg(self.folder.path());
        let output = victim.arg(work).arg(step.to_string()).output().unwrap();
        let (status, said) = (output.status, String::from_utf8_lossy(&output.stdout));
        // One that failed did not die where it was to.
        assert!(status.success() || status.code().is_none(), "{work}, step {step}: {status}: {said}");
        status.success()
    }

    /// How many calls the victim was told to be accepted.
    pub(super) fn accepted(&self) -> usize {
        fs::read(accepted_file(self.folder.path())).unwrap_or_default().len()
    }

    pub(super) fn spool_files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path().join("spool"));
        files.into_iter().flatten().map(|file| file.unwrap().path()).collect()
    }

    pub(super) async fn replay(&self) {
        let report = self.spool.replay(ADDRESS, &self.store).await.unwrap();
        assert!(report.is_complete() && report.busy.is_empty(), "{report:?}");
    }

    pub(super) async fn run(&self) -> Run {
        let experiment_ids = vec![ExperimentId::try_new("0").unwrap()];
        let call = SearchRuns { experiment_ids, ..SearchRuns::default() };
        let mut runs = self.store.search_runs(&call).await.unwrap().runs;
        assert_eq!(runs.len(), 1);
        self.store.get_run(&GetRun { run_id: runs.remove(0).info.run_id }).await.unwrap()
    }

    /// What there is of the run, in the database and beside it.
    async fn found(&self) -> State {
        let run = self.run().await;
        let mut params: Vec<(String, String)> =
            run.data.params.into_iter().map(|param| (param.key, param.value)).collect();
        params.sort();
        let state = State {
            params,
            stage: run.data.tags.into_iter().find(|tag| tag.key == "stage").map(|tag| tag.value),
            arrived: self.arrived(),
            datasets: run.inputs.dataset_inputs.len(),
            outputs: run.outputs.model_outputs.len(),
            refused: self.refused(),
            finished: run.info.status == RunStatus::Finished,
        };
        for key in ["loss", "accuracy"] {
            let of_key =
                |(found, step, value): &(String, i64, u64)| (found == key).then_some((*step, *value));
            assert_eq!(
                self.history(&run.info.run_id, key).await,
                state.arrived.iter().filter_map(of_key).collect::<Vec<_>>()
            );
        }
        state
    }

    pub(super) async fn history(&self, run_id: &RunId, key: &str) -> Vec<(i64, u64)> {
        let (run_id, metric_key) = (run_id.clone(), key.to_owned());
        let call = GetMetricHistory { run_id, metric_key, max_results: None, page_token: None };
        let history = self.store.get_metric_history(&call).await.unwrap();
        history.metrics.iter().map(|metric| (metric.step, metric.value.to_bits())).collect()
    }

    pub(super) fn arrived(&self) -> Vec<(String, i64, u64)> {
        let connection = Connection::open(self.folder.path().join("mlflow.db")).unwrap();
        let mut arrivals =
            connection.prepare("SELECT key, step, value FROM arrivals ORDER BY rowid").unwrap();
        let arrivals = arrivals
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, f64>(2)?.to_bits())))
            .unwrap();
        arrivals.map(Result::unwrap).collect()
    }

    /// The refused entries: every line there is has to be a whole one.
    fn refused(&self) -> Vec<Value> {
        let files = self.spool.rejected().unwrap();
        let lines: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        assert!(lines.iter().all(|text| text.ends_with('\n')), "{lines:?}");
        let entry = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("server said")));
            line["entry"].clone()
        };
        lines.iter().flat_map(|text| text.lines()).map(entry).collect()
    }

    /// Whether all that was accepted is there, once and in order, at most one call more, and nothing in the way.
    pub(super) async fn check(&self, what: &str, began: bool) {
        let (calls, accepted) = (calls(), self.accepted());
        let entries = |calls: &[Vec<Entry>]| calls.iter().map(Vec::len).sum();
        let least: usize = entries(&calls[..accepted]);
        let most: usize = entries(&calls[..calls.len().min(accepted + 1)]);
        let all = calls.concat();
        let found = self.found().await;
        let fits = |count: usize| {
            let expected = State::expected(&all[..count]);
            found == expected || found == expected.without_refused_removals()
        };
        assert!((least..=most).any(fits), "{what}: {accepted} calls were accepted, but {found:?}");
        let status = match (began, found.finished) {
            // It died before anything could tell whose run it was; nothing was promised yet.
            (false, false) => RunStatus::Running,
            (_, true) => RunStatus::Finished,
            (true, false) => RunStatus::Failed,
        };
        assert_eq!(self.run().await.info.status, status, "{what}");
        assert_eq!(self.spool.pending().unwrap(), [], "{what}");
        let left = self.spool_files();
        assert!(left.iter().all(|file| file.extension().unwrap() == "rejected"), "{what}: {left:?}");
        let report = self.spool.replay(ADDRESS, &self.store).await.unwrap();
        assert!(report.replayed.is_empty() && report.is_complete(), "{what}: {report:?}");
    }
}

/// A folder whose database notes each metric that it is sent, also one that it has already. Its journal is the one that
/// waits for the disk once a transaction, for there are thousands of them.
pub(super) fn template() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(EmbeddedStore::open_default(folder.path()).unwrap());
    let connection = Connection::open(folder.path().join("mlflow.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE arrivals (key TEXT, step INTEGER, value REAL);
             CREATE TRIGGER arrival BEFORE INSERT ON metrics
             BEGIN INSERT INTO arrivals VALUES (NEW.key, NEW.step, NEW.value); END",
        )
        .unwrap();
    folder
}

pub(super) fn accepted_file(folder: &Path) -> PathBuf {
    folder.join("accepted")
}
