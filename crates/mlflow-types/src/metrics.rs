//! Metrics and their history.

use serde::{Deserialize, Serialize};

use crate::{Endpoint, Method, ModelId, RunId, wire};

/// One value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The key.
    pub key: String,
    /// The value; any double, the ones that are no number too.
    #[serde(with = "wire::double")]
    pub value: f64,
    /// Milliseconds since the Unix epoch.
    #[serde(with = "wire::int64")]
    pub timestamp: i64,
    /// The step, from 0; it may be negative.
    #[serde(default, with = "wire::int64")]
    pub step: i64,
    /// The logged model that it measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
    /// The dataset that it was measured on, by name and digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    /// See `dataset_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
    /// The run that it was logged to; only in answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

impl Metric {
    /// A value of a run's metric, of no model and no dataset.
    pub fn new(key: impl Into<String>, value: f64, timestamp: i64, step: i64) -> Self {
        Self {
            key: key.into(),
            value,
            timestamp,
            step,
            model_id: None,
            dataset_name: None,
            dataset_digest: None,
            run_id: None,
        }
    }

    /// Whether this value replaces the other as the latest of its key: by step, then time, then value, where what is no
    /// number counts as 0.
    pub fn is_later_than(&self, other: &Self) -> bool {
        let zero_for_nan = |value: f64| if value.is_nan() { 0.0 } else { value };
        (self.step, self.timestamp, zero_for_nan(self.value))
            > (other.step, other.timestamp, zero_for_nan(other.value))
    }
}

/// Every value that a run logged under one key, oldest first, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetMetricHistory {
    /// The run.
    pub run_id: RunId,
    /// The metric.
    pub metric_key: String,
    /// Values a page; the server's own limit is 25,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}

impl Endpoint for GetMetricHistory {
    type Response = GetMetricHistoryResponse;
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "metrics/get-history";
}

/// A page of values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetMetricHistoryResponse {
    /// The values.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}
