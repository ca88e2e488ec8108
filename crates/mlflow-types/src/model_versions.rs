//! Model versions: one state of a registered model.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::metrics::Metric;
use crate::tags::{Param, Tag};
use crate::{Empty, ModelId, ModelVersionNumber, RegisteredModelName, RunId, wire};

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The registered model.
    pub name: RegisteredModelName,
    /// Its number, from 1.
    pub version: ModelVersionNumber,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub creation_timestamp: Option<i64>,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub last_updated_timestamp: Option<i64>,
    /// Who made it.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub user_id: Option<String>,
    /// `None`, `Staging`, `Production` or `Archived`; MLflow has replaced stages by aliases.
    #[serde(default)]
    pub current_stage: Option<String>,
    /// A description.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub description: Option<String>,
    /// What it was made from: `models:/m-…`, or a URI of files.
    #[serde(default)]
    pub source: String,
    /// The run that made the model.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub run_id: Option<String>,
    /// Whether it can be used.
    #[serde(default)]
    pub status: ModelVersionStatus,
    /// Why it cannot.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub status_message: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// A link to the run.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub run_link: Option<String>,
    /// Aliases that point at it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The logged model that it was made from.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub model_id: Option<String>,
    /// Params of the logged model, where the server sends them.
    #[serde(default)]
    pub model_params: Vec<Param>,
    /// Metrics of the logged model, where the server sends them.
    #[serde(default)]
    pub model_metrics: Vec<Metric>,
}

/// Whether a version can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelVersionStatus {
    /// The registry is at work on it.
    PendingRegistration,
    /// It cannot.
    FailedRegistration,
    /// It can.
    #[default]
    Ready,
}

impl ModelVersionStatus {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingRegistration => "PENDING_REGISTRATION",
            Self::FailedRegistration => "FAILED_REGISTRATION",
            Self::Ready => "READY",
        }
    }
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersionResponse {
    /// It.
    pub model_version: ModelVersion,
}

/// Makes a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateModelVersion {
    /// The registered model, which must exist.
    pub name: RegisteredModelName,
    /// What it is made from: `models:/m-…` (then with `model_id`), or a URI of files.
    pub source: String,
    /// The run that made the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// A link to the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_link: Option<String>,
    /// A description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The logged model; a source `models:/m-…` needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
}
route!(CreateModelVersion: Post "model-versions/create" -> ModelVersionResponse);

/// A version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetModelVersion {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
}
route!(GetModelVersion: Get "model-versions/get" -> ModelVersionResponse);

/// Changes the description of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateModelVersion {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
    /// The description.
    pub description: String,
}
route!(UpdateModelVersion: Patch "model-versions/update" -> ModelVersionResponse);

/// Deletes a version; it cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteModelVersion {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
}
route!(DeleteModelVersion: Delete "model-versions/delete" -> Empty);

/// Versions that fit a filter, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SearchModelVersions {
    /// Such as `name = 'encoder' AND tags.state = 'checked'`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Versions a page: 10,000 if absent, 200,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Such as `version_number DESC`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<String>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(SearchModelVersions: Get "model-versions/search" -> SearchModelVersionsResponse);

/// A page of versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchModelVersionsResponse {
    /// The versions.
    #[serde(default)]
    pub model_versions: Vec<ModelVersion>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// Where the files of a version are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetModelVersionDownloadUri {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
}
route!(GetModelVersionDownloadUri: Get "model-versions/get-download-uri" -> GetModelVersionDownloadUriResponse);

/// Where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetModelVersionDownloadUriResponse {
    /// The URI.
    pub artifact_uri: String,
}

/// Moves a version to another stage; MLflow has replaced stages by aliases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransitionModelVersionStage {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub stage: String,
    /// Whether the versions that are in the stage go to the archive.
    pub archive_existing_versions: bool,
}
route!(TransitionModelVersionStage: Post "model-versions/transition-stage" -> ModelVersionResponse, Freely);

/// Sets a tag of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetModelVersionTag {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}
route!(SetModelVersionTag: Post "model-versions/set-tag" -> Empty, Freely);

/// Removes a tag of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteModelVersionTag {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The number.
    pub version: ModelVersionNumber,
    /// The key.
    pub key: String,
}
route!(DeleteModelVersionTag: Delete "model-versions/delete-tag" -> Empty);
