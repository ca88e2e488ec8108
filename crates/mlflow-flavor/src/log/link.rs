//! What ties a logged model to the run that made it.

use futures::TryStreamExt;
use mlflow_client::Client;
use mlflow_client::types::inputs::ModelOutput;
use mlflow_client::types::limits::BATCH_METRICS;
use mlflow_client::types::metrics::Metric;
use mlflow_client::types::runs::{LogBatch, LogOutputs, Run};
use mlflow_client::types::{ModelId, RunId};

use super::LogError;

/// The model is an output of the run, and the run's metrics of this step measure it.
pub(super) async fn to_run(
    client: &Client,
    run: &Run,
    model_id: &ModelId,
    step: i64,
) -> Result<(), LogError> {
    let run_id = &run.info.run_id;
    let output = ModelOutput { model_id: model_id.clone(), step };
    client.tracking().log_outputs(&LogOutputs { run_id: run_id.clone(), models: vec![output] }).await?;
    let mut metrics = Vec::new();
    for latest in &run.data.metrics {
        metrics.extend(of_step(client, run_id, &latest.key, step).await?);
    }
    for metrics in metrics.chunks(BATCH_METRICS) {
        let metrics = metrics
            .iter()
            .map(|metric| Metric { model_id: Some(model_id.clone()), ..metric.clone() })
            .collect();
        let batch = LogBatch { run_id: run_id.clone(), metrics, params: Vec::new(), tags: Vec::new() };
        client.tracking().log_batch(&batch).await?;
    }
    Ok(())
}

/// Values of a metric at a step that measure no model yet.
async fn of_step(client: &Client, run_id: &RunId, key: &str, step: i64) -> Result<Vec<Metric>, LogError> {
    let history: Vec<Metric> = client.runs().metric_history(run_id, key).try_collect().await?;
    Ok(history.into_iter().filter(|metric| metric.step == step && metric.model_id.is_none()).collect())
}
