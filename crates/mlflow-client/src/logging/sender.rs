//! One call to the store, and what its outcome means for the entries in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mlflow_types::experiments::LifecycleStage;
use mlflow_types::metrics::{GetMetricHistory, Metric};
use mlflow_types::runs::{DeleteTag, GetRun, LogBatch, LogInputs, LogOutputs, UpdateRun};
use mlflow_types::{ModelId, RunId};

use super::Entry;
use super::batch::next_batch;
use crate::{Error, Result, TrackingStore};

/// Values a page of a metric's history: as many as MLflow's own client asks for.
const HISTORY_PAGE: u32 = 25_000;

/// Sends entries of one run.
#[derive(Debug)]
pub(crate) struct Sender {
    store: Arc<dyn TrackingStore>,
    run_id: RunId,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The store is away: the same may succeed later.
    Away {
        /// Whether the store may have done it all the same.
        doubtful: bool,
    },
    /// Somebody has to do something first: credentials are wrong, the run is gone.
    Stuck,
    /// What was sent is wrong, and always will be.
    Refused,
}

impl Verdict {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Unreachable { after_sending, .. } => Self::Away { doubtful: *after_sending },
            Error::Decode { .. } | Error::Database { .. } => Self::Away { doubtful: true },
            Error::Api(refusal) => match refusal.status {
                429 => Self::Away { doubtful: false },
                408 | 500.. => Self::Away { doubtful: true },
                401 | 403 | 404 | 405 => Self::Stuck,
                _ => Self::Refused,
            },
            Error::InvalidCall(_) | Error::InvalidName(_) => Self::Refused,
            _ => Self::Stuck,
        }
    }
}

/// The next call.
#[derive(Debug)]
pub(crate) enum Call {
    Batch(LogBatch),
    DeleteTag(DeleteTag),
    Inputs(LogInputs),
    Outputs(LogOutputs),
    End(UpdateRun),
}

impl Sender {
    pub(crate) fn new(store: Arc<dyn TrackingStore>, run_id: RunId) -> Self {
        Self { store, run_id }
    }

    /// The call that the first entries make, and how many of them are in it.
    pub(crate) fn next_call(&self, entries: &[Entry]) -> Option<(Call, usize)> {
        let run_id = self.run_id.clone();
        let call = match entries.first()?.clone() {
            Entry::Metric(_) | Entry::Param(_) | Entry::Tag(_) => {
                let (batch, count) = next_batch(&run_id, entries);
                return Some((Call::Batch(batch), count));
            }
            Entry::DeleteTag(key) => Call::DeleteTag(DeleteTag { run_id, key }),
            Entry::Inputs { datasets, models } => Call::Inputs(LogInputs { run_id, datasets, models }),
            Entry::Outputs(models) => Call::Outputs(LogOutputs { run_id, models }),
            Entry::End { status, end_time } => Call::End(UpdateRun {
                run_id,
                status: Some(status),
                end_time: Some(end_time),
                run_name: None,
            }),
        };
        Some((call, 1))
    }

    /// Sends a call once. Metrics and outputs of a call that may have been sent before are looked up first, and left out if
    /// they are there: of metrics a store might keep both, and of outputs it refuses the second.
    pub(crate) async fn send(&self, call: Call, doubtful: bool) -> Result<()> {
        match call {
            Call::Batch(mut batch) => {
                if doubtful && !batch.metrics.is_empty() {
                    let arrived = self.arrived(&batch.metrics).await?;
                    batch.metrics.retain(|metric| !arrived.contains(&Point::of(metric)));
                }
                if batch.metrics.is_empty() && batch.params.is_empty() && batch.tags.is_empty() {
                    return Ok(());
                }
                self.store.log_batch(&batch).await
            }
            Call::DeleteTag(call) => match self.store.delete_tag(&call).await {
                // The one that may have been sent before was.
                Err(error) if doubtful && error.is_not_found() => Ok(()),
                answer => answer,
            },
            Call::Inputs(call) => self.store.log_inputs(&call).await,
            Call::Outputs(mut call) => {
                if doubtful {
                    let made = self.outputs().await?;
                    call.models.retain(|output| !made.contains(&output.model_id));
                    if call.models.is_empty() {
                        return Ok(());
                    }
                }
                self.store.log_outputs(&call).await
            }
            Call::End(call) => self.store.update_run(&call).await.map(drop),
        }
    }

    /// Whether the run is there and can be logged to.
    pub(crate) async fn run_is_active(&self) -> Result<bool> {
        match self.store.get_run(&GetRun { run_id: self.run_id.clone() }).await {
            Ok(run) => Ok(run.info.lifecycle_stage == LifecycleStage::Active),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The models that the run is said to have made.
    async fn outputs(&self) -> Result<HashSet<ModelId>> {
        let run = self.store.get_run(&GetRun { run_id: self.run_id.clone() }).await?;
        Ok(run.outputs.model_outputs.into_iter().map(|output| output.model_id).collect())
    }

    /// Those of the metrics that the store has.
    async fn arrived(&self, metrics: &[Metric]) -> Result<HashSet<Point>> {
        let mut sought: HashMap<&str, HashSet<Point>> = HashMap::new();
        for metric in metrics {
            sought.entry(&metric.key).or_default().insert(Point::of(metric));
        }
        let mut found = HashSet::new();
        for (key, points) in sought {
            let mut call = GetMetricHistory {
                run_id: self.run_id.clone(),
                metric_key: key.to_owned(),
                max_results: Some(HISTORY_PAGE),
                page_token: None,
            };
            loop {
                let page = self.store.get_metric_history(&call).await?;
                found.extend(page.metrics.iter().map(Point::of).filter(|point| points.contains(point)));
                match page.next_page_token.filter(|token| !token.is_empty()) {
                    Some(token) => call.page_token = Some(token),
                    None => break,
                }
            }
        }
        Ok(found)
    }
}

/// What makes a value of a metric itself: MLflow's database has the same four in its primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Point {
    key: String,
    timestamp: i64,
    step: i64,
    value: u64,
}

impl Point {
    fn of(metric: &Metric) -> Self {
        let value = match metric.value {
            value if value.is_nan() => f64::NAN,
            // Some of MLflow's databases have no infinity, and keep the largest number for it.
            value if value.is_infinite() => f64::MAX.copysign(value),
            // -0 is 0 to a database.
            value => value + 0.0,
        };
        Self {
            key: metric.key.clone(),
            timestamp: metric.timestamp,
            step: metric.step,
            value: value.to_bits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mlflow_types::ErrorCode;

    use super::*;

    #[track_caller]
    fn check(error: Error, expected: Verdict) {
        assert_eq!(Verdict::of(&error), expected, "{error}");
    }

    #[test]
    fn failures_are_told_apart_by_what_helps() {
        let api = |status| Error::api("runs/log-batch", status, ErrorCode::InternalError, "x");
        let unreachable = |after_sending| Error::Unreachable {
            route: "runs/log-batch".into(),
            attempts: 1,
            elapsed: Duration::ZERO,
            after_sending,
            source: "reset".into(),
        };
        check(unreachable(false), Verdict::Away { doubtful: false });
        check(unreachable(true), Verdict::Away { doubtful: true });
        check(api(429), Verdict::Away { doubtful: false });
        for status in [408, 500, 502, 503, 504] {
            check(api(status), Verdict::Away { doubtful: true });
        }
        for status in [401, 403, 404] {
            check(api(status), Verdict::Stuck);
        }
        check(api(400), Verdict::Refused);
    }

    #[test]
    fn a_point_is_the_same_after_a_round_through_a_database() {
        let point = |value| Point::of(&Metric::new("k", value, 1, 2));
        assert_eq!(point(f64::INFINITY), point(f64::MAX));
        assert_eq!(point(f64::NEG_INFINITY), point(f64::MIN));
        assert_eq!(point(f64::NAN), point(-f64::NAN));
        assert_eq!(point(-0.0), point(0.0));
        assert_ne!(point(0.1 + 0.2), point(0.3));
    }
}
