//! The old store as a tracking store: what reads is answered, what writes is refused.

use async_trait::async_trait;
use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, GetExperiment, GetExperimentByName,
    LifecycleStage, RestoreExperiment, SearchExperiments, SearchExperimentsResponse, SetExperimentTag,
    UpdateExperiment, ViewType,
};
use mlflow_types::filter::{
    Filter, InvalidFilter, OrderBy, Searched, compare_experiments, compare_logged_models, compare_runs,
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
use mlflow_types::{Endpoint, ErrorCode, ExperimentId, RunId};

use super::FileStore;
use super::contents::StoredRun;
use crate::{Error, Result, TrackingStore};

impl FileStore {
    async fn stored_run(&self, route: &str, run_id: &RunId) -> Result<StoredRun> {
        let found = self.contents().await?.runs;
        found
            .into_iter()
            .find(|stored| stored.run.info.run_id == *run_id)
            .ok_or_else(|| missing(route, format!("Run '{run_id}' not found")))
    }
}

fn missing(route: &str, message: String) -> Error {
    Error::api(route, 404, ErrorCode::ResourceDoesNotExist, message)
}

fn valid<T>(route: &str, parsed: Result<T, InvalidFilter>) -> Result<T> {
    parsed.map_err(|error| Error::api(route, 400, ErrorCode::InvalidParameterValue, error.problem))
}

fn is_in_view(stage: LifecycleStage, view: ViewType) -> bool {
    match view {
        ViewType::ActiveOnly => stage == LifecycleStage::Active,
        ViewType::DeletedOnly => stage == LifecycleStage::Deleted,
        ViewType::All => true,
    }
}

/// A page of at most `size`; a token is how many came before it.
fn page<T>(all: Vec<T>, size: Option<u32>, token: Option<&str>) -> (Vec<T>, Option<String>) {
    let start: usize = token.and_then(|token| token.parse().ok()).unwrap_or_default();
    let size = size.map_or(usize::MAX, |size| usize::try_from(size).unwrap_or(usize::MAX));
    let end = start.saturating_add(size);
    let next = (end < all.len()).then(|| end.to_string());
    (all.into_iter().skip(start).take(size).collect(), next)
}

#[async_trait]
impl TrackingStore for FileStore {
    async fn create_experiment(&self, _: &CreateExperiment) -> Result<ExperimentId> {
        self.refuse()
    }

    async fn get_experiment(&self, call: &GetExperiment) -> Result<Experiment> {
        let found = self.contents().await?.experiments;
        let found = found.into_iter().find(|experiment| experiment.experiment_id == call.experiment_id);
        found.ok_or_else(|| {
            missing(GetExperiment::PATH, format!("Could not find experiment with ID {}", call.experiment_id))
        })
    }

    async fn get_experiment_by_name(&self, call: &GetExperimentByName) -> Result<Experiment> {
        let found = self.contents().await?.experiments;
        found.into_iter().find(|experiment| experiment.name == call.experiment_name).ok_or_else(|| {
            let message = format!("Could not find experiment with name '{}'", call.experiment_name);
            missing(GetExperimentByName::PATH, message)
        })
    }

    async fn search_experiments(&self, call: &SearchExperiments) -> Result<SearchExperimentsResponse> {
        let filter = valid(
            SearchExperiments::PATH,
            Filter::parse_optional(Searched::Experiments, call.filter.as_deref()),
        )?;
        let orders =
            valid(SearchExperiments::PATH, OrderBy::parse_all(Searched::Experiments, &call.order_by))?;
        let mut experiments = self.contents().await?.experiments;
        experiments.retain(|experiment| {
            is_in_view(experiment.lifecycle_stage, call.view_type) && filter.matches_experiment(experiment)
        });
        experiments.sort_by(|left, right| compare_experiments(&orders, left, right));
        let (experiments, next_page_token) =
            page(experiments, Some(call.max_results), call.page_token.as_deref());
        Ok(SearchExperimentsResponse { experiments, next_page_token })
    }

    async fn update_experiment(&self, _: &UpdateExperiment) -> Result<()> {
        self.refuse()
    }

    async fn delete_experiment(&self, _: &DeleteExperiment) -> Result<()> {
        self.refuse()
    }

    async fn restore_experiment(&self, _: &RestoreExperiment) -> Result<()> {
        self.refuse()
    }

    async fn set_experiment_tag(&self, _: &SetExperimentTag) -> Result<()> {
        self.refuse()
    }

    async fn delete_experiment_tag(&self, _: &DeleteExperimentTag) -> Result<()> {
        self.refuse()
    }

    async fn create_run(&self, _: &CreateRun) -> Result<Run> {
        self.refuse()
    }

    async fn get_run(&self, call: &GetRun) -> Result<Run> {
        Ok(self.stored_run(GetRun::PATH, &call.run_id).await?.run)
    }

    async fn update_run(&self, _: &UpdateRun) -> Result<RunInfo> {
        self.refuse()
    }

    async fn delete_run(&self, _: &DeleteRun) -> Result<()> {
        self.refuse()
    }

    async fn restore_run(&self, _: &RestoreRun) -> Result<()> {
        self.refuse()
    }

    async fn search_runs(&self, call: &SearchRuns) -> Result<SearchRunsResponse> {
        let filter = valid(SearchRuns::PATH, Filter::parse_optional(Searched::Runs, call.filter.as_deref()))?;
        let orders = valid(SearchRuns::PATH, OrderBy::parse_all(Searched::Runs, &call.order_by))?;
        let mut runs: Vec<Run> = self.contents().await?.runs.into_iter().map(|stored| stored.run).collect();
        runs.retain(|run| {
            call.experiment_ids.contains(&run.info.experiment_id)
                && is_in_view(run.info.lifecycle_stage, call.run_view_type)
                && filter.matches_run(run)
        });
        runs.sort_by(|left, right| compare_runs(&orders, left, right));
        let (runs, next_page_token) = page(runs, call.max_results.or(Some(1000)), call.page_token.as_deref());
        Ok(SearchRunsResponse { runs, next_page_token })
    }

    async fn log_metric(&self, _: &LogMetric) -> Result<()> {
        self.refuse()
    }

    async fn log_param(&self, _: &LogParam) -> Result<()> {
        self.refuse()
    }

    async fn log_batch(&self, _: &LogBatch) -> Result<()> {
        self.refuse()
    }

    async fn set_tag(&self, _: &SetTag) -> Result<()> {
        self.refuse()
    }

    async fn delete_tag(&self, _: &DeleteTag) -> Result<()> {
        self.refuse()
    }

    async fn log_inputs(&self, _: &LogInputs) -> Result<()> {
        self.refuse()
    }

    async fn log_outputs(&self, _: &LogOutputs) -> Result<()> {
        self.refuse()
    }

    async fn log_model(&self, _: &LogModel) -> Result<()> {
        self.refuse()
    }

    async fn get_metric_history(&self, call: &GetMetricHistory) -> Result<GetMetricHistoryResponse> {
        let mut metrics = self.stored_run(GetMetricHistory::PATH, &call.run_id).await?.metrics;
        metrics.retain(|metric| metric.key == call.metric_key);
        let (metrics, next_page_token) = page(metrics, call.max_results, call.page_token.as_deref());
        Ok(GetMetricHistoryResponse { metrics, next_page_token })
    }

    async fn create_logged_model(&self, _: &CreateLoggedModel) -> Result<LoggedModel> {
        self.refuse()
    }

    async fn get_logged_model(&self, call: &GetLoggedModel) -> Result<LoggedModel> {
        let found = self.contents().await?.logged_models;
        found
            .into_iter()
            .find(|model| model.info.model_id == call.model_id)
            .ok_or_else(|| missing(GetLoggedModel::PATH, format!("Model '{}' not found", call.model_id)))
    }

    async fn finalize_logged_model(&self, _: &FinalizeLoggedModel) -> Result<LoggedModel> {
        self.refuse()
    }

    async fn delete_logged_model(&self, _: &DeleteLoggedModel) -> Result<()> {
        self.refuse()
    }

    async fn log_logged_model_params(&self, _: &LogLoggedModelParams) -> Result<()> {
        self.refuse()
    }

    async fn set_logged_model_tags(&self, _: &SetLoggedModelTags) -> Result<()> {
        self.refuse()
    }

    async fn delete_logged_model_tag(&self, _: &DeleteLoggedModelTag) -> Result<()> {
        self.refuse()
    }

    async fn search_logged_models(&self, call: &SearchLoggedModels) -> Result<SearchLoggedModelsResponse> {
        let filter = valid(
            SearchLoggedModels::PATH,
            Filter::parse_optional(Searched::LoggedModels, call.filter.as_deref()),
        )?;
        let mut models = self.contents().await?.logged_models;
        models.retain(|model| {
            call.experiment_ids.contains(&model.info.experiment_id)
                && filter.matches_logged_model(model, &call.datasets)
        });
        models.sort_by(|left, right| compare_logged_models(&call.order_by, left, right));
        let (models, next_page_token) =
            page(models, call.max_results.or(Some(100)), call.page_token.as_deref());
        Ok(SearchLoggedModelsResponse { models, next_page_token })
    }
}
