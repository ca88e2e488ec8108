//! Metrics: values are appended, so a batch that may have run must not be appended again.
//!
//! A server over a database keeps a value only once, whatever its number of arrivals: its table's key is the whole point. A
//! server over files, or one that does not say what it is, is asked for the history of each key, and what is there is left
//! out of the next attempt.

use std::collections::BTreeSet;

use mlflow_types::metrics::{GetMetricHistory, Metric};
use mlflow_types::runs::{LogBatch, LogMetric, LogModel};
use mlflow_types::server_info::GetServerInfo;
use mlflow_types::{RunId, runs::GetRun};
use serde_json::Value;

use super::RestStore;
use super::careful::{Careful, Sent};
use crate::Result;

/// Values a page; what Python asks for.
const PAGE: u32 = 25_000;
/// The tag on which MLflow 2 notes a run's models.
const MODEL_HISTORY: &str = "mlflow.log-model.history";

impl RestStore {
    pub(crate) async fn log_metric_once(&self, call: &LogMetric) -> Result<()> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    let points = std::slice::from_ref(&call.metric);
                    let missing = self.missing(&call.run_id, points).await;
                    if careful.seen(missing.map(|missing| missing.is_empty().then_some(())))?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Params and tags are set, not appended: they may go twice.
    pub(crate) async fn log_batch_once(&self, call: &LogBatch) -> Result<()> {
        let mut careful = Careful::new(self);
        let mut batch = call.clone();
        loop {
            match careful.send(&batch).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    let missing = self.missing(&call.run_id, &batch.metrics).await;
                    if let Some(missing) = careful.seen(missing.map(Some))? {
                        batch.metrics = missing;
                    }
                    if batch.metrics.is_empty() && batch.params.is_empty() && batch.tags.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The points that must be sent again.
    async fn missing(&self, run_id: &RunId, points: &[Metric]) -> Result<Vec<Metric>> {
        let store = self.call(&GetServerInfo {}).await.ok().and_then(|info| info.store_type);
        if store.as_deref() == Some("SqlStore") {
            return Ok(points.to_vec());
        }
        let keys: BTreeSet<&str> = points.iter().map(|point| point.key.as_str()).collect();
        let mut missing = points.to_vec();
        for key in keys {
            let mut page = GetMetricHistory {
                run_id: run_id.clone(),
                metric_key: key.to_owned(),
                max_results: Some(PAGE),
                page_token: None,
            };
            loop {
                let history = self.call(&page).await?;
                missing.retain(|point| !history.metrics.iter().any(|there| same(point, there)));
                match history.next_page_token.filter(|token| !token.is_empty()) {
                    Some(token) => page.page_token = Some(token),
                    None => break,
                }
            }
        }
        Ok(missing)
    }

    pub(crate) async fn log_model_once(&self, call: &LogModel) -> Result<()> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    if careful.seen(self.find_noted_model(call).await)?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn find_noted_model(&self, call: &LogModel) -> Result<Option<()>> {
        let run = self.call(&GetRun { run_id: call.run_id.clone() }).await?.run;
        let noted = run.data.tags.iter().find(|tag| tag.key == MODEL_HISTORY);
        let noted: Vec<Value> =
            noted.and_then(|tag| serde_json::from_str(&tag.value).ok()).unwrap_or_default();
        let ours: Option<Value> = serde_json::from_str(&call.model_json).ok();
        Ok(ours.filter(|ours| noted.contains(ours)).map(drop))
    }
}

/// Whether two are one point to a database, which keeps an infinite value as the largest finite one.
fn same(ours: &Metric, there: &Metric) -> bool {
    let finite = |value: f64| value.clamp(f64::MIN, f64::MAX);
    let equal = finite(ours.value).total_cmp(&finite(there.value)).is_eq()
        || (ours.value == 0.0 && there.value == 0.0)
        || (ours.value.is_nan() && there.value.is_nan());
    ours.key == there.key && ours.timestamp == there.timestamp && ours.step == there.step && equal
}
