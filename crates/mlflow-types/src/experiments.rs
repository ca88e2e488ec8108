//! Experiments: named collections of runs and logged models.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::{Empty, ExperimentId, tags::Tag, wire};

/// An experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its identifier.
    pub experiment_id: ExperimentId,
    /// Its name, unique among its workspace's experiments.
    pub name: String,
    /// The URI below which its artifacts lie.
    #[serde(default)]
    pub artifact_location: String,
    /// Whether it was deleted.
    #[serde(default)]
    pub lifecycle_stage: LifecycleStage,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub creation_time: Option<i64>,
    /// Milliseconds since the Unix epoch.
    #[serde(default, with = "wire::optional_int64")]
    pub last_update_time: Option<i64>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Its workspace, where the server has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// Whether an experiment or run was deleted; both can be restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleStage {
    /// In use.
    #[default]
    Active,
    /// Deleted.
    Deleted,
}

/// Which of the deleted and the others a search answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ViewType {
    /// Those in use.
    #[default]
    ActiveOnly,
    /// The deleted ones.
    DeletedOnly,
    /// Both.
    All,
}

/// Creates an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateExperiment {
    /// Its name.
    pub name: String,
    /// Where its artifacts go; the server chooses if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_location: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}
route!(CreateExperiment: Post "experiments/create" -> CreateExperimentResponse);

/// The new experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateExperimentResponse {
    /// Its identifier.
    pub experiment_id: ExperimentId,
}

/// An experiment by its identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetExperiment {
    /// Which one.
    pub experiment_id: ExperimentId,
}
route!(GetExperiment: Get "experiments/get" -> GetExperimentResponse);

/// An experiment by its name, deleted or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetExperimentByName {
    /// Which one.
    pub experiment_name: String,
}
route!(GetExperimentByName: Get "experiments/get-by-name" -> GetExperimentResponse);

/// One experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetExperimentResponse {
    /// It.
    pub experiment: Experiment,
}

/// Experiments that fit a filter, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchExperiments {
    /// Experiments a page; the server refuses a search without it.
    pub max_results: u32,
    /// Such as `name LIKE 'sts%' AND tags.team = 'search'`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Such as `last_update_time DESC`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<String>,
    /// Which of the deleted and the others.
    pub view_type: ViewType,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(SearchExperiments: Post "experiments/search" -> SearchExperimentsResponse, Freely);

impl Default for SearchExperiments {
    fn default() -> Self {
        Self {
            max_results: 1000,
            filter: None,
            order_by: Vec::new(),
            view_type: ViewType::default(),
            page_token: None,
        }
    }
}

/// A page of experiments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchExperimentsResponse {
    /// The experiments.
    #[serde(default)]
    pub experiments: Vec<Experiment>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// Gives an experiment another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateExperiment {
    /// Which one.
    pub experiment_id: ExperimentId,
    /// Its new name.
    pub new_name: String,
}
route!(UpdateExperiment: Post "experiments/update" -> Empty, Freely);

/// Deletes an experiment and its runs; they can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteExperiment {
    /// Which one.
    pub experiment_id: ExperimentId,
}
route!(DeleteExperiment: Post "experiments/delete" -> Empty);

/// Brings a deleted experiment back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreExperiment {
    /// Which one.
    pub experiment_id: ExperimentId,
}
route!(RestoreExperiment: Post "experiments/restore" -> Empty);

/// Sets a tag of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetExperimentTag {
    /// Which one.
    pub experiment_id: ExperimentId,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}
route!(SetExperimentTag: Post "experiments/set-experiment-tag" -> Empty, Freely);

/// Removes a tag of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteExperimentTag {
    /// Which one.
    pub experiment_id: ExperimentId,
    /// The key.
    pub key: String,
}
route!(DeleteExperimentTag: Post "experiments/delete-experiment-tag" -> Empty);

/// Datasets that runs of experiments read.
///
/// The server's route below `/api/2.0/mlflow` lacks a slash in MLflow 3.17; the one of its pages works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SearchDatasets {
    /// In which experiments; one at least and 20 at most.
    pub experiment_ids: Vec<ExperimentId>,
}
route!(SearchDatasets: Post Pages "experiments/search-datasets" -> SearchDatasetsResponse, Freely);

/// Datasets, each once for each experiment and context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchDatasetsResponse {
    /// They.
    #[serde(default)]
    pub dataset_summaries: Vec<DatasetSummary>,
}

/// A dataset that runs of an experiment read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The dataset's name.
    pub name: String,
    /// What tells two states of it apart.
    pub digest: String,
    /// What it was used for.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub context: Option<String>,
}
