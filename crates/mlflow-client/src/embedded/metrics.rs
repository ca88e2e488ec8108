//! Metrics: their history, their latest values, and the models that they measure.

use std::collections::BTreeMap;

use mlflow_types::ErrorCode;
use mlflow_types::metrics::{GetMetricHistory, GetMetricHistoryResponse, Metric};
use mlflow_types::runs::{LogBatch, LogMetric, RunInfo};
use rusqlite::{Connection, params};

use super::page::Page;
use super::refusal::{Outcome, Refusal, invalid};
use super::{column, rules, run_rows, runs};

/// Appends one value.
pub(super) fn log_metric(connection: &Connection, call: &LogMetric) -> Outcome<()> {
    rules::metric(&call.metric, "")?;
    let run = runs::check_active(connection, call.run_id.as_str())?;
    put(connection, &run, std::slice::from_ref(&call.metric))
}

/// Appends metrics and sets params and tags: all of the batch, or nothing of it.
pub(super) fn log_batch(connection: &Connection, call: &LogBatch) -> Outcome<()> {
    rules::batch(&call.metrics, &call.params, &call.tags)?;
    let run_id = call.run_id.as_str();
    let run = runs::check_active(connection, run_id)?;
    runs::put_params(connection, run_id, &call.params)?;
    put(connection, &run, &call.metrics)?;
    runs::put_tags(connection, run_id, &call.tags)
}

/// Appends values; a value that is there already is not appended again.
pub(super) fn put(connection: &Connection, run: &RunInfo, metrics: &[Metric]) -> Outcome<()> {
    let run_id = run.run_id.as_str();
    let mut latest: BTreeMap<&str, (i64, i64, f64, bool)> = BTreeMap::new();
    let mut insert = connection.prepare_cached(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?;
    for metric in metrics {
        let (value, is_nan) = column::metric_columns(metric.value);
        insert.execute(params![metric.key, value, metric.timestamp, run_id, metric.step, is_nan])?;
        let candidate = (metric.step, metric.timestamp, value, is_nan);
        let best = latest.entry(&metric.key).or_insert(candidate);
        if (candidate.0, candidate.1, candidate.2) > (best.0, best.1, best.2) {
            *best = candidate;
        }
        if metric.model_id.is_some() {
            put_of_model(connection, run, metric)?;
        }
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key, run_uuid) DO UPDATE
         SET value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
         WHERE (excluded.step, excluded.timestamp, excluded.value)
             > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
    )?;
    for (key, (step, timestamp, value, is_nan)) in latest {
        upsert.execute(params![key, value, timestamp, step, is_nan, run_id])?;
    }
    Ok(())
}

/// Notes a value with the model that it measures. A second value of the same metric, time, step and run is not noted.
fn put_of_model(connection: &Connection, run: &RunInfo, metric: &Metric) -> Outcome<()> {
    let model_id = metric.model_id.as_ref().map(AsRef::as_ref);
    let known: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM logged_models WHERE model_id = ?1)")?
        .query_row(params![model_id], |row| row.get(0))?;
    if !known {
        let model_id: &str = model_id.unwrap_or_default();
        return Err(Refusal::Said(
            ErrorCode::BadRequest,
            format!("Logged model with ID '{model_id}' not found."),
        ));
    }
    // A model's metrics have no column for what is no number: MLflow writes 0 there.
    let (value, _) = column::metric_columns(metric.value);
    connection
        .prepare_cached(
            "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value,
                                               experiment_id, run_id, dataset_uuid, dataset_name, dataset_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8, ?9)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            model_id,
            metric.key,
            metric.timestamp,
            metric.step,
            value,
            run.experiment_id.as_str(),
            run.run_id.as_str(),
            metric.dataset_name,
            metric.dataset_digest,
        ])?;
    Ok(())
}

/// Values of a metric, oldest first; all of them if the call asks for no page.
pub(super) fn history(connection: &Connection, call: &GetMetricHistory) -> Outcome<GetMetricHistoryResponse> {
    if call.max_results == Some(0) {
        return Err(invalid(
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer.",
        ));
    }
    let page = Page::new(call.max_results, call.page_token.as_deref(), "")?;
    let metrics: Vec<Metric> = connection
        .prepare_cached(
            "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ?1 AND key = ?2
             ORDER BY timestamp, step, value LIMIT ?3 OFFSET ?4",
        )?
        .query_map(
            params![call.run_id.as_str(), call.metric_key, page.limit(), page.offset()],
            run_rows::metric,
        )?
        .collect::<Result<_, _>>()?;
    let (metrics, next_page_token) = page.cut(metrics);
    Ok(GetMetricHistoryResponse { metrics, next_page_token })
}
