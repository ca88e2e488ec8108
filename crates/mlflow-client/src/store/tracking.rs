//! MLflow's tracking store: experiments, runs and logged models.

use std::fmt;
use std::sync::Arc;

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

use crate::{AccountStore, Result};

/// Experiments, runs, metrics and logged models: MLflow's tracking store.
///
/// Each method takes the call as the protocol has it and answers what the protocol's answer holds. A method refuses with
/// [`Error::Api`](crate::Error::Api) in the words and with the status that MLflow's server has for it, whatever stands
/// behind the trait.
#[async_trait]
pub trait TrackingStore: fmt::Debug + Send + Sync {
    /// The same store on connections of its own, for use on another runtime; nothing if it may be used on any.
    fn separate(&self) -> Option<Arc<dyn TrackingStore>> {
        None
    }

    /// Its users and their permissions; nothing if it asks nobody who they are, as only servers do.
    fn accounts(&self) -> Option<&dyn AccountStore> {
        None
    }

    /// Creates an experiment.
    async fn create_experiment(&self, call: &CreateExperiment) -> Result<ExperimentId>;
    /// An experiment.
    async fn get_experiment(&self, call: &GetExperiment) -> Result<Experiment>;
    /// An experiment by its name.
    async fn get_experiment_by_name(&self, call: &GetExperimentByName) -> Result<Experiment>;
    /// Experiments, a page.
    async fn search_experiments(&self, call: &SearchExperiments) -> Result<SearchExperimentsResponse>;
    /// Renames an experiment.
    async fn update_experiment(&self, call: &UpdateExperiment) -> Result<()>;
    /// Deletes an experiment.
    async fn delete_experiment(&self, call: &DeleteExperiment) -> Result<()>;
    /// Brings an experiment back.
    async fn restore_experiment(&self, call: &RestoreExperiment) -> Result<()>;
    /// Sets a tag of an experiment.
    async fn set_experiment_tag(&self, call: &SetExperimentTag) -> Result<()>;
    /// Removes a tag of an experiment.
    async fn delete_experiment_tag(&self, call: &DeleteExperimentTag) -> Result<()>;
    /// Starts a run.
    async fn create_run(&self, call: &CreateRun) -> Result<Run>;
    /// A run.
    async fn get_run(&self, call: &GetRun) -> Result<Run>;
    /// Changes a run.
    async fn update_run(&self, call: &UpdateRun) -> Result<RunInfo>;
    /// Deletes a run.
    async fn delete_run(&self, call: &DeleteRun) -> Result<()>;
    /// Brings a run back.
    async fn restore_run(&self, call: &RestoreRun) -> Result<()>;
    /// Runs, a page.
    async fn search_runs(&self, call: &SearchRuns) -> Result<SearchRunsResponse>;
    /// Appends a value of a metric.
    async fn log_metric(&self, call: &LogMetric) -> Result<()>;
    /// Sets a param.
    async fn log_param(&self, call: &LogParam) -> Result<()>;
    /// Appends metrics, sets params and tags; at most what one call takes.
    async fn log_batch(&self, call: &LogBatch) -> Result<()>;
    /// Sets a tag of a run.
    async fn set_tag(&self, call: &SetTag) -> Result<()>;
    /// Removes a tag of a run.
    async fn delete_tag(&self, call: &DeleteTag) -> Result<()>;
    /// Says what a run read.
    async fn log_inputs(&self, call: &LogInputs) -> Result<()>;
    /// Says what a run made.
    async fn log_outputs(&self, call: &LogOutputs) -> Result<()>;
    /// Notes a model on a run as MLflow 2 does.
    async fn log_model(&self, call: &LogModel) -> Result<()>;
    /// Values of a metric, a page.
    async fn get_metric_history(&self, call: &GetMetricHistory) -> Result<GetMetricHistoryResponse>;
    /// Creates a logged model.
    async fn create_logged_model(&self, call: &CreateLoggedModel) -> Result<LoggedModel>;
    /// A logged model.
    async fn get_logged_model(&self, call: &GetLoggedModel) -> Result<LoggedModel>;
    /// Says that a logged model is complete, or never will be.
    async fn finalize_logged_model(&self, call: &FinalizeLoggedModel) -> Result<LoggedModel>;
    /// Deletes a logged model.
    async fn delete_logged_model(&self, call: &DeleteLoggedModel) -> Result<()>;
    /// Sets params of a logged model.
    async fn log_logged_model_params(&self, call: &LogLoggedModelParams) -> Result<()>;
    /// Sets tags of a logged model.
    async fn set_logged_model_tags(&self, call: &SetLoggedModelTags) -> Result<()>;
    /// Removes a tag of a logged model.
    async fn delete_logged_model_tag(&self, call: &DeleteLoggedModelTag) -> Result<()>;
    /// Logged models, a page.
    async fn search_logged_models(&self, call: &SearchLoggedModels) -> Result<SearchLoggedModelsResponse>;
}
