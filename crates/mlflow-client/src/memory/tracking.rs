//! The tracking store's trait over the state.

use async_trait::async_trait;
use mlflow_types::ExperimentId;
use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, GetExperiment, GetExperimentByName,
    RestoreExperiment, SearchExperiments, SearchExperimentsResponse, SetExperimentTag, UpdateExperiment,
};
use mlflow_types::logged_models::{
    CreateLoggedModel, DeleteLoggedModel, DeleteLoggedModelTag, FinalizeLoggedModel, GetLoggedModel,
    LogLoggedModelParams, LoggedModel, SearchLoggedModels, SearchLoggedModelsResponse, SetLoggedModelTags,
};
use mlflow_types::metrics::{GetMetricHistory, GetMetricHistoryResponse};
use mlflow_types::runs::{
    CreateRun, DeleteRun, DeleteTag, GetRun, LogBatch, LogInputs, LogMetric, LogModel, LogOutputs, LogParam,
    RestoreRun, Run, RunInfo, SearchRuns, SearchRunsResponse, SetTag, UpdateRun,
};

use super::MemoryStore;
use crate::{Result, TrackingStore};

/// Writes the trait's methods: each asks the state, and adds the call's route to a refusal.
macro_rules! answered {
    ($($method:ident($call:ty) -> $answer:ty;)*) => {
        #[async_trait]
        impl TrackingStore for MemoryStore {
            $(
                async fn $method(&self, call: &$call) -> Result<$answer> {
                    self.state().$method(call).map_err(|refusal| refusal.of(call))
                }
            )*
        }
    };
}

answered! {
    create_experiment(CreateExperiment) -> ExperimentId;
    get_experiment(GetExperiment) -> Experiment;
    get_experiment_by_name(GetExperimentByName) -> Experiment;
    search_experiments(SearchExperiments) -> SearchExperimentsResponse;
    update_experiment(UpdateExperiment) -> ();
    delete_experiment(DeleteExperiment) -> ();
    restore_experiment(RestoreExperiment) -> ();
    set_experiment_tag(SetExperimentTag) -> ();
    delete_experiment_tag(DeleteExperimentTag) -> ();
    create_run(CreateRun) -> Run;
    get_run(GetRun) -> Run;
    update_run(UpdateRun) -> RunInfo;
    delete_run(DeleteRun) -> ();
    restore_run(RestoreRun) -> ();
    search_runs(SearchRuns) -> SearchRunsResponse;
    log_metric(LogMetric) -> ();
    log_param(LogParam) -> ();
    log_batch(LogBatch) -> ();
    set_tag(SetTag) -> ();
    delete_tag(DeleteTag) -> ();
    log_inputs(LogInputs) -> ();
    log_outputs(LogOutputs) -> ();
    log_model(LogModel) -> ();
    get_metric_history(GetMetricHistory) -> GetMetricHistoryResponse;
    create_logged_model(CreateLoggedModel) -> LoggedModel;
    get_logged_model(GetLoggedModel) -> LoggedModel;
    finalize_logged_model(FinalizeLoggedModel) -> LoggedModel;
    delete_logged_model(DeleteLoggedModel) -> ();
    log_logged_model_params(LogLoggedModelParams) -> ();
    set_logged_model_tags(SetLoggedModelTags) -> ();
    delete_logged_model_tag(DeleteLoggedModelTag) -> ();
    search_logged_models(SearchLoggedModels) -> SearchLoggedModelsResponse;
}
