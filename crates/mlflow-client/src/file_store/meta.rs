//! The `meta.yaml` files of the old store. The only file that names the YAML library.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::files;
use crate::{Error, Result};

/// An experiment.
#[derive(Debug, Deserialize)]
pub(super) struct ExperimentMeta {
    pub(super) experiment_id: String,
    pub(super) name: String,
    pub(super) artifact_location: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
    pub(super) creation_time: Option<i64>,
    pub(super) last_update_time: Option<i64>,
}

/// A run. MLflow 2 writes its identifier under both of its names, MLflow 1 under the old one alone.
#[derive(Debug, Deserialize)]
pub(super) struct RunMeta {
    pub(super) run_id: Option<String>,
    pub(super) run_uuid: Option<String>,
    pub(super) run_name: Option<String>,
    /// Its name, as MLflow 1 calls it.
    pub(super) name: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) status: Option<u8>,
    pub(super) start_time: Option<i64>,
    pub(super) end_time: Option<i64>,
    pub(super) deleted_time: Option<i64>,
    pub(super) artifact_uri: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
}

/// A dataset of an experiment.
#[derive(Debug, Deserialize)]
pub(super) struct DatasetMeta {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) source_type: String,
    pub(super) source: String,
    pub(super) schema: Option<String>,
    pub(super) profile: Option<String>,
}

/// What a run read or made.
#[derive(Debug, Deserialize)]
pub(super) struct LinkMeta {
    pub(super) source_type: String,
    pub(super) source_id: String,
    #[serde(default)]
    pub(super) step: i64,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// A logged model.
#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelMeta {
    pub(super) model_id: String,
    pub(super) name: String,
    pub(super) artifact_location: String,
    pub(super) creation_timestamp: Option<i64>,
    pub(super) last_updated_timestamp: Option<i64>,
    pub(super) status: u8,
    pub(super) lifecycle_stage: Option<String>,
    pub(super) model_type: Option<String>,
    pub(super) source_run_id: Option<String>,
    pub(super) status_message: Option<String>,
}

/// A registered model.
#[derive(Debug, Deserialize)]
pub(super) struct RegisteredModelMeta {
    pub(super) name: String,
    pub(super) creation_timestamp: Option<i64>,
    pub(super) last_updated_timestamp: Option<i64>,
    pub(super) description: Option<String>,
}

/// A version of a registered model.
#[derive(Debug, Deserialize)]
pub(super) struct ModelVersionMeta {
    pub(super) version: u32,
    pub(super) creation_timestamp: Option<i64>,
    pub(super) last_updated_timestamp: Option<i64>,
    pub(super) description: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) current_stage: Option<String>,
    pub(super) source: Option<String>,
    pub(super) storage_location: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) run_link: Option<String>,
    pub(super) status: Option<String>,
    pub(super) status_message: Option<String>,
}

/// The `meta.yaml` of a folder.
pub(super) fn read<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let path = folder.join("meta.yaml");
    let text = files::text(&path)?;
    serde_yaml::from_str(&text).map_err(|error| Error::Damaged {
        artifact: path.display().to_string(),
        problem: format!("is not what MLflow's store of files writes: {error}"),
    })
}
