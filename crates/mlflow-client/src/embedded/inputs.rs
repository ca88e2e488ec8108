//! What runs read and make: links to datasets and logged models.

use mlflow_types::inputs::{DatasetInput, ModelInput, ModelOutput};
use mlflow_types::runs::{LogInputs, LogOutputs, RunInfo};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::refusal::Outcome;
use super::{rules, runs};

/// Says what a run read.
pub(super) fn log_inputs(connection: &Connection, call: &LogInputs) -> Outcome<()> {
    call.datasets.iter().try_for_each(rules::dataset_input)?;
    let run = runs::check_active(connection, call.run_id.as_str())?;
    put_inputs(connection, &run, &call.datasets, &call.models)
}

/// Links a run to what it read; datasets and run are known to keep to the rules.
pub(super) fn put_inputs(
    connection: &Connection,
    run: &RunInfo,
    datasets: &[DatasetInput],
    models: &[ModelInput],
) -> Outcome<()> {
    for input in datasets {
        put_dataset(connection, run, input)?;
    }
    for model in models {
        connection
            .prepare_cached(
                "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
                 VALUES (?1, 'RUN_INPUT', ?2, 'MODEL_INPUT', ?3, 0)
                 ON CONFLICT (source_type, source_id, destination_type, destination_id)
                 DO UPDATE SET input_uuid = excluded.input_uuid",
            )?
            .execute(params![new_id(), run.run_id.as_str(), model.model_id.as_str()])?;
    }
    Ok(())
}

/// A dataset that is known to the experiment, and a link that is there already, stay as they are, tags included.
fn put_dataset(connection: &Connection, run: &RunInfo, input: &DatasetInput) -> Outcome<()> {
    let dataset = &input.dataset;
    let experiment = run.experiment_id.as_str();
    let known: Option<String> = connection
        .prepare_cached(
            "SELECT dataset_uuid FROM datasets WHERE experiment_id = ?1 AND name = ?2 AND digest = ?3",
        )?
        .query_row(params![experiment, dataset.name, dataset.digest], |row| row.get(0))
        .optional()?;
    let dataset_uuid = match known {
        Some(dataset_uuid) => dataset_uuid,
        None => {
            let dataset_uuid = new_id();
            connection
                .prepare_cached(
                    "INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type,
                                           dataset_source, dataset_schema, dataset_profile)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    dataset_uuid,
                    experiment,
                    dataset.name,
                    dataset.digest,
                    dataset.source_type,
                    dataset.source,
                    dataset.schema,
                    dataset.profile,
                ])?;
            dataset_uuid
        }
    };
    let input_uuid = new_id();
    let linked = connection
        .prepare_cached(
            "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
             VALUES (?1, 'DATASET', ?2, 'RUN', ?3, 0) ON CONFLICT DO NOTHING",
        )?
        .execute(params![input_uuid, dataset_uuid, run.run_id.as_str()])?;
    if linked == 1 {
        for tag in &input.tags {
            connection
                .prepare_cached("INSERT INTO input_tags (input_uuid, name, value) VALUES (?1, ?2, ?3)")?
                .execute(params![input_uuid, tag.key, tag.value])?;
        }
    }
    Ok(())
}

/// Says what a run made. As a server does, it refuses a model that the run is said to have made already.
pub(super) fn log_outputs(connection: &Connection, call: &LogOutputs) -> Outcome<()> {
    let run = runs::check_active(connection, call.run_id.as_str())?;
    put_outputs(connection, &run, &call.models)
}

/// Links a run to what it made.
pub(super) fn put_outputs(connection: &Connection, run: &RunInfo, models: &[ModelOutput]) -> Outcome<()> {
    for model in models {
        connection
            .prepare_cached(
                "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
                 VALUES (?1, 'RUN_OUTPUT', ?2, 'MODEL_OUTPUT', ?3, ?4)",
            )?
            .execute(params![new_id(), run.run_id.as_str(), model.model_id.as_str(), model.step])?;
    }
    Ok(())
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}
