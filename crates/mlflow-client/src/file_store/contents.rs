//! Everything that is in a store of files, read at once.

use std::path::Path;

use mlflow_types::experiments::{Experiment, LifecycleStage};
use mlflow_types::inputs::{Dataset, DatasetInput, ModelInput, ModelOutput};
use mlflow_types::logged_models::{LoggedModel, LoggedModelData, LoggedModelInfo, LoggedModelStatus};
use mlflow_types::metrics::Metric;
use mlflow_types::model_versions::{ModelVersion, ModelVersionStatus};
use mlflow_types::registered_models::{Alias, RegisteredModel};
use mlflow_types::runs::{Run, RunData, RunInfo, RunInputs, RunOutputs, RunStatus};
use mlflow_types::tags::{Param, Tag, system};
use mlflow_types::{ExperimentId, ModelId, ModelVersionNumber, RegisteredModelName, RunId};

use super::files;
use super::meta::{
    self, DatasetMeta, ExperimentMeta, LinkMeta, LoggedModelMeta, ModelVersionMeta, RegisteredModelMeta,
    RunMeta,
};
use crate::Result;

/// Everything that is in a store of files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    /// Experiments, the deleted ones too.
    pub(crate) experiments: Vec<Experiment>,
    /// Runs, the deleted ones too.
    pub(crate) runs: Vec<StoredRun>,
    /// Logged models, but for deleted ones.
    pub(crate) logged_models: Vec<LoggedModel>,
    /// Registered models.
    pub(crate) registered_models: Vec<RegisteredModel>,
    /// Versions, the deleted ones too: their numbers must not be given again.
    pub(crate) model_versions: Vec<StoredVersion>,
}

/// A run, with more than the protocol says of one.
#[derive(Clone, Debug)]
pub(crate) struct StoredRun {
    /// The run.
    pub(crate) run: Run,
    /// All values of its metrics.
    pub(crate) metrics: Vec<Metric>,
    /// When it was deleted, in milliseconds since the Unix epoch.
    pub(crate) deleted_time: Option<i64>,
}

/// A version, with where its files are.
#[derive(Clone, Debug)]
pub(crate) struct StoredVersion {
    /// The version.
    pub(crate) version: ModelVersion,
    /// Where its files are, if that is said.
    pub(crate) storage_location: Option<String>,
}

impl Contents {
    /// Reads a store.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut contents = Self::default();
        for parent in [root.to_owned(), root.join(".trash")] {
            for folder in files::described(&parent)? {
                contents.read_experiment(&folder)?;
            }
        }
        for folder in files::described(&root.join("models"))? {
            contents.read_registered_model(&folder)?;
        }
        Ok(contents)
    }

    fn read_experiment(&mut self, folder: &Path) -> Result<()> {
        let meta: ExperimentMeta = meta::read(folder)?;
        let experiment_id: ExperimentId = meta.experiment_id.parse()?;
        for run in files::described(folder)? {
            self.runs.push(read_run(&run, folder, &experiment_id)?);
        }
        for model in files::described(&folder.join("models"))? {
            self.logged_models.extend(read_logged_model(&model, &experiment_id)?);
        }
        self.experiments.push(Experiment {
            experiment_id,
            name: meta.name,
            artifact_location: meta.artifact_location.unwrap_or_default(),
            lifecycle_stage: stage(meta.lifecycle_stage.as_deref()),
            creation_time: meta.creation_time,
            last_update_time: meta.last_update_time,
            tags: tags(folder)?,
            workspace: None,
        });
        Ok(())
    }

    fn read_registered_model(&mut self, folder: &Path) -> Result<()> {
        let meta: RegisteredModelMeta = meta::read(folder)?;
        let name: RegisteredModelName = meta.name.parse()?;
        let mut aliases = Vec::new();
        for (alias, version) in files::keys(&folder.join("aliases"))? {
            aliases.push(Alias { alias, version: version.trim().parse()? });
        }
        for version in files::described(folder)? {
            self.model_versions.push(read_version(&version, &name, &aliases)?);
        }
        self.registered_models.push(RegisteredModel {
            name,
            creation_timestamp: meta.creation_timestamp,
            last_updated_timestamp: meta.last_updated_timestamp,
            description: meta.description,
            latest_versions: Vec::new(),
            tags: tags(folder)?,
            aliases,
        });
        Ok(())
    }
}

fn read_run(folder: &Path, experiment: &Path, experiment_id: &ExperimentId) -> Result<StoredRun> {
    let meta: RunMeta = meta::read(folder)?;
    let tags = tags(folder)?;
    let metrics = files::metrics(&folder.join("metrics"), false)?;
    let tagged = tags.iter().find(|tag| tag.key == system::RUN_NAME).map(|tag| tag.value.clone());
    let name = meta.run_name.or(meta.name).filter(|name| !name.is_empty()).or(tagged);
    let info = RunInfo {
        run_id: meta.run_id.or(meta.run_uuid).unwrap_or_default().parse()?,
        run_name: name.unwrap_or_default(),
        experiment_id: experiment_id.clone(),
        user_id: meta.user_id.unwrap_or_default(),
        status: match meta.status {
            Some(2) => RunStatus::Scheduled,
            Some(3) => RunStatus::Finished,
            Some(4) => RunStatus::Failed,
            Some(5) => RunStatus::Killed,
            _ => RunStatus::Running,
        },
        start_time: meta.start_time,
        end_time: meta.end_time,
        artifact_uri: meta.artifact_uri.unwrap_or_default(),
        lifecycle_stage: stage(meta.lifecycle_stage.as_deref()),
    };
    let (inputs, outputs) = links(folder, experiment)?;
    let data = RunData { metrics: latest(&metrics), params: params(folder)?, tags };
    Ok(StoredRun { run: Run { info, data, inputs, outputs }, metrics, deleted_time: meta.deleted_time })
}

/// Of each metric the value with the greatest step, time and value.
fn latest(metrics: &[Metric]) -> Vec<Metric> {
    let mut latest: Vec<Metric> = Vec::new();
    for metric in metrics {
        let rank = |metric: &Metric| (metric.step, metric.timestamp, metric.value);
        match latest.iter_mut().find(|best| best.key == metric.key) {
            Some(best) if rank(metric) > rank(best) => *best = metric.clone(),
            Some(_) => {}
            None => latest.push(metric.clone()),
        }
    }
    latest
}

fn links(folder: &Path, experiment: &Path) -> Result<(RunInputs, RunOutputs)> {
    let (mut inputs, mut outputs) = (RunInputs::default(), RunOutputs::default());
    for link in files::described(&folder.join("inputs"))? {
        let meta: LinkMeta = meta::read(&link)?;
        if meta.source_type == "DATASET" {
            let tags = meta.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
            // An identifier is a name of a folder, and never a path that leads elsewhere.
            let dataset_id: RunId = meta.source_id.parse()?;
            let dataset: DatasetMeta = meta::read(&experiment.join("datasets").join(dataset_id.as_str()))?;
            let DatasetMeta { name, digest, source_type, source, schema, profile } = dataset;
            let dataset = Dataset { name, digest, source_type, source, schema, profile };
            inputs.dataset_inputs.push(DatasetInput { tags, dataset });
        } else {
            inputs.model_inputs.push(ModelInput { model_id: meta.source_id.parse()? });
        }
    }
    for link in files::described(&folder.join("outputs"))? {
        let meta: LinkMeta = meta::read(&link)?;
        outputs.model_outputs.push(ModelOutput { model_id: meta.source_id.parse()?, step: meta.step });
    }
    Ok((inputs, outputs))
}

/// A logged model, unless it was deleted.
fn read_logged_model(folder: &Path, experiment_id: &ExperimentId) -> Result<Option<LoggedModel>> {
    let meta: LoggedModelMeta = meta::read(folder)?;
    if stage(meta.lifecycle_stage.as_deref()) == LifecycleStage::Deleted {
        return Ok(None);
    }
    let model_id: ModelId = meta.model_id.parse()?;
    let mut metrics = files::metrics(&folder.join("metrics"), true)?;
    for metric in &mut metrics {
        metric.model_id = Some(model_id.clone());
    }
    let info = LoggedModelInfo {
        model_id,
        experiment_id: experiment_id.clone(),
        name: meta.name,
        creation_timestamp_ms: meta.creation_timestamp,
        last_updated_timestamp_ms: meta.last_updated_timestamp,
        artifact_uri: meta.artifact_location,
        status: match meta.status {
            2 => LoggedModelStatus::Ready,
            3 => LoggedModelStatus::UploadFailed,
            _ => LoggedModelStatus::Pending,
        },
        model_type: meta.model_type,
        source_run_id: meta.source_run_id,
        status_message: meta.status_message,
        tags: tags(folder)?,
    };
    Ok(Some(LoggedModel { info, data: LoggedModelData { params: params(folder)?, metrics } }))
}

fn read_version(folder: &Path, name: &RegisteredModelName, aliases: &[Alias]) -> Result<StoredVersion> {
    let meta: ModelVersionMeta = meta::read(folder)?;
    let number = ModelVersionNumber::new(meta.version);
    let own = aliases.iter().filter(|alias| alias.version == number);
    let version = ModelVersion {
        name: name.clone(),
        version: number,
        creation_timestamp: meta.creation_timestamp,
        last_updated_timestamp: meta.last_updated_timestamp,
        user_id: meta.user_id,
        current_stage: meta.current_stage,
        description: meta.description,
        source: meta.source.unwrap_or_default(),
        run_id: meta.run_id,
        status: match meta.status.as_deref() {
            Some("PENDING_REGISTRATION") => ModelVersionStatus::PendingRegistration,
            Some("FAILED_REGISTRATION") => ModelVersionStatus::FailedRegistration,
            _ => ModelVersionStatus::Ready,
        },
        status_message: meta.status_message,
        tags: tags(folder)?,
        run_link: meta.run_link,
        aliases: own.map(|alias| alias.alias.clone()).collect(),
        model_id: None,
        model_params: Vec::new(),
        model_metrics: Vec::new(),
    };
    Ok(StoredVersion { version, storage_location: meta.storage_location })
}

fn tags(folder: &Path) -> Result<Vec<Tag>> {
    let tags = files::keys(&folder.join("tags"))?;
    Ok(tags.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

fn params(folder: &Path) -> Result<Vec<Param>> {
    let params = files::keys(&folder.join("params"))?;
    Ok(params.into_iter().map(|(key, value)| Param { key, value }).collect())
}

fn stage(word: Option<&str>) -> LifecycleStage {
    match word {
        Some("deleted") => LifecycleStage::Deleted,
        _ => LifecycleStage::Active,
    }
}
