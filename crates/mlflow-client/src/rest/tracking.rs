//! The tracking store's calls, over REST.

use std::sync::Arc;

use async_trait::async_trait;
use mlflow_types::Endpoint as _;
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

use super::RestStore;
use crate::{AccountStore, Result, TrackingStore};

#[async_trait]
impl TrackingStore for RestStore {
    fn separate(&self) -> Option<Arc<dyn TrackingStore>> {
        Some(Arc::new(self.on_its_own()))
    }

    fn accounts(&self) -> Option<&dyn AccountStore> {
        Some(self)
    }

    async fn create_experiment(&self, call: &CreateExperiment) -> Result<ExperimentId> {
        self.create_experiment_once(call).await
    }

    async fn get_experiment(&self, call: &GetExperiment) -> Result<Experiment> {
        Ok(self.call(call).await?.experiment)
    }

    async fn get_experiment_by_name(&self, call: &GetExperimentByName) -> Result<Experiment> {
        Ok(self.call(call).await?.experiment)
    }

    async fn search_experiments(&self, call: &SearchExperiments) -> Result<SearchExperimentsResponse> {
        self.call(call).await
    }

    async fn update_experiment(&self, call: &UpdateExperiment) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_experiment(&self, call: &DeleteExperiment) -> Result<()> {
        self.until_done(call).await
    }

    async fn restore_experiment(&self, call: &RestoreExperiment) -> Result<()> {
        self.until_done(call).await
    }

    async fn set_experiment_tag(&self, call: &SetExperimentTag) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_experiment_tag(&self, call: &DeleteExperimentTag) -> Result<()> {
        self.until_done(call).await
    }

    async fn create_run(&self, call: &CreateRun) -> Result<Run> {
        self.check_lengths(CreateRun::PATH, &[], &call.tags)?;
        self.create_run_once(call).await
    }

    async fn get_run(&self, call: &GetRun) -> Result<Run> {
        Ok(self.call(call).await?.run)
    }

    async fn update_run(&self, call: &UpdateRun) -> Result<RunInfo> {
        Ok(self.call(call).await?.run_info)
    }

    async fn delete_run(&self, call: &DeleteRun) -> Result<()> {
        self.until_done(call).await
    }

    async fn restore_run(&self, call: &RestoreRun) -> Result<()> {
        self.until_done(call).await
    }

    async fn search_runs(&self, call: &SearchRuns) -> Result<SearchRunsResponse> {
        self.call(call).await
    }

    async fn log_metric(&self, call: &LogMetric) -> Result<()> {
        self.log_metric_once(call).await
    }

    async fn log_param(&self, call: &LogParam) -> Result<()> {
        self.check_param_length(LogParam::PATH, &call.key, &call.value)?;
        self.call(call).await.map(drop)
    }

    async fn log_batch(&self, call: &LogBatch) -> Result<()> {
        self.check_lengths(LogBatch::PATH, &call.params, &call.tags)?;
        self.log_batch_once(call).await
    }

    async fn set_tag(&self, call: &SetTag) -> Result<()> {
        self.check_tag_length(SetTag::PATH, &call.key, &call.value)?;
        self.call(call).await.map(drop)
    }

    async fn delete_tag(&self, call: &DeleteTag) -> Result<()> {
        self.until_done(call).await
    }

    async fn log_inputs(&self, call: &LogInputs) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn log_outputs(&self, call: &LogOutputs) -> Result<()> {
        self.log_outputs_once(call).await
    }

    async fn log_model(&self, call: &LogModel) -> Result<()> {
        self.log_model_once(call).await
    }

    async fn get_metric_history(&self, call: &GetMetricHistory) -> Result<GetMetricHistoryResponse> {
        self.call(call).await
    }

    async fn create_logged_model(&self, call: &CreateLoggedModel) -> Result<LoggedModel> {
        self.create_logged_model_once(call).await
    }

    async fn get_logged_model(&self, call: &GetLoggedModel) -> Result<LoggedModel> {
        Ok(self.call(call).await?.model)
    }

    async fn finalize_logged_model(&self, call: &FinalizeLoggedModel) -> Result<LoggedModel> {
        Ok(self.call(call).await?.model)
    }

    async fn delete_logged_model(&self, call: &DeleteLoggedModel) -> Result<()> {
        self.until_done(call).await
    }

    async fn log_logged_model_params(&self, call: &LogLoggedModelParams) -> Result<()> {
        self.log_logged_model_params_once(call).await
    }

    async fn set_logged_model_tags(&self, call: &SetLoggedModelTags) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_logged_model_tag(&self, call: &DeleteLoggedModelTag) -> Result<()> {
        self.until_done(call).await
    }

    async fn search_logged_models(&self, call: &SearchLoggedModels) -> Result<SearchLoggedModelsResponse> {
        self.call(call).await
    }
}
