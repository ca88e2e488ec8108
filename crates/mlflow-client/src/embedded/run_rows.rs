//! Runs as they are read: what they are, what was logged, what they read and made.

use mlflow_types::inputs::{Dataset, DatasetInput, ModelInput, ModelOutput};
use mlflow_types::metrics::Metric;
use mlflow_types::runs::{Run, RunData, RunInfo, RunInputs, RunOutputs};
use mlflow_types::tags::system;
use rusqlite::{Connection, OptionalExtension, Row};

use super::column;
use super::refusal::{Outcome, missing};

/// A run with everything.
pub(super) fn run(connection: &Connection, run_id: &str) -> Outcome<Run> {
    let mut info = info(connection, run_id)?;
    let data = data(connection, run_id)?;
    if info.run_name.is_empty() {
        // Runs of MLflow 1 have their name in the tag alone.
        let tag = data.tags.iter().find(|tag| tag.key == system::RUN_NAME);
        info.run_name = tag.map(|tag| tag.value.clone()).unwrap_or_default();
    }
    let inputs = RunInputs {
        dataset_inputs: dataset_inputs(connection, run_id)?,
        model_inputs: column::rows(
            connection,
            "SELECT destination_id FROM inputs
             WHERE source_type = 'RUN_INPUT' AND source_id = ?1 AND destination_type = 'MODEL_INPUT' ORDER BY rowid",
            run_id,
            |row| Ok(ModelInput { model_id: column::parsed(row, 0)? }),
        )?,
    };
    let outputs = RunOutputs {
        model_outputs: column::rows(
            connection,
            "SELECT destination_id, step FROM inputs
             WHERE source_type = 'RUN_OUTPUT' AND source_id = ?1 AND destination_type = 'MODEL_OUTPUT' ORDER BY rowid",
            run_id,
            |row| Ok(ModelOutput { model_id: column::parsed(row, 0)?, step: row.get(1)? }),
        )?,
    };
    Ok(Run { info, data, inputs, outputs })
}

/// What a run is.
pub(super) fn info(connection: &Connection, run_id: &str) -> Outcome<RunInfo> {
    connection
        .prepare_cached(
            "SELECT run_uuid, name, experiment_id, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage
             FROM runs WHERE run_uuid = ?1",
        )?
        .query_row([run_id], read_info)
        .optional()?
        .ok_or_else(|| missing(format!("Run with id={run_id} not found")))
}

fn read_info(row: &Row<'_>) -> rusqlite::Result<RunInfo> {
    Ok(RunInfo {
        run_id: column::parsed(row, 0)?,
        run_name: column::text_or_empty(row, 1)?,
        experiment_id: column::experiment_id(row.get(2)?),
        user_id: column::text_or_empty(row, 3)?,
        status: column::run_status(row, 4)?,
        start_time: row.get(5)?,
        end_time: row.get(6)?,
        artifact_uri: column::text_or_empty(row, 7)?,
        lifecycle_stage: column::stage(row, 8)?,
    })
}

fn data(connection: &Connection, run_id: &str) -> rusqlite::Result<RunData> {
    Ok(RunData {
        metrics: column::rows(
            connection,
            "SELECT key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid = ?1 ORDER BY key",
            run_id,
            metric,
        )?,
        params: column::rows(
            connection,
            "SELECT key, value FROM params WHERE run_uuid = ?1 ORDER BY key",
            run_id,
            column::param,
        )?,
        tags: column::rows(
            connection,
            "SELECT key, value FROM tags WHERE run_uuid = ?1 ORDER BY key",
            run_id,
            column::tag,
        )?,
    })
}

/// A metric: key, value, timestamp, step, and whether it is no number.
pub(super) fn metric(row: &Row<'_>) -> rusqlite::Result<Metric> {
    let timestamp: Option<i64> = row.get(2)?;
    Ok(Metric::new(
        row.get::<_, String>(0)?,
        column::metric_value(row, 1, 4)?,
        timestamp.unwrap_or_default(),
        row.get(3)?,
    ))
}

fn dataset_inputs(connection: &Connection, run_id: &str) -> rusqlite::Result<Vec<DatasetInput>> {
    let inputs = column::rows(
        connection,
        "SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,
                d.dataset_profile
         FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
         WHERE i.destination_type = 'RUN' AND i.destination_id = ?1 ORDER BY i.rowid",
        run_id,
        |row| Ok((row.get::<_, String>(0)?, read_dataset(row)?)),
    )?;
    let with_tags = inputs.into_iter().map(|(input_uuid, dataset)| {
        let tags = column::rows(
            connection,
            "SELECT name, value FROM input_tags WHERE input_uuid = ?1 ORDER BY name",
            &input_uuid,
            column::tag,
        )?;
        Ok(DatasetInput { tags, dataset })
    });
    with_tags.collect()
}

fn read_dataset(row: &Row<'_>) -> rusqlite::Result<Dataset> {
    Ok(Dataset {
        name: row.get(1)?,
        digest: row.get(2)?,
        source_type: row.get(3)?,
        source: row.get(4)?,
        schema: row.get(5)?,
        profile: row.get(6)?,
    })
}
