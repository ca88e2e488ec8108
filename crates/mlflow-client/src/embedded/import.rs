//! Everything of a store of files becomes rows, under the same identifiers.

use mlflow_types::ErrorCode;
use mlflow_types::experiments::Experiment;
use mlflow_types::logged_models::LoggedModel;
use mlflow_types::metrics::Metric;
use mlflow_types::model_versions::ModelVersionStatus;
use mlflow_types::registered_models::RegisteredModel;
use mlflow_types::runs::RunInfo;
use rusqlite::{Connection, params};

use super::refusal::{Outcome, Refusal};
use super::{
    column, experiments, inputs, logged_models, metrics, model_versions, registered_models, rules, runs,
};
use crate::file_store::{Contents, Imported, StoredVersion};

/// Carries everything over, into a database that holds nothing yet.
pub(super) fn import(connection: &Connection, contents: &Contents) -> Outcome<Imported> {
    check_empty(connection)?;
    let mut imported = Imported {
        experiments: contents.experiments.len(),
        runs: contents.runs.len(),
        logged_models: contents.logged_models.len(),
        registered_models: contents.registered_models.len(),
        model_versions: contents.model_versions.len(),
        orphaned_metrics: 0,
    };
    for experiment in &contents.experiments {
        put_experiment(connection, experiment)?;
    }
    for stored in &contents.runs {
        let run = &stored.run;
        let run_id = run.info.run_id.as_str();
        put_run(connection, &run.info, stored.deleted_time)?;
        runs::put_params(connection, run_id, &run.data.params)?;
        runs::put_tags(connection, run_id, &run.data.tags)?;
        metrics::put(connection, &run.info, &stored.metrics)?;
        inputs::put_inputs(connection, &run.info, &run.inputs.dataset_inputs, &run.inputs.model_inputs)?;
        inputs::put_outputs(connection, &run.info, &run.outputs.model_outputs)?;
    }
    for model in &contents.logged_models {
        put_logged_model(connection, model)?;
        for metric in &model.data.metrics {
            imported.orphaned_metrics += usize::from(!put_model_metric(connection, model, metric)?);
        }
    }
    for model in &contents.registered_models {
        put_registered_model(connection, model)?;
    }
    for version in &contents.model_versions {
        put_version(connection, version)?;
    }
    for model in &contents.registered_models {
        put_aliases(connection, model)?;
    }
    Ok(imported)
}

fn check_empty(connection: &Connection) -> Outcome<()> {
    let used: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM experiments WHERE experiment_id <> 0) OR EXISTS (SELECT 1 FROM runs)
             OR EXISTS (SELECT 1 FROM logged_models) OR EXISTS (SELECT 1 FROM registered_models)",
        [],
        |row| row.get(0),
    )?;
    if used {
        return Err(Refusal::Said(
            ErrorCode::ResourceAlreadyExists,
            "The database holds experiments, runs or models already; an import needs an empty one."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Experiment 0 is there already, and becomes the imported one.
fn put_experiment(connection: &Connection, experiment: &Experiment) -> Outcome<()> {
    let number = rules::experiment_number(experiment.experiment_id.as_str())?;
    connection
        .prepare_cached(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,
                                      last_update_time, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'default')
             ON CONFLICT (experiment_id) DO UPDATE
             SET name = excluded.name, artifact_location = excluded.artifact_location,
                 lifecycle_stage = excluded.lifecycle_stage, creation_time = excluded.creation_time,
                 last_update_time = excluded.last_update_time",
        )?
        .execute(params![
            number,
            experiment.name,
            experiment.artifact_location,
            column::stage_word(experiment.lifecycle_stage),
            experiment.creation_time,
            experiment.last_update_time,
        ])?;
    experiment.tags.iter().try_for_each(|tag| experiments::put_tag(connection, number, tag))
}

fn put_run(connection: &Connection, run: &RunInfo, deleted_time: Option<i64>) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
                               end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)
             VALUES (?1, ?2, 'UNKNOWN', '', '', ?3, ?4, ?5, ?6, '', ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            run.run_id.as_str(),
            run.run_name,
            run.user_id,
            run.status.as_str(),
            run.start_time,
            run.end_time,
            column::stage_word(run.lifecycle_stage),
            run.artifact_uri,
            run.experiment_id.as_str(),
            deleted_time,
        ])?;
    Ok(())
}

fn put_logged_model(connection: &Connection, model: &LoggedModel) -> Outcome<()> {
    let info = &model.info;
    connection
        .prepare_cached(
            "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
                                        last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id,
                                        status_message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', ?8, ?9, ?10)",
        )?
        .execute(params![
            info.model_id.as_str(),
            info.experiment_id.as_str(),
            info.name,
            info.artifact_uri,
            info.creation_timestamp_ms.unwrap_or_default(),
            info.last_updated_timestamp_ms.unwrap_or_default(),
            info.status.number(),
            info.model_type,
            info.source_run_id,
            info.status_message,
        ])?;
    logged_models::put_params(connection, info.model_id.as_str(), &model.data.params)?;
    logged_models::put_tags(connection, info.model_id.as_str(), &info.tags)
}

/// Whether the run that logged the value is there: without it there can be no row.
fn put_model_metric(connection: &Connection, model: &LoggedModel, metric: &Metric) -> Outcome<bool> {
    let run_id = metric.run_id.as_ref().map(AsRef::<str>::as_ref);
    let known: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM runs WHERE run_uuid = ?1)")?
        .query_row([run_id], |row| row.get(0))?;
    if known {
        connection
            .prepare_cached(
                "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step,
                                                   metric_value, experiment_id, run_id, dataset_uuid, dataset_name,
                                                   dataset_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8, ?9)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                model.info.model_id.as_str(),
                metric.key,
                metric.timestamp,
                metric.step,
                column::metric_columns(metric.value).0,
                model.info.experiment_id.as_str(),
                run_id,
                metric.dataset_name,
                metric.dataset_digest,
            ])?;
    }
    Ok(known)
}

fn put_registered_model(connection: &Connection, model: &RegisteredModel) -> Outcome<()> {
    let name = model.name.as_str();
    connection
        .prepare_cached(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace)
             VALUES (?1, ?2, ?3, ?4, 'default')",
        )?
        .execute(params![name, model.creation_timestamp, model.last_updated_timestamp, model.description])?;
    model.tags.iter().try_for_each(|tag| registered_models::put_tag(connection, name, tag))
}

fn put_aliases(connection: &Connection, model: &RegisteredModel) -> Outcome<()> {
    for alias in &model.aliases {
        connection
            .prepare_cached(
                "INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (?1, ?2, ?3, 'default')",
            )?
            .execute(params![alias.alias, alias.version.get(), model.name.as_str()])?;
    }
    Ok(())
}

fn put_version(connection: &Connection, stored: &StoredVersion) -> Outcome<()> {
    let version = &stored.version;
    connection
        .prepare_cached(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id,
                                         current_stage, source, run_id, status, status_message, run_link,
                                         storage_location, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'default')",
        )?
        .execute(params![
            version.name.as_str(),
            version.version.get(),
            version.creation_timestamp,
            version.last_updated_timestamp,
            version.description,
            version.user_id,
            version.current_stage.as_deref().unwrap_or("None"),
            version.source,
            version.run_id,
            match version.status {
                ModelVersionStatus::PendingRegistration => "PENDING_REGISTRATION",
                ModelVersionStatus::FailedRegistration => "FAILED_REGISTRATION",
                ModelVersionStatus::Ready => "READY",
            },
            version.status_message,
            version.run_link,
            stored.storage_location,
        ])?;
    let (name, number) = (version.name.as_str(), version.version.get());
    version.tags.iter().try_for_each(|tag| model_versions::put_tag(connection, name, number, tag))
}
