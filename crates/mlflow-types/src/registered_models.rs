//! Registered models: a name for a line of versions, with aliases.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::model_versions::{ModelVersion, ModelVersionResponse};
use crate::tags::Tag;
use crate::{Empty, ModelAlias, ModelVersionNumber, RegisteredModelName, wire};

/// A registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredModel {
    /// Its name.
    pub name: RegisteredModelName,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub creation_timestamp: Option<i64>,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub last_updated_timestamp: Option<i64>,
    /// A description.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub description: Option<String>,
    /// The newest version of each stage.
    #[serde(default)]
    pub latest_versions: Vec<ModelVersion>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Its aliases.
    #[serde(default)]
    pub aliases: Vec<Alias>,
}

/// A name for one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alias {
    /// The name.
    pub alias: String,
    /// The version.
    pub version: ModelVersionNumber,
}

/// Creates a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateRegisteredModel {
    /// Its name.
    pub name: RegisteredModelName,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// A description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
route!(CreateRegisteredModel: Post "registered-models/create" -> RegisteredModelResponse);

/// One registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredModelResponse {
    /// It.
    pub registered_model: RegisteredModel,
}

/// A registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetRegisteredModel {
    /// Which one.
    pub name: RegisteredModelName,
}
route!(GetRegisteredModel: Get "registered-models/get" -> RegisteredModelResponse);

/// Gives a registered model another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenameRegisteredModel {
    /// Which one.
    pub name: RegisteredModelName,
    /// Its new name.
    pub new_name: RegisteredModelName,
}
route!(RenameRegisteredModel: Post "registered-models/rename" -> RegisteredModelResponse);

/// Changes the description of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateRegisteredModel {
    /// Which one.
    pub name: RegisteredModelName,
    /// The description.
    pub description: String,
}
route!(UpdateRegisteredModel: Patch "registered-models/update" -> RegisteredModelResponse);

/// Deletes a registered model with its versions; they cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteRegisteredModel {
    /// Which one.
    pub name: RegisteredModelName,
}
route!(DeleteRegisteredModel: Delete "registered-models/delete" -> Empty);

/// Registered models that fit a filter, a page at a time. Prompts live in the same table; a filter on the tag
/// `mlflow.prompt.is_prompt` leaves them out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SearchRegisteredModels {
    /// Such as `name LIKE 'search-%'`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Models a page: 100 if absent, 1000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Such as `last_updated_timestamp DESC`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<String>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(SearchRegisteredModels: Get "registered-models/search" -> SearchRegisteredModelsResponse);

/// A page of registered models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchRegisteredModelsResponse {
    /// The models.
    #[serde(default)]
    pub registered_models: Vec<RegisteredModel>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// The newest version of each stage, or of those named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetLatestVersions {
    /// Which model.
    pub name: RegisteredModelName,
    /// Which stages; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
}
route!(GetLatestVersions: Post "registered-models/get-latest-versions" -> GetLatestVersionsResponse, Freely);

/// The newest versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetLatestVersionsResponse {
    /// The versions.
    #[serde(default)]
    pub model_versions: Vec<ModelVersion>,
}

/// Sets a tag of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetRegisteredModelTag {
    /// Which model.
    pub name: RegisteredModelName,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}
route!(SetRegisteredModelTag: Post "registered-models/set-tag" -> Empty, Freely);

/// Removes a tag of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteRegisteredModelTag {
    /// Which model.
    pub name: RegisteredModelName,
    /// The key.
    pub key: String,
}
route!(DeleteRegisteredModelTag: Delete "registered-models/delete-tag" -> Empty);

/// Points an alias at a version, wherever it pointed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetRegisteredModelAlias {
    /// Which model.
    pub name: RegisteredModelName,
    /// The alias.
    pub alias: ModelAlias,
    /// The version.
    pub version: ModelVersionNumber,
}
route!(SetRegisteredModelAlias: Post "registered-models/alias" -> Empty, Freely);

/// Removes an alias; it is no error if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteRegisteredModelAlias {
    /// Which model.
    pub name: RegisteredModelName,
    /// The alias.
    pub alias: ModelAlias,
}
route!(DeleteRegisteredModelAlias: Delete "registered-models/alias" -> Empty);

/// The version that an alias points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetModelVersionByAlias {
    /// Which model.
    pub name: RegisteredModelName,
    /// The alias.
    pub alias: ModelAlias,
}
route!(GetModelVersionByAlias: Get "registered-models/alias" -> ModelVersionResponse);
