//! What a run logs, one thing at a time.

use mlflow_types::inputs::{DatasetInput, ModelInput, ModelOutput};
use mlflow_types::metrics::Metric;
use mlflow_types::runs::RunStatus;
use mlflow_types::tags::{Param, Tag};
use serde::{Deserialize, Serialize};

/// One thing that a run logs, on its way to the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// A value of a metric.
    Metric(Metric),
    /// A param.
    Param(Param),
    /// A tag.
    Tag(Tag),
    /// The key of a tag to remove.
    DeleteTag(String),
    /// What the run read.
    Inputs {
        /// Datasets.
        datasets: Vec<DatasetInput>,
        /// Logged models.
        models: Vec<ModelInput>,
    },
    /// Logged models that the run made.
    Outputs(Vec<ModelOutput>),
    /// The end of the run.
    End {
        /// How it ended.
        status: RunStatus,
        /// When: milliseconds since the Unix epoch.
        end_time: i64,
    },
}
