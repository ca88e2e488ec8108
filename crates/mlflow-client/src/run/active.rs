//! A run at work.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlflow_types::experiments::LifecycleStage;
use mlflow_types::inputs::{Dataset, DatasetInput, ModelInput, ModelOutput};
use mlflow_types::metrics::Metric;
use mlflow_types::runs::{CreateRun, GetRun, LogBatch, RunInfo, RunStatus, UpdateRun};
use mlflow_types::tags::{Param, Tag, system};
use mlflow_types::{ModelId, RunId};

use super::end::close;
use super::{EndReport, Flushed, KillSwitch, RunOptions};
use crate::logging::{Entry, Header, Journal, LoggingOptions, SpoolFile, Writer, now, replay_run};
use crate::system_metrics::{Sampler, SystemMetricsOptions};
use crate::{Error, Result, TrackingStore};

/// A run at work.
///
/// What is logged is checked at the call, kept in order and sent by a thread of its own, so that no log call waits for the
/// network. A run that is dropped without [`end`](Self::end), by a panic for example, ends as failed.
#[derive(Debug)]
pub struct ActiveRun {
    store: Arc<dyn TrackingStore>,
    info: RunInfo,
    journal: Arc<Journal>,
    patience: Patience,
    sampler: Option<Sampler>,
    /// Whether values that are too long are cut; otherwise they are refused.
    truncate: bool,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Patience {
    queue: Duration,
    end: Duration,
    drop: Duration,
}

impl ActiveRun {
    /// Starts a run, or goes on with one.
    ///
    /// What an earlier process left in the spool of a run that is resumed is sent first.
    ///
    /// # Errors
    /// What the store says; [`Error::Setting`] if the options contradict each other or the run was deleted;
    /// [`Error::File`] if the spool cannot be written.
    pub async fn start(store: Arc<dyn TrackingStore>, options: RunOptions) -> Result<Self> {
        let info = match options.resume.clone() {
            Some(run_id) => resume(&store, run_id, &options).await?,
            None => create(&store, &options).await?,
        };
        let journal = match prepare(&store, &info.run_id, &options.logging) {
            Ok(journal) => journal,
            Err(error) => {
                // Nobody would come to end it. What went wrong first is what the caller needs to know.
                let _ = set_status(&store, &info.run_id, RunStatus::Failed, Some(now())).await;
                return Err(error);
            }
        };
        let LoggingOptions { queue_patience, end_patience, drop_patience, .. } = options.logging;
        let patience = Patience { queue: queue_patience, end: end_patience, drop: drop_patience };
        let truncate = options.truncate_long_values;
        Ok(Self { store, info, journal, patience, sampler: None, truncate, ended: false })
    }

    /// The run's identifier.
    pub fn run_id(&self) -> &RunId {
        &self.info.run_id
    }

    /// What the store said of the run when it was started.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The URI below which the run's artifacts lie.
    pub fn artifact_uri(&self) -> &str {
        &self.info.artifact_uri
    }

    /// The store that the run is in.
    pub fn store(&self) -> &Arc<dyn TrackingStore> {
        &self.store
    }

    /// Appends a value to a metric, with the time of the call.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_metric(&self, key: impl Into<String>, value: f64, step: i64) -> Result<()> {
        self.log(vec![Entry::Metric(Metric::new(key, value, now(), step))])
    }

    /// Appends values to metrics, all with the time of the call.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_metrics<K: Into<String>>(
        &self,
        metrics: impl IntoIterator<Item = (K, f64)>,
        step: i64,
    ) -> Result<()> {
        let time = now();
        let metric = |(key, value): (K, f64)| Entry::Metric(Metric::new(key, value, time, step));
        self.log(metrics.into_iter().map(metric).collect())
    }

    /// Appends a value that measures a logged model, perhaps on a dataset.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_model_metric(
        &self,
        model_id: ModelId,
        dataset: Option<&Dataset>,
        key: impl Into<String>,
        value: f64,
        step: i64,
    ) -> Result<()> {
        let mut metric = Metric::new(key, value, now(), step);
        metric.model_id = Some(model_id);
        metric.dataset_name = dataset.map(|dataset| dataset.name.clone());
        metric.dataset_digest = dataset.map(|dataset| dataset.digest.clone());
        self.log(vec![Entry::Metric(metric)])
    }

    /// Sets a param. Once set, it can only be set to the same value again: another one is refused by the store, later.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_param(&self, key: impl Into<String>, value: impl Display) -> Result<()> {
        self.log_params([(key, value)])
    }

    /// Sets params; see [`log_param`](Self::log_param).
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_params<K: Into<String>, V: Display>(
        &self,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        let param = |(key, value): (K, V)| Entry::Param(Param::new(key, value.to_string()));
        self.log(params.into_iter().map(param).collect())
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn set_tag(&self, key: impl Into<String>, value: impl Display) -> Result<()> {
        self.set_tags([(key, value)])
    }

    /// Sets tags.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn set_tags<K: Into<String>, V: Display>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        let tag = |(key, value): (K, V)| Entry::Tag(Tag::new(key, value.to_string()));
        self.log(tags.into_iter().map(tag).collect())
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn delete_tag(&self, key: impl Into<String>) -> Result<()> {
        self.log(vec![Entry::DeleteTag(key.into())])
    }

    /// Says that the run reads a dataset, and for what: `train`, `eval`, …
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_input(&self, dataset: Dataset, context: Option<&str>) -> Result<()> {
        let tags = context.map(|context| Tag::new(system::DATASET_CONTEXT, context)).into_iter().collect();
        self.log(vec![Entry::Inputs { datasets: vec![DatasetInput { tags, dataset }], models: Vec::new() }])
    }

    /// Says that the run reads a logged model.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_input_model(&self, model_id: ModelId) -> Result<()> {
        self.log(vec![Entry::Inputs { datasets: Vec::new(), models: vec![ModelInput { model_id }] }])
    }

    /// Says that the run made a logged model at a step.
    ///
    /// # Errors
    /// See [`log`](Self::log).
    pub fn log_output_model(&self, model_id: ModelId, step: i64) -> Result<()> {
        self.log(vec![Entry::Outputs(vec![ModelOutput { model_id, step }])])
    }

    /// Logs entries, in order.
    ///
    /// # Errors
    /// [`Error::InvalidCall`] if one breaks MLflow's limits: then none is logged. A value that is too long does, unless
    /// [`RunOptions::truncate_long_values`] has it cut. [`Error::Logging`] if the run has ended,
    /// or if the queue in memory stayed full. [`Error::File`] if the spool cannot be written.
    pub fn log(&self, mut entries: Vec<Entry>) -> Result<()> {
        if self.truncate {
            entries.iter_mut().for_each(Entry::cut);
        }
        self.journal.append(entries, self.patience.queue)
    }

    /// Samples the machine's load until the run ends, as metrics below `system/`.
    ///
    /// # Errors
    /// [`Error::Logging`] if the thread that samples cannot be started; what the store says if a resumed run's last step
    /// cannot be asked for.
    pub async fn log_system_metrics(&mut self, options: SystemMetricsOptions) -> Result<()> {
        let run = self.store.get_run(&GetRun { run_id: self.info.run_id.clone() }).await?;
        let last = run.data.metrics.iter().filter(|metric| metric.key.starts_with("system/"));
        let step = last.map(|metric| metric.step + 1).max().unwrap_or(0);
        self.sampler = Some(Sampler::start(&self.journal, options, step)?);
        Ok(())
    }

    /// Waits until the store has all that was logged before, or until the store turns out to be away while everything is
    /// safe in the spool. Without a spool it waits as long as the store is away.
    ///
    /// # Errors
    /// [`Error::Logging`] if the run was ended while this waited, and not everything was sent.
    pub async fn flush(&self) -> Result<Flushed> {
        let accepted = self.journal.accepted();
        let durable = self.journal.is_durable();
        let mut progress = self.journal.progress();
        let before = progress.borrow().failures;
        let reached = progress
            .wait_for(|now| now.done || now.settled >= accepted || (durable && now.failures > before))
            .await
            .map(|progress| *progress);
        match reached {
            Ok(reached) if reached.settled >= accepted => Ok(Flushed::Sent),
            Ok(_) if durable => Ok(Flushed::Spooled),
            _ => Err(self.journal.error("the run ended before everything was sent", None)),
        }
    }

    /// What ends the run from outside, such as from what handles Ctrl-C.
    pub fn kill_switch(&self) -> KillSwitch {
        KillSwitch { journal: Arc::clone(&self.journal) }
    }

    /// Ends the run, and waits until the store has everything, as long as the options say. What it does not have by then
    /// waits in the spool, and the report says so.
    ///
    /// # Errors
    /// [`Error::Logging`] if something is lost: not sent in time, and there is no spool. [`Error::File`] if the spool
    /// cannot be written.
    pub async fn end(mut self, status: RunStatus) -> Result<EndReport> {
        self.ended = true;
        self.sampler = None;
        let end = Entry::End { status, end_time: now() };
        let closed = self.journal.close(end, Instant::now() + self.patience.end);
        // Its channel cannot close before the journal, which we hold.
        let _ = self.journal.progress().wait_for(|progress| progress.done).await;
        closed?;
        let summary = self.journal.summary();
        if summary.waiting > 0 && summary.spool.is_none() {
            let problem = format!("{} entries were not sent, the run's end among them", summary.waiting);
            return Err(self.journal.error(problem, summary.trouble));
        }
        Ok(EndReport::new(self.info.run_id.clone(), summary))
    }
}

impl Drop for ActiveRun {
    fn drop(&mut self) {
        if !self.ended {
            self.sampler = None;
            close(&self.journal, RunStatus::Failed, self.patience.drop);
        }
    }
}

async fn create(store: &Arc<dyn TrackingStore>, options: &RunOptions) -> Result<RunInfo> {
    let Some(experiment_id) = options.experiment_id.clone() else {
        return Err(Error::Setting {
            setting: "experiment_id".to_owned(),
            problem: "is needed to start a run".to_owned(),
        });
    };
    let tags = options.all_tags()?;
    for tag in &tags {
        Entry::Tag(tag.clone()).check()?;
    }
    if let Some(run_id) = &options.parent_run_id {
        active(store, run_id, "parent_run_id").await?;
    }
    let user_id = options.user.clone().unwrap_or_default();
    let call =
        CreateRun { experiment_id, user_id, run_name: options.run_name.clone(), start_time: now(), tags };
    Ok(store.create_run(&call).await?.info)
}

async fn resume(store: &Arc<dyn TrackingStore>, run_id: RunId, options: &RunOptions) -> Result<RunInfo> {
    let info = active(store, &run_id, "run_id").await?;
    if let Some(experiment_id) = options.experiment_id.as_ref().filter(|given| **given != info.experiment_id)
    {
        return Err(Error::Setting {
            setting: "experiment_id".to_owned(),
            problem: format!("is {experiment_id}, but run {run_id} is in {}", info.experiment_id),
        });
    }
    if let Some(spool) = &options.logging.spool {
        replay_run(&spool.folder, &spool.address, &run_id, store).await?;
    }
    let info = set_status(store, &run_id, RunStatus::Running, None).await?;
    let tags = options.own_tags()?;
    if !tags.is_empty() {
        store.log_batch(&LogBatch { run_id, metrics: Vec::new(), params: Vec::new(), tags }).await?;
    }
    Ok(info)
}

/// A run that was not deleted.
async fn active(store: &Arc<dyn TrackingStore>, run_id: &RunId, setting: &str) -> Result<RunInfo> {
    let info = store.get_run(&GetRun { run_id: run_id.clone() }).await?.info;
    if info.lifecycle_stage == LifecycleStage::Deleted {
        return Err(Error::Setting {
            setting: setting.to_owned(),
            problem: format!("run {run_id} was deleted"),
        });
    }
    Ok(info)
}

async fn set_status(
    store: &Arc<dyn TrackingStore>,
    run_id: &RunId,
    status: RunStatus,
    end_time: Option<i64>,
) -> Result<RunInfo> {
    let call = UpdateRun { run_id: run_id.clone(), status: Some(status), end_time, run_name: None };
    store.update_run(&call).await
}

fn prepare(store: &Arc<dyn TrackingStore>, run_id: &RunId, options: &LoggingOptions) -> Result<Arc<Journal>> {
    let journal = match &options.spool {
        None => Journal::in_memory(run_id.clone(), options.queue_capacity),
        Some(spool) => {
            let header = Header { format: 1, run_id: run_id.clone(), address: spool.address.clone() };
            Journal::in_file(run_id.clone(), SpoolFile::create(spool, header)?)
        }
    };
    let journal = Arc::new(journal);
    Writer::start(store, &journal, options)?;
    Ok(journal)
}
