//! What can go wrong on the way to a server.

use std::time::Duration;

use mlflow_client::types::{InvalidName, ModelId, ModelVersionNumber, RegisteredModelName};

/// Why a model was not logged or registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The model cannot be saved.
    #[error(transparent)]
    Save(#[from] crate::Error),
    /// A store refused, or could not be asked.
    #[error(transparent)]
    Client(#[from] mlflow_client::Error),
    /// A name breaks MLflow's rules.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Something failed when the logged model existed already.
    #[error("model {model_id} was not logged completely and {}", state(*.declared))]
    Upload {
        /// The logged model.
        model_id: ModelId,
        /// Whether the store knows that it failed; if not it still holds it as pending.
        declared: bool,
        /// What failed.
        source: Box<LogError>,
    },
    /// The switch of the options was used.
    #[error("the log was stopped")]
    Stopped,
    /// The switch of the options was used when the model was ready.
    #[error("{model_uri} is logged; the log was stopped while it was being registered")]
    StoppedRegistering {
        /// The model.
        model_uri: String,
    },
    /// The given logged model has its files already.
    #[error("model {model_id} is not pending: its files are there, or it has failed")]
    NotPending {
        /// The logged model.
        model_id: ModelId,
    },
    /// A server of MLflow 2 logs models to runs only.
    #[error("the server has no logged models, as MLflow 2: a run is needed")]
    NeedsRun,
    /// A version is a whole model.
    #[error("{uri}: this is a part of a model, and only a whole model becomes a version")]
    PartOfModel {
        /// What was to be registered.
        uri: String,
    },
    /// A run has nothing that could be registered at this place.
    #[error("{uri}: the run has no `MLmodel` there, and has made no logged model of that name")]
    NoModelOfRun {
        /// What was to be registered.
        uri: String,
    },
    /// The registry refused the version after a while.
    #[error("version {version} of {name}: registration failed: {message}")]
    Registration {
        /// The registered model.
        name: RegisteredModelName,
        /// The version.
        version: ModelVersionNumber,
        /// The registry's words.
        message: String,
    },
    /// The registry was still at work when patience ended.
    #[error("version {version} of {name}: still being registered after {} s", .waited.as_secs())]
    StillPending {
        /// The registered model.
        name: RegisteredModelName,
        /// The version.
        version: ModelVersionNumber,
        /// How long was waited.
        waited: Duration,
    },
    /// The registry has no such prompt, or a model under that name.
    #[error("{uri} is no prompt of the registry")]
    NoPrompt {
        /// The prompt.
        uri: String,
    },
    /// The tag that names the prompts of a run or a logged model cannot be understood, and is not overwritten.
    #[error("{of}: the tag `mlflow.linkedPrompts` is no list")]
    LinkedPrompts {
        /// The run or the logged model.
        of: String,
        /// The parser's words.
        #[source]
        source: mlflow_client::BoxError,
    },
    /// A local file could not be made ready.
    #[error("cannot prepare the files of the model")]
    Prepare {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The cache of fetched models cannot be used.
    #[error("cannot use the cache of fetched models")]
    Cache(#[from] std::io::Error),
    /// A path that no artifact may have.
    #[error("{path}: no artifact can have this path")]
    Path {
        /// The path.
        path: String,
        /// The rule that it breaks.
        #[source]
        source: mlflow_client::BoxError,
    },
}

fn state(declared: bool) -> &'static str {
    if declared { "is marked LOGGED_MODEL_UPLOAD_FAILED" } else { "stays LOGGED_MODEL_PENDING" }
}
