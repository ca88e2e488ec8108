//! Runs, and what is logged to them.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::experiments::{LifecycleStage, ViewType};
use crate::inputs::{DatasetInput, ModelInput, ModelOutput};
use crate::metrics::Metric;
use crate::tags::{Param, Tag};
use crate::{Empty, ExperimentId, ModelId, RunId, wire};

/// A run: what it is, what was logged, what it read and made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What it is.
    pub info: RunInfo,
    /// What was logged.
    #[serde(default)]
    pub data: RunData,
    /// What it read.
    #[serde(default)]
    pub inputs: RunInputs,
    /// What it made.
    #[serde(default)]
    pub outputs: RunOutputs,
}

/// What a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Its identifier.
    pub run_id: RunId,
    /// Its name.
    #[serde(default)]
    pub run_name: String,
    /// Its experiment.
    pub experiment_id: ExperimentId,
    /// Who started it.
    #[serde(default)]
    pub user_id: String,
    /// How far it is.
    pub status: RunStatus,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub start_time: Option<i64>,
    /// Milliseconds since the Unix epoch; absent while it runs.
    #[serde(default, with = "wire::optional_int64")]
    pub end_time: Option<i64>,
    /// The URI below which its artifacts lie.
    #[serde(default)]
    pub artifact_uri: String,
    /// Whether it was deleted.
    #[serde(default)]
    pub lifecycle_stage: LifecycleStage,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunStatus {
    /// At work.
    Running,
    /// To be run.
    Scheduled,
    /// Ended well.
    Finished,
    /// Ended badly.
    Failed,
    /// Was ended.
    Killed,
}

impl RunStatus {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

/// What was logged to a run: of each metric the latest value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunData {
    /// The latest value of each metric.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// The params.
    #[serde(default)]
    pub params: Vec<Param>,
    /// The tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// What a run read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInputs {
    /// Datasets.
    #[serde(default)]
    pub dataset_inputs: Vec<DatasetInput>,
    /// Logged models.
    #[serde(default)]
    pub model_inputs: Vec<ModelInput>,
}

/// What a run made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutputs {
    /// Logged models.
    #[serde(default)]
    pub model_outputs: Vec<ModelOutput>,
}

/// Starts a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateRun {
    /// Its experiment.
    pub experiment_id: ExperimentId,
    /// Who starts it.
    pub user_id: String,
    /// Its name; the server invents one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub start_time: i64,
    /// Its tags.
    pub tags: Vec<Tag>,
}
route!(CreateRun: Post "runs/create" -> GetRunResponse);

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetRun {
    /// Which one.
    pub run_id: RunId,
}
route!(GetRun: Get "runs/get" -> GetRunResponse);

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetRunResponse {
    /// It.
    pub run: Run,
}

/// Changes a run's status, end or name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateRun {
    /// Which one.
    pub run_id: RunId,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// Milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
}
route!(UpdateRun: Post "runs/update" -> UpdateRunResponse, Freely);

/// What the run is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateRunResponse {
    /// It.
    pub run_info: RunInfo,
}

/// Deletes a run; it can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteRun {
    /// Which one.
    pub run_id: RunId,
}
route!(DeleteRun: Post "runs/delete" -> Empty);

/// Brings a deleted run back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreRun {
    /// Which one.
    pub run_id: RunId,
}
route!(RestoreRun: Post "runs/restore" -> Empty);

/// Runs that fit a filter, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SearchRuns {
    /// In which experiments; at least one.
    pub experiment_ids: Vec<ExperimentId>,
    /// Such as `metrics.spearman > 0.8 AND params.pooling = 'mean'`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Which of the deleted and the others.
    pub run_view_type: ViewType,
    /// Runs a page: 1000 if absent, 50,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Such as `metrics.spearman DESC`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<String>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(SearchRuns: Post "runs/search" -> SearchRunsResponse, Freely);

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchRunsResponse {
    /// The runs.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// Appends one value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogMetric {
    /// The run.
    pub run_id: RunId,
    /// The value.
    #[serde(flatten)]
    pub metric: Metric,
}
route!(LogMetric: Post "runs/log-metric" -> Empty);

impl LogMetric {
    /// A value of no model and no dataset; `timestamp` in milliseconds since the Unix epoch.
    pub fn new(run_id: RunId, key: impl Into<String>, value: f64, timestamp: i64, step: i64) -> Self {
        Self { run_id, metric: Metric::new(key, value, timestamp, step) }
    }
}

/// Sets a param; once set, it can only be set to the same value again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogParam {
    /// The run.
    pub run_id: RunId,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}
route!(LogParam: Post "runs/log-parameter" -> Empty, Freely);

/// Appends metrics and sets params and tags, at most what [`limits`](crate::limits) allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogBatch {
    /// The run.
    pub run_id: RunId,
    /// Values to append.
    pub metrics: Vec<Metric>,
    /// Params to set.
    pub params: Vec<Param>,
    /// Tags to set.
    pub tags: Vec<Tag>,
}
route!(LogBatch: Post "runs/log-batch" -> Empty);

/// Sets a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetTag {
    /// The run.
    pub run_id: RunId,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}
route!(SetTag: Post "runs/set-tag" -> Empty, Freely);

/// Removes a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteTag {
    /// The run.
    pub run_id: RunId,
    /// The key.
    pub key: String,
}
route!(DeleteTag: Post "runs/delete-tag" -> Empty);

/// Says what a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogInputs {
    /// The run.
    pub run_id: RunId,
    /// Datasets; one that is known already is not stored twice.
    pub datasets: Vec<DatasetInput>,
    /// Logged models.
    pub models: Vec<ModelInput>,
}
route!(LogInputs: Post "runs/log-inputs" -> Empty, Freely);

/// Says what a run made; a server refuses to hear of the same model twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogOutputs {
    /// The run.
    pub run_id: RunId,
    /// Logged models.
    pub models: Vec<ModelOutput>,
}
route!(LogOutputs: Post "runs/outputs" -> Empty);

/// Notes a model on a run as servers of MLflow 2 do it; the newer ones have logged models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogModel {
    /// The run.
    pub run_id: RunId,
    /// The MLmodel, as JSON.
    pub model_json: String,
    /// The logged model, where the server has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
}
route!(LogModel: Post "runs/log-model" -> Empty);
