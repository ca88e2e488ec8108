//! A store in memory, for the tests of programs that log.

mod experiments;
mod logged_models;
mod logging;
mod model_versions;
mod paging;
mod refusal;
mod registered_models;
mod registry;
mod runs;
mod tracking;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mlflow_types::experiments::{Experiment, LifecycleStage};
use mlflow_types::inputs::Dataset;
use mlflow_types::logged_models::LoggedModel;
use mlflow_types::metrics::Metric;
use mlflow_types::model_versions::ModelVersion;
use mlflow_types::registered_models::RegisteredModel;
use mlflow_types::runs::Run;
use mlflow_types::{ExperimentId, ModelId, RunId};

/// Both of MLflow's stores, in memory: for tests of programs that log.
///
/// It answers and refuses as a server of MLflow 3.17 with a database does, with the same statuses and, where they are
/// stable, in the same words; the same contract suite runs against it. It differs in what a test wants to be different:
/// nothing is written to a disk, times never stand still (two calls never happen in the same millisecond), and artifacts
/// have a URI but no bytes, unless the [root](Self::with_artifact_root) is a folder.
///
/// ```
/// use mlflow_client::{MemoryStore, TrackingStore, types::runs::{CreateRun, GetRun, LogMetric}};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = MemoryStore::new();
/// let run = store.create_run(&CreateRun {
///     experiment_id: "0".parse()?,
///     user_id: "ann".into(),
///     run_name: Some("first".into()),
///     start_time: 1_700_000_000_000,
///     tags: Vec::new(),
/// }).await?;
/// let run_id = run.info.run_id;
/// store.log_metric(&LogMetric::new(run_id.clone(), "spearman", 0.81, 1_700_000_000_000, 0)).await?;
/// assert_eq!(store.get_run(&GetRun { run_id }).await?.data.metrics[0].value, 0.81);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).map_err(|error| error.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// Everything that the store holds.
#[derive(Debug)]
struct State {
    artifact_root: String,
    /// Milliseconds since the Unix epoch, of the last call.
    now: i64,
    experiments: BTreeMap<i64, Experiment>,
    runs: BTreeMap<RunId, RunRecord>,
    logged_models: BTreeMap<ModelId, LoggedModelRecord>,
    /// Datasets of each experiment, by name and digest.
    datasets: BTreeMap<(ExperimentId, String, String), Dataset>,
    registered_models: BTreeMap<String, RegisteredModelRecord>,
}

/// A run with all that was logged to it.
#[derive(Debug)]
struct RunRecord {
    run: Run,
    history: Vec<Metric>,
}

#[derive(Debug)]
struct LoggedModelRecord {
    model: LoggedModel,
    deleted: bool,
}

/// A registered model with its versions. Its `latest_versions` and the aliases of its versions are made for each answer.
#[derive(Debug)]
struct RegisteredModelRecord {
    model: RegisteredModel,
    versions: BTreeMap<u32, VersionRecord>,
}

#[derive(Debug)]
struct VersionRecord {
    version: ModelVersion,
    storage_location: String,
    /// A deleted version keeps its number.
    deleted: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store: the experiment `0`, called `Default`, and nothing else.
    pub fn new() -> Self {
        Self::with_artifact_root("memory:")
    }

    /// An empty store whose artifacts lie below a URI or folder.
    pub fn with_artifact_root(root: impl Into<String>) -> Self {
        let mut state = State {
            artifact_root: root.into(),
            now: 0,
            experiments: BTreeMap::new(),
            runs: BTreeMap::new(),
            logged_models: BTreeMap::new(),
            datasets: BTreeMap::new(),
            registered_models: BTreeMap::new(),
        };
        state.add_default_experiment();
        Self { state: Mutex::new(state) }
    }

    /// The state; a call that panicked in between cannot have left half of a change, for it changes last.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Now, in milliseconds since the Unix epoch; later than ever before.
    fn tick(&mut self) -> i64 {
        self.now = jiff::Timestamp::now().as_millisecond().max(self.now + 1);
        self.now
    }
}

/// The word for a stage in the server's messages.
fn stage(stage: LifecycleStage) -> &'static str {
    match stage {
        LifecycleStage::Active => "active",
        LifecycleStage::Deleted => "deleted",
    }
}

/// A name for what was given none.
fn random_name() -> String {
    const ADJECTIVES: [&str; 8] = ["able", "bright", "calm", "fair", "grand", "keen", "swift", "wise"];
    const NOUNS: [&str; 8] = ["crane", "deer", "finch", "hare", "lark", "otter", "seal", "wren"];
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let word =
        |words: [&'static str; 8], byte: u8| words.get(usize::from(byte % 8)).copied().unwrap_or("run");
    format!("{}-{}-{}", word(ADJECTIVES, bytes[0]), word(NOUNS, bytes[1]), u16::from(bytes[2]) + 1)
}
