//! A store in memory that fails as its script says, and keeps every value that it is given: a value that is sent twice is
//! there twice, as in MLflow's old store of files.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mlflow_client::types::experiments::*;
use mlflow_client::types::inputs::{DatasetInput, ModelOutput};
use mlflow_client::types::logged_models::*;
use mlflow_client::types::metrics::*;
use mlflow_client::types::runs::*;
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::types::{ErrorCode, ExperimentId, RunId};
use mlflow_client::{Error, Result, TrackingStore};
use tokio::sync::watch;

/// What happens to a call that changes something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// No connection.
    Before,
    /// It is done, and the answer is lost.
    After,
    /// An answer of that status; nothing is done.
    Status(u16),
    /// It is done, and a gateway answers with that status.
    Gateway(u16),
}

#[derive(Debug, Default)]
pub(crate) struct Fake {
    state: Mutex<State>,
    /// Calls that were answered well.
    pub(crate) done: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    runs: HashMap<RunId, FakeRun>,
    script: VecDeque<Fault>,
    /// When the script is over.
    always: Option<Fault>,
    looks: u64,
}

/// A run, and the batches that it got.
#[derive(Clone, Debug)]
pub(crate) struct FakeRun {
    pub(crate) info: RunInfo,
    pub(crate) created_with: Vec<Tag>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) params: Vec<Param>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) inputs: Vec<DatasetInput>,
    pub(crate) outputs: Vec<ModelOutput>,
    pub(crate) statuses: Vec<RunStatus>,
}

impl Fake {
    /// A store whose next calls fail like that.
    pub(crate) fn scripted(script: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let fake = Arc::new(Self::default());
        fake.lock().script.extend(script);
        fake
    }

    /// From now on, all calls that change something do like that; `None` mends it.
    pub(crate) fn always(&self, fault: Option<Fault>) {
        let mut state = self.lock();
        state.script.clear();
        state.always = fault;
    }

    pub(crate) fn run(&self, run_id: &RunId) -> FakeRun {
        self.lock().runs[run_id].clone()
    }

    /// How often a history was asked for.
    pub(crate) fn looks(&self) -> u64 {
        self.lock().looks
    }

    pub(crate) fn delete(&self, run_id: &RunId) {
        self.lock().runs.get_mut(run_id).unwrap().info.lifecycle_stage = LifecycleStage::Deleted;
    }

    /// Makes a run without a call.
    pub(crate) fn insert(&self, run_id: &str) -> RunId {
        let run_id = RunId::try_new(run_id).unwrap();
        let run = FakeRun::new(run_id.clone(), Vec::new());
        self.lock().runs.insert(run_id.clone(), run);
        run_id
    }

    fn change(
        &self,
        route: &str,
        run_id: &RunId,
        work: impl FnOnce(&mut FakeRun) -> Result<()>,
    ) -> Result<()> {
        let mut state = self.lock();
        let fault = state.script.pop_front().or(state.always).unwrap_or(Fault::None);
        let run = state.runs.get_mut(run_id).ok_or_else(|| not_found(route, run_id))?;
        if run.info.lifecycle_stage == LifecycleStage::Deleted {
            let message =
                format!("The run {run_id} must be in the 'active' state. Current state is deleted.");
            return Err(Error::api(route, 400, ErrorCode::InvalidParameterValue, message));
        }
        let broken = |after_sending| Error::Unreachable {
            route: route.to_owned(),
            attempts: 1,
            elapsed: Duration::ZERO,
            after_sending,
            source: "reset".into(),
        };
        let refused = |status| Error::api(route, status, ErrorCode::InternalError, "scripted");
        match fault {
            Fault::Before => return Err(broken(false)),
            Fault::Status(status) => return Err(refused(status)),
            Fault::None => work(run)?,
            Fault::After => {
                work(run)?;
                return Err(broken(true));
            }
            Fault::Gateway(status) => {
                work(run)?;
                return Err(refused(status));
            }
        }
        drop(state);
        self.done.send_modify(|done| *done += 1);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl FakeRun {
    fn new(run_id: RunId, tags: Vec<Tag>) -> Self {
        let info = RunInfo {
            artifact_uri: format!("mlflow-artifacts:/0/{run_id}/artifacts"),
            run_id,
            run_name: "fake".to_owned(),
            experiment_id: ExperimentId::try_new("0").unwrap(),
            user_id: String::new(),
            status: RunStatus::Running,
            start_time: Some(1),
            end_time: None,
            lifecycle_stage: LifecycleStage::Active,
        };
        Self {
            info,
            created_with: tags,
            metrics: Vec::new(),
            params: Vec::new(),
            tags: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            statuses: Vec::new(),
        }
    }

    /// The steps of a metric, as they arrived.
    pub(crate) fn steps(&self, key: &str) -> Vec<i64> {
        self.metrics.iter().filter(|metric| metric.key == key).map(|metric| metric.step).collect()
    }

    fn log(&mut self, route: &str, batch: &LogBatch) -> Result<()> {
        assert!(batch.metrics.len() + batch.params.len() + batch.tags.len() <= 1000);
        assert!(batch.params.len() <= 100 && batch.tags.len() <= 100);
        // As in MLflow: params are refused as a whole, before anything else is written.
        for param in &batch.params {
            if let Some(there) = self.params.iter().find(|there| there.key == param.key)
                && there.value != param.value
            {
                let message = format!("Changing param values is not allowed. Param with key='{}'", param.key);
                return Err(Error::api(route, 400, ErrorCode::InvalidParameterValue, message));
            }
        }
        for param in &batch.params {
            if !self.params.contains(param) {
                self.params.push(param.clone());
            }
        }
        self.metrics.extend(batch.metrics.iter().cloned());
        for tag in &batch.tags {
            self.tags.retain(|there| there.key != tag.key);
            self.tags.push(tag.clone());
        }
        Ok(())
    }
}

fn not_found(route: &str, run_id: &RunId) -> Error {
    Error::api(route, 404, ErrorCode::ResourceDoesNotExist, format!("Run with id={run_id} not found"))
}

macro_rules! not_here {
    ($($name:ident($call:ty) -> $answer:ty;)*) => {
        #[async_trait]
        impl TrackingStore for Fake {
            $(async fn $name(&self, _: &$call) -> Result<$answer> {
                Err(Error::api(stringify!($name), 501, ErrorCode::NotImplemented, "not in the fake"))
            })*

            async fn create_run(&self, call: &CreateRun) -> Result<Run> {
                let run_id = RunId::try_new(format!("{:032x}", self.lock().runs.len() + 1))?;
                let run = FakeRun::new(run_id.clone(), call.tags.clone());
                self.lock().runs.insert(run_id.clone(), run);
                self.get_run(&GetRun { run_id }).await
            }

            async fn get_run(&self, call: &GetRun) -> Result<Run> {
                let state = self.lock();
                let run = state.runs.get(&call.run_id).ok_or_else(|| not_found("runs/get", &call.run_id))?;
                let data = RunData { metrics: run.metrics.clone(), ..RunData::default() };
                let inputs = RunInputs::default();
                let outputs = RunOutputs { model_outputs: run.outputs.clone() };
                Ok(Run { info: run.info.clone(), data, inputs, outputs })
            }

            async fn update_run(&self, call: &UpdateRun) -> Result<RunInfo> {
                self.change("runs/update", &call.run_id, |run| {
                    if let Some(status) = call.status {
                        run.statuses.push(status);
                        run.info.status = status;
                    }
                    run.info.end_time = call.end_time;
                    Ok(())
                })?;
                Ok(self.run(&call.run_id).info)
            }

            async fn log_batch(&self, call: &LogBatch) -> Result<()> {
                self.change("runs/log-batch", &call.run_id, |run| run.log("runs/log-batch", call))
            }

            async fn delete_tag(&self, call: &DeleteTag) -> Result<()> {
                self.change("runs/delete-tag", &call.run_id, |run| {
                    let before = run.tags.len();
                    run.tags.retain(|tag| tag.key != call.key);
                    if run.tags.len() == before { Err(not_found("runs/delete-tag", &call.run_id)) } else { Ok(()) }
                })
            }

            async fn log_inputs(&self, call: &LogInputs) -> Result<()> {
                self.change("runs/log-inputs", &call.run_id, |run| {
                    for input in &call.datasets {
                        if !run.inputs.contains(input) {
                            run.inputs.push(input.clone());
                        }
                    }
                    Ok(())
                })
            }

            async fn log_outputs(&self, call: &LogOutputs) -> Result<()> {
                self.change("runs/outputs", &call.run_id, |run| {
                    // As in MLflow, whose database refuses the second row.
                    if call.models.iter().any(|model| run.outputs.contains(model)) {
                        let message = "UNIQUE constraint failed";
                        return Err(Error::api("runs/outputs", 400, ErrorCode::BadRequest, message));
                    }
                    run.outputs.extend(call.models.iter().cloned());
                    Ok(())
                })
            }

            async fn get_metric_history(&self, call: &GetMetricHistory) -> Result<GetMetricHistoryResponse> {
                let mut state = self.lock();
                state.looks += 1;
                // Small pages, so that those who look must turn them.
                let from: usize = call.page_token.as_deref().map_or(0, |token| token.parse().unwrap());
                let all = state.runs[&call.run_id].metrics.iter().filter(|metric| metric.key == call.metric_key);
                let mut rest = all.skip(from).cloned();
                let metrics: Vec<Metric> = rest.by_ref().take(100).collect();
                let next_page_token = rest.next().map(|_| (from + 100).to_string());
                Ok(GetMetricHistoryResponse { metrics, next_page_token })
            }
        }
    };
}

not_here! {
    create_experiment(CreateExperiment) -> ExperimentId;
    get_experiment(GetExperiment) -> Experiment;
    get_experiment_by_name(GetExperimentByName) -> Experiment;
    search_experiments(SearchExperiments) -> SearchExperimentsResponse;
    update_experiment(UpdateExperiment) -> ();
    delete_experiment(DeleteExperiment) -> ();
    restore_experiment(RestoreExperiment) -> ();
    set_experiment_tag(SetExperimentTag) -> ();
    delete_experiment_tag(DeleteExperimentTag) -> ();
    delete_run(DeleteRun) -> ();
    restore_run(RestoreRun) -> ();
    search_runs(SearchRuns) -> SearchRunsResponse;
    log_metric(LogMetric) -> ();
    log_param(LogParam) -> ();
    set_tag(SetTag) -> ();
    log_model(LogModel) -> ();
    create_logged_model(CreateLoggedModel) -> LoggedModel;
    get_logged_model(GetLoggedModel) -> LoggedModel;
    finalize_logged_model(FinalizeLoggedModel) -> LoggedModel;
    delete_logged_model(DeleteLoggedModel) -> ();
    log_logged_model_params(LogLoggedModelParams) -> ();
    set_logged_model_tags(SetLoggedModelTags) -> ();
    delete_logged_model_tag(DeleteLoggedModelTag) -> ();
    search_logged_models(SearchLoggedModels) -> SearchLoggedModelsResponse;
}
