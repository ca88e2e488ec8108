//! Keys with values: tags and params, on whatever they stand.

use serde::{Deserialize, Serialize};

/// A tag of an experiment, a run, a logged model, a registered model or a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value; the server may leave an empty one out.
    #[serde(default)]
    pub value: String,
}

impl Tag {
    /// A tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// A param of a run or of a logged model.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Param {
    /// The key.
    pub key: String,
    /// The value; the server may leave an empty one out.
    #[serde(default)]
    pub value: String,
}

impl Param {
    /// A param.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// Tags that MLflow itself writes and reads (`mlflow.utils.mlflow_tags`).
pub mod system {
    /// Who did it.
    pub const USER: &str = "mlflow.user";
    /// The program.
    pub const SOURCE_NAME: &str = "mlflow.source.name";
    /// `LOCAL`, `NOTEBOOK`, `JOB` or `PROJECT`.
    pub const SOURCE_TYPE: &str = "mlflow.source.type";
    /// The commit of the program's sources.
    pub const GIT_COMMIT: &str = "mlflow.source.git.commit";
    /// The run's name; the same as in its info.
    pub const RUN_NAME: &str = "mlflow.runName";
    /// The run that a nested run belongs to.
    pub const PARENT_RUN_ID: &str = "mlflow.parentRunId";
    /// A description.
    pub const NOTE: &str = "mlflow.note.content";
    /// The library whose automatic logging wrote the run.
    pub const AUTOLOGGING: &str = "mlflow.autologging";
    /// Tables among the artifacts, as a JSON list.
    pub const LOGGED_ARTIFACTS: &str = "mlflow.loggedArtifacts";
    /// Whether a registered model or version is a prompt, and no model: `true`.
    pub const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
    /// What a dataset was used for; on an input.
    pub const DATASET_CONTEXT: &str = "mlflow.data.context";
    /// Models noted on a run as MLflow 2 does it, as a JSON list.
    pub const LOG_MODEL_HISTORY: &str = "mlflow.log-model.history";
    /// The versions made of a logged model, as a JSON list; readers meet numbers and strings, and repetitions.
    pub const MODEL_VERSIONS: &str = "mlflow.modelVersions";
}
