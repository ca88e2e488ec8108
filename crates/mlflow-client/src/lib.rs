//! MLflow tracking, registry and artifacts, without Python.
//!
//! [`TrackingStore`] and [`RegistryStore`] are MLflow's two stores as traits. Three things stand behind them: a server
//! over REST, the `SQLite` file that MLflow itself uses when no server is named, and a store in memory for tests. All
//! answer the same contract suite, so a program is written once.

pub mod artifacts;
mod client;
pub mod datasets;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
#[cfg(feature = "embedded")]
mod file_store;
pub mod logging;
mod long_values;
mod memory;
mod python_json;
#[cfg(feature = "rest")]
pub mod rest;
mod run;
pub mod settings;
mod store;
mod system_metrics;
pub mod uri;

pub use client::{
    Client, ExperimentPermissions, Experiments, LoggedModels, ModelVersions, Permissions,
    RegisteredModelPermissions, RegisteredModels, Runs, Users, Webhooks,
};
#[cfg(feature = "embedded")]
pub use embedded::{DatabaseReport, EmbeddedStore};
pub use error::{ApiError, BoxError, Error, Result};
#[cfg(feature = "embedded")]
pub use file_store::{FileStore, Imported};
pub use memory::MemoryStore;
pub use run::{ActiveRun, EndReport, Flushed, GitState, KillSwitch, RunArtifacts, RunOptions, Table};
pub use settings::Settings;
pub use store::{AccountStore, RegistryStore, TrackingStore, WebhookStore};
pub use system_metrics::SystemMetricsOptions;

/// The protocol's own vocabulary.
pub use mlflow_types as types;
