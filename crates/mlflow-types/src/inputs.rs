//! Datasets and models that a run reads and makes.

use serde::{Deserialize, Serialize};

use crate::tags::Tag;
use crate::{ModelId, wire};

/// A dataset, known by its name and digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// What tells two states of it apart.
    pub digest: String,
    /// `local`, `hugging_face`, `code`, …
    pub source_type: String,
    /// Where it is, as JSON.
    pub source: String,
    /// Its columns, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its counts, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// A dataset that a run read, with what it was used for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInput {
    /// Tags of the use; `mlflow.data.context` says for what.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The dataset.
    pub dataset: Dataset,
}

/// A logged model that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInput {
    /// The model.
    pub model_id: ModelId,
}

/// A logged model that a run made, and at which step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOutput {
    /// The model.
    pub model_id: ModelId,
    /// The step.
    #[serde(default, with = "wire::int64")]
    pub step: i64,
}
