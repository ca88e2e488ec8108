//! How a model is logged; Python's names.

use std::sync::Arc;
use std::time::Duration;

use mlflow_client::artifacts::Progress;
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::types::{ExperimentId, LoggedModelName, ModelAlias, ModelId, RegisteredModelName, RunId};

use super::{PromptUri, StopSwitch};
use crate::SaveOptions;

/// How a model is logged.
///
/// Where Python's `log_model` has another place or name for something:
///
/// | Python | here |
/// |---|---|
/// | `model` | the folder of the call |
/// | `artifact_path` (deprecated) | [`name`](Self::name) |
/// | `task`, `inference_config`, `code_paths`, `signature`, `input_example`, `pip_requirements`, `extra_pip_requirements`, `conda_env`, `metadata`, `extra_files` | in [`save`](Self::save), under these names |
/// | `registered_model_name`, `await_registration_for` | [`registration`](Self::registration): [`Registration::name`], [`Registration::await_for`] |
/// | `resources`, `auth_policy` | [`SaveOptions::mlflow_model`] |
/// | the active run | [`run_id`](Self::run_id); without one, [`experiment_id`](Self::experiment_id) |
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogOptions {
    /// What the MLflow model is made of.
    pub save: SaveOptions,
    /// The name of the logged model; the store invents one if absent.
    pub name: Option<LoggedModelName>,
    /// The experiment, if no run is given.
    pub experiment_id: ExperimentId,
    /// The run that makes the model: its params become the model's, its metrics at [`step`](Self::step) are linked.
    pub run_id: Option<RunId>,
    /// The step of the run at which the model was made.
    pub step: i64,
    /// A logged model that is pending, in place of a new one.
    pub model_id: Option<ModelId>,
    /// Params of the logged model.
    pub params: Vec<Param>,
    /// Tags of the logged model. Python sets `mlflow.user`, `mlflow.source.name` and `mlflow.source.type`; a library does
    /// not look for them, the caller knows.
    pub tags: Vec<Tag>,
    /// A free word for what the model is.
    pub model_type: Option<String>,
    /// Prompts of MLflow's prompt registry that the model goes with: noted in `MLmodel`, on the run and on the logged model.
    pub prompts: Vec<PromptUri>,
    /// How the model is registered, if it is.
    pub registration: Option<Registration>,
    /// Who is told how far the upload is.
    pub progress: Option<Arc<dyn Progress>>,
    /// Asks the log to stop.
    pub stop: StopSwitch,
}

/// How a model becomes a version of a registered one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// The registered model; created if there is none.
    pub name: RegisteredModelName,
    /// Tags of the version.
    pub tags: Vec<Tag>,
    /// Aliases that point at the version in the end.
    pub aliases: Vec<ModelAlias>,
    /// How long to wait for the version to be ready; zero does not wait. Python's `await_registration_for`.
    pub await_for: Duration,
}

impl LogOptions {
    /// A new model in an experiment, with nothing else said.
    pub fn new(experiment_id: ExperimentId) -> Self {
        Self {
            save: SaveOptions::default(),
            name: None,
            experiment_id,
            run_id: None,
            step: 0,
            model_id: None,
            params: Vec::new(),
            tags: Vec::new(),
            model_type: None,
            prompts: Vec::new(),
            registration: None,
            progress: None,
            stop: StopSwitch::new(),
        }
    }

    /// Sets the name of the logged model.
    #[must_use]
    pub fn with_name(mut self, name: LoggedModelName) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the run that makes the model.
    #[must_use]
    pub fn with_run_id(mut self, run_id: RunId) -> Self {
        self.run_id = Some(run_id);
        self
    }

    /// Sets what the MLflow model is made of.
    #[must_use]
    pub fn with_save(mut self, save: SaveOptions) -> Self {
        self.save = save;
        self
    }

    /// Sets what asks the log to stop.
    #[must_use]
    pub fn with_stop(mut self, stop: StopSwitch) -> Self {
        self.stop = stop;
        self
    }

    /// Sets how the model is registered.
    #[must_use]
    pub fn with_registration(mut self, registration: Registration) -> Self {
        self.registration = Some(registration);
        self
    }
}

impl Registration {
    /// How long Python waits for a version.
    pub const AWAIT_FOR: Duration = Duration::from_mins(5);

    /// A version of this registered model.
    pub fn new(name: RegisteredModelName) -> Self {
        Self { name, tags: Vec::new(), aliases: Vec::new(), await_for: Self::AWAIT_FOR }
    }

    /// Adds an alias.
    #[must_use]
    pub fn with_alias(mut self, alias: ModelAlias) -> Self {
        self.aliases.push(alias);
        self
    }
}
