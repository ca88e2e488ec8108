//! Logged models: a model with its files, metrics and origin, before and beside any registry.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::metrics::Metric;
use crate::tags::{Param, Tag};
use crate::{Empty, ExperimentId, LoggedModelName, ModelId, RunId, wire};

/// A logged model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedModel {
    /// What it is.
    pub info: LoggedModelInfo,
    /// What was logged with it.
    #[serde(default)]
    pub data: LoggedModelData,
}

/// What a logged model is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedModelInfo {
    /// Its identifier.
    pub model_id: ModelId,
    /// Its experiment.
    pub experiment_id: ExperimentId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub creation_timestamp_ms: Option<i64>,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub last_updated_timestamp_ms: Option<i64>,
    /// The URI of its files.
    #[serde(default)]
    pub artifact_uri: String,
    /// Whether its files are complete.
    pub status: LoggedModelStatus,
    /// A free word for what it is.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub model_type: Option<String>,
    /// The run that made it.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub source_run_id: Option<String>,
    /// Why it failed.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub status_message: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// What was logged with a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoggedModelData {
    /// Its params.
    #[serde(default)]
    pub params: Vec<Param>,
    /// Metrics that measure it.
    #[serde(default)]
    pub metrics: Vec<Metric>,
}

/// Whether the files of a logged model are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LoggedModelStatus {
    /// They are on the way.
    #[serde(rename = "LOGGED_MODEL_PENDING")]
    Pending,
    /// They are complete.
    #[serde(rename = "LOGGED_MODEL_READY")]
    Ready,
    /// They are not, and never will be.
    #[serde(rename = "LOGGED_MODEL_UPLOAD_FAILED")]
    UploadFailed,
}

impl LoggedModelStatus {
    /// The number in the database.
    pub fn number(self) -> i64 {
        match self {
            Self::Pending => 1,
            Self::Ready => 2,
            Self::UploadFailed => 3,
        }
    }
}

/// Creates a logged model, whose files are yet to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateLoggedModel {
    /// Its experiment.
    pub experiment_id: ExperimentId,
    /// Its name; the server invents one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<LoggedModelName>,
    /// A free word for what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// The run that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_run_id: Option<RunId>,
    /// Its params, 100 at most; the rest with [`LogLoggedModelParams`].
    pub params: Vec<Param>,
    /// Its tags.
    pub tags: Vec<Tag>,
}
route!(CreateLoggedModel: Post "logged-models" -> LoggedModelResponse);

/// One logged model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedModelResponse {
    /// It.
    pub model: LoggedModel,
}

/// A logged model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetLoggedModel {
    /// Which one.
    pub model_id: ModelId,
}
route!(GetLoggedModel: Get "logged-models/{model_id}" -> LoggedModelResponse, {model_id});

/// Says that the files of a logged model are complete, or never will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalizeLoggedModel {
    /// Which one.
    pub model_id: ModelId,
    /// Ready, or failed.
    pub status: LoggedModelStatus,
}
route!(FinalizeLoggedModel: Patch "logged-models/{model_id}" -> LoggedModelResponse, {model_id});

/// Deletes a logged model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteLoggedModel {
    /// Which one.
    pub model_id: ModelId,
}
route!(DeleteLoggedModel: Delete "logged-models/{model_id}" -> Empty, {model_id});

/// Adds params to a logged model, 100 at a time; a server refuses one that is there already, even with the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLoggedModelParams {
    /// Which one.
    pub model_id: ModelId,
    /// The params.
    pub params: Vec<Param>,
}
route!(LogLoggedModelParams: Post "logged-models/{model_id}/params" -> Empty, {model_id});

/// Sets tags of a logged model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetLoggedModelTags {
    /// Which one.
    pub model_id: ModelId,
    /// The tags.
    pub tags: Vec<Tag>,
}
route!(SetLoggedModelTags: Patch "logged-models/{model_id}/tags" -> Empty, {model_id});

/// Removes a tag of a logged model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteLoggedModelTag {
    /// Which one.
    pub model_id: ModelId,
    /// The key.
    pub tag_key: String,
}
route!(DeleteLoggedModelTag: Delete "logged-models/{model_id}/tags/{tag_key}" -> Empty, {model_id}, {tag_key});

/// Logged models that fit a filter, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SearchLoggedModels {
    /// In which experiments; at least one.
    pub experiment_ids: Vec<ExperimentId>,
    /// Such as `name = 'encoder' AND metrics.spearman > 0.8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Only metrics on these datasets count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetFilter>,
    /// Models a page: 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// The newest first if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<LoggedModelOrder>,
    /// Where the page begins: what the page before said. The rest of the search must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(SearchLoggedModels: Post "logged-models/search" -> SearchLoggedModelsResponse, Freely);

/// A dataset, by name and perhaps digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DatasetFilter {
    /// Its name.
    pub dataset_name: String,
    /// Its digest; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
}

/// What logged models are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedModelOrder {
    /// An attribute or `metrics.k`.
    pub field_name: String,
    /// The smallest first.
    pub ascending: bool,
    /// For a metric: on this dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    /// For a metric: with this digest of the dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
}

/// A page of logged models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchLoggedModelsResponse {
    /// The models.
    #[serde(default)]
    pub models: Vec<LoggedModel>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}
