//! The tracking store: each call is one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, GetExperiment, GetExperimentByName,
    LifecycleStage, RestoreExperiment, SearchExperiments, SearchExperimentsResponse, SetExperimentTag,
    UpdateExperiment,
};
use mlflow_types::limits;
use mlflow_types::logged_models::{
    CreateLoggedModel, DeleteLoggedModel, DeleteLoggedModelTag, FinalizeLoggedModel, GetLoggedModel,
    LogLoggedModelParams, LoggedModel, SearchLoggedModels, SearchLoggedModelsResponse, SetLoggedModelTags,
};
use mlflow_types::metrics::{GetMetricHistory, GetMetricHistoryResponse};
use mlflow_types::runs::{
    CreateRun, DeleteRun, DeleteTag, GetRun, LogBatch, LogInputs, LogMetric, LogModel, LogOutputs, LogParam,
    RestoreRun, Run, RunInfo, SearchRuns, SearchRunsResponse, SetTag, UpdateRun,
};
use mlflow_types::{Endpoint, ExperimentId};

use super::{EmbeddedStore, experiments, inputs, logged_models, metrics, run_rows, runs, search};
use crate::long_values::{cut, cut_param, cut_tag};
use crate::{Result, TrackingStore};

#[async_trait]
impl TrackingStore for EmbeddedStore {
    async fn create_experiment(&self, call: &CreateExperiment) -> Result<ExperimentId> {
        let call = call.clone();
        let root = Arc::clone(&self.artifact_root);
        self.database
            .write(CreateExperiment::PATH, move |transaction| experiments::create(transaction, &call, &root))
            .await
    }

    async fn get_experiment(&self, call: &GetExperiment) -> Result<Experiment> {
        let call = call.clone();
        self.database
            .read(GetExperiment::PATH, move |transaction| {
                experiments::get(transaction, call.experiment_id.as_str())
            })
            .await
    }

    async fn get_experiment_by_name(&self, call: &GetExperimentByName) -> Result<Experiment> {
        let call = call.clone();
        self.database
            .read(GetExperimentByName::PATH, move |transaction| {
                experiments::get_by_name(transaction, &call.experiment_name)
            })
            .await
    }

    async fn search_experiments(&self, call: &SearchExperiments) -> Result<SearchExperimentsResponse> {
        let call = call.clone();
        self.database
            .read(SearchExperiments::PATH, move |transaction| search::experiments(transaction, &call))
            .await
    }

    async fn update_experiment(&self, call: &UpdateExperiment) -> Result<()> {
        let call = call.clone();
        self.database
            .write(UpdateExperiment::PATH, move |transaction| experiments::rename(transaction, &call))
            .await
    }

    async fn delete_experiment(&self, call: &DeleteExperiment) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteExperiment::PATH, move |transaction| experiments::delete(transaction, &call))
            .await
    }

    async fn restore_experiment(&self, call: &RestoreExperiment) -> Result<()> {
        let call = call.clone();
        self.database
            .write(RestoreExperiment::PATH, move |transaction| experiments::restore(transaction, &call))
            .await
    }

    async fn set_experiment_tag(&self, call: &SetExperimentTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(SetExperimentTag::PATH, move |transaction| experiments::set_tag(transaction, &call))
            .await
    }

    async fn delete_experiment_tag(&self, call: &DeleteExperimentTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteExperimentTag::PATH, move |transaction| experiments::delete_tag(transaction, &call))
            .await
    }

    async fn create_run(&self, call: &CreateRun) -> Result<Run> {
        let mut call = call.clone();
        if self.truncate {
            call.tags.iter_mut().for_each(cut_tag);
        }
        self.database.write(CreateRun::PATH, move |transaction| runs::create(transaction, &call)).await
    }

    async fn get_run(&self, call: &GetRun) -> Result<Run> {
        let call = call.clone();
        self.database
            .read(GetRun::PATH, move |transaction| run_rows::run(transaction, call.run_id.as_str()))
            .await
    }

    async fn update_run(&self, call: &UpdateRun) -> Result<RunInfo> {
        let call = call.clone();
        self.database.write(UpdateRun::PATH, move |transaction| runs::update(transaction, &call)).await
    }

    async fn delete_run(&self, call: &DeleteRun) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteRun::PATH, move |transaction| {
                runs::set_stage(transaction, call.run_id.as_str(), LifecycleStage::Deleted)
            })
            .await
    }

    async fn restore_run(&self, call: &RestoreRun) -> Result<()> {
        let call = call.clone();
        self.database
            .write(RestoreRun::PATH, move |transaction| {
                runs::set_stage(transaction, call.run_id.as_str(), LifecycleStage::Active)
            })
            .await
    }

    async fn search_runs(&self, call: &SearchRuns) -> Result<SearchRunsResponse> {
        let call = call.clone();
        self.database.read(SearchRuns::PATH, move |transaction| search::runs(transaction, &call)).await
    }

    async fn log_metric(&self, call: &LogMetric) -> Result<()> {
        let call = call.clone();
        self.database.write(LogMetric::PATH, move |transaction| metrics::log_metric(transaction, &call)).await
    }

    async fn log_param(&self, call: &LogParam) -> Result<()> {
        let mut call = call.clone();
        if self.truncate {
            cut("param", &call.key, &mut call.value, limits::PARAM_VALUE_CHARACTERS);
        }
        self.database.write(LogParam::PATH, move |transaction| runs::log_param(transaction, &call)).await
    }

    async fn log_batch(&self, call: &LogBatch) -> Result<()> {
        let mut call = call.clone();
        if self.truncate {
            call.params.iter_mut().for_each(cut_param);
            call.tags.iter_mut().for_each(cut_tag);
        }
        self.database.write(LogBatch::PATH, move |transaction| metrics::log_batch(transaction, &call)).await
    }

    async fn set_tag(&self, call: &SetTag) -> Result<()> {
        let mut call = call.clone();
        if self.truncate {
            cut("tag", &call.key, &mut call.value, limits::TAG_VALUE_CHARACTERS);
        }
        self.database.write(SetTag::PATH, move |transaction| runs::set_tag(transaction, &call)).await
    }

    async fn delete_tag(&self, call: &DeleteTag) -> Result<()> {
        let call = call.clone();
        self.database.write(DeleteTag::PATH, move |transaction| runs::delete_tag(transaction, &call)).await
    }

    async fn log_inputs(&self, call: &LogInputs) -> Result<()> {
        let call = call.clone();
        self.database.write(LogInputs::PATH, move |transaction| inputs::log_inputs(transaction, &call)).await
    }

    async fn log_outputs(&self, call: &LogOutputs) -> Result<()> {
        let call = call.clone();
        self.database
            .write(LogOutputs::PATH, move |transaction| inputs::log_outputs(transaction, &call))
            .await
    }

    async fn log_model(&self, call: &LogModel) -> Result<()> {
        let call = call.clone();
        self.database.write(LogModel::PATH, move |transaction| runs::log_model(transaction, &call)).await
    }

    async fn get_metric_history(&self, call: &GetMetricHistory) -> Result<GetMetricHistoryResponse> {
        let call = call.clone();
        self.database
            .read(GetMetricHistory::PATH, move |transaction| metrics::history(transaction, &call))
            .await
    }

    async fn create_logged_model(&self, call: &CreateLoggedModel) -> Result<LoggedModel> {
        let call = call.clone();
        self.database
            .write(CreateLoggedModel::PATH, move |transaction| logged_models::create(transaction, &call))
            .await
    }

    async fn get_logged_model(&self, call: &GetLoggedModel) -> Result<LoggedModel> {
        let call = call.clone();
        self.database
            .read(GetLoggedModel::PATH, move |transaction| {
                logged_models::get(transaction, call.model_id.as_str())
            })
            .await
    }

    async fn finalize_logged_model(&self, call: &FinalizeLoggedModel) -> Result<LoggedModel> {
        let call = call.clone();
        self.database
            .write(FinalizeLoggedModel::PATH, move |transaction| logged_models::finalize(transaction, &call))
            .await
    }

    async fn delete_logged_model(&self, call: &DeleteLoggedModel) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteLoggedModel::PATH, move |transaction| {
                logged_models::delete(transaction, call.model_id.as_str())
            })
            .await
    }

    async fn log_logged_model_params(&self, call: &LogLoggedModelParams) -> Result<()> {
        let call = call.clone();
        self.database
            .write(LogLoggedModelParams::PATH, move |transaction| {
                logged_models::log_params(transaction, &call)
            })
            .await
    }

    async fn set_logged_model_tags(&self, call: &SetLoggedModelTags) -> Result<()> {
        let call = call.clone();
        self.database
            .write(SetLoggedModelTags::PATH, move |transaction| logged_models::set_tags(transaction, &call))
            .await
    }

    async fn delete_logged_model_tag(&self, call: &DeleteLoggedModelTag) -> Result<()> {
        let call = call.clone();
        self.database
            .write(DeleteLoggedModelTag::PATH, move |transaction| {
                logged_models::delete_tag(transaction, &call)
            })
            .await
    }

    async fn search_logged_models(&self, call: &SearchLoggedModels) -> Result<SearchLoggedModelsResponse> {
        let call = call.clone();
        self.database
            .read(SearchLoggedModels::PATH, move |transaction| search::logged_models(transaction, &call))
            .await
    }
}
