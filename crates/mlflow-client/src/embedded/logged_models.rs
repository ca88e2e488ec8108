//! Logged models with their params, tags and metrics.

use mlflow_types::experiments::LifecycleStage;
use mlflow_types::logged_models::{
    CreateLoggedModel, DeleteLoggedModelTag, FinalizeLoggedModel, LogLoggedModelParams, LoggedModel,
    LoggedModelData, LoggedModelInfo, LoggedModelStatus, SetLoggedModelTags,
};
use mlflow_types::metrics::Metric;
use mlflow_types::tags::{Param, Tag};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::python_text::repr;
use super::random_name::random_name;
use super::refusal::{Outcome, missing};
use super::{address, column, experiments, now};

/// Creates a logged model, whose files are yet to come.
pub(super) fn create(connection: &Connection, call: &CreateLoggedModel) -> Outcome<LoggedModel> {
    let experiment = experiments::get_active(connection, call.experiment_id.as_str())?;
    let model_id = format!("m-{}", Uuid::new_v4().simple());
    let location = address::below(&experiment.artifact_location, &["models", &model_id, "artifacts"]);
    let name = call.name.as_ref().map_or_else(random_name, ToString::to_string);
    connection
        .prepare_cached(
            "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
                                        last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id,
                                        status_message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, 'active', ?7, ?8, NULL)",
        )?
        .execute(params![
            model_id,
            experiment.experiment_id.as_str(),
            name,
            location,
            now(),
            LoggedModelStatus::Pending.number(),
            call.model_type,
            call.source_run_id.as_ref().map(AsRef::<str>::as_ref),
        ])?;
    put_params(connection, &model_id, &call.params)?;
    put_tags(connection, &model_id, &call.tags)?;
    get(connection, &model_id)
}

/// A logged model that was not deleted.
pub(super) fn get(connection: &Connection, model_id: &str) -> Outcome<LoggedModel> {
    match read(connection, model_id)? {
        Some((model, LifecycleStage::Active)) => Ok(model),
        _ => Err(not_found(model_id)),
    }
}

/// Says that a logged model is complete, or never will be.
pub(super) fn finalize(connection: &Connection, call: &FinalizeLoggedModel) -> Outcome<LoggedModel> {
    let model_id = call.model_id.as_str();
    connection
        .prepare_cached(
            "UPDATE logged_models SET status = ?2, last_updated_timestamp_ms = ?3 WHERE model_id = ?1",
        )?
        .execute(params![model_id, call.status.number(), now()])?;
    read(connection, model_id)?.map(|(model, _)| model).ok_or_else(|| not_found(model_id))
}

/// Deletes a logged model; its rows stay.
pub(super) fn delete(connection: &Connection, model_id: &str) -> Outcome<()> {
    let deleted = connection
        .prepare_cached(
            "UPDATE logged_models SET lifecycle_stage = 'deleted', last_updated_timestamp_ms = ?2 WHERE model_id = ?1",
        )?
        .execute(params![model_id, now()])?;
    if deleted == 0 { Err(not_found(model_id)) } else { Ok(()) }
}

/// Adds params; one that is there already is refused.
pub(super) fn log_params(connection: &Connection, call: &LogLoggedModelParams) -> Outcome<()> {
    check_known(connection, call.model_id.as_str())?;
    put_params(connection, call.model_id.as_str(), &call.params)
}

/// Sets tags.
pub(super) fn set_tags(connection: &Connection, call: &SetLoggedModelTags) -> Outcome<()> {
    check_known(connection, call.model_id.as_str())?;
    put_tags(connection, call.model_id.as_str(), &call.tags)
}

/// Removes a tag.
pub(super) fn delete_tag(connection: &Connection, call: &DeleteLoggedModelTag) -> Outcome<()> {
    let model_id = call.model_id.as_str();
    check_known(connection, model_id)?;
    let removed = connection
        .prepare_cached("DELETE FROM logged_model_tags WHERE model_id = ?1 AND tag_key = ?2")?
        .execute(params![model_id, call.tag_key])?;
    if removed == 0 {
        return Err(missing(format!(
            "No tag with key {} found for model with ID {}.",
            repr(&call.tag_key),
            repr(model_id)
        )));
    }
    Ok(())
}

/// Adds params of a model that is known; the experiment's number is taken from its own row.
pub(super) fn put_params(connection: &Connection, model_id: &str, params: &[Param]) -> Outcome<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value)
         SELECT model_id, experiment_id, ?2, ?3 FROM logged_models WHERE model_id = ?1",
    )?;
    for param in params {
        statement.execute(params![model_id, param.key, param.value])?;
    }
    Ok(())
}

/// Sets tags of a model that is known.
pub(super) fn put_tags(connection: &Connection, model_id: &str, tags: &[Tag]) -> Outcome<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value)
         SELECT model_id, experiment_id, ?2, ?3 FROM logged_models WHERE model_id = ?1
         ON CONFLICT (model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
    )?;
    for tag in tags {
        statement.execute(params![model_id, tag.key, tag.value])?;
    }
    Ok(())
}

fn check_known(connection: &Connection, model_id: &str) -> Outcome<()> {
    let known: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM logged_models WHERE model_id = ?1)")?
        .query_row([model_id], |row| row.get(0))?;
    if known { Ok(()) } else { Err(not_found(model_id)) }
}

fn not_found(model_id: &str) -> super::refusal::Refusal {
    missing(format!("Logged model with ID '{model_id}' not found."))
}

fn read(connection: &Connection, model_id: &str) -> Outcome<Option<(LoggedModel, LifecycleStage)>> {
    let found = connection
        .prepare_cached(
            "SELECT model_id, experiment_id, name, creation_timestamp_ms, last_updated_timestamp_ms, artifact_location,
                    status, model_type, source_run_id, status_message, lifecycle_stage
             FROM logged_models WHERE model_id = ?1",
        )?
        .query_row([model_id], |row| Ok((read_info(row)?, column::stage(row, 10)?)))
        .optional()?;
    let Some((mut info, stage)) = found else { return Ok(None) };
    info.tags = column::rows(
        connection,
        "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?1 ORDER BY tag_key",
        model_id,
        column::tag,
    )?;
    let params = column::rows(
        connection,
        "SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?1 ORDER BY param_key",
        model_id,
        column::param,
    )?;
    let metrics = column::rows(
        connection,
        "SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, model_id, run_id, dataset_name,
                dataset_digest
         FROM logged_model_metrics WHERE model_id = ?1 ORDER BY rowid",
        model_id,
        read_metric,
    )?;
    Ok(Some((LoggedModel { info, data: LoggedModelData { params, metrics } }, stage)))
}

fn read_info(row: &Row<'_>) -> rusqlite::Result<LoggedModelInfo> {
    Ok(LoggedModelInfo {
        model_id: column::parsed(row, 0)?,
        experiment_id: column::experiment_id(row.get(1)?),
        name: row.get(2)?,
        creation_timestamp_ms: row.get(3)?,
        last_updated_timestamp_ms: row.get(4)?,
        artifact_uri: row.get(5)?,
        status: match row.get(6)? {
            2 => LoggedModelStatus::Ready,
            3 => LoggedModelStatus::UploadFailed,
            _ => LoggedModelStatus::Pending,
        },
        model_type: row.get(7)?,
        source_run_id: row.get(8)?,
        status_message: row.get(9)?,
        tags: Vec::new(),
    })
}

fn read_metric(row: &Row<'_>) -> rusqlite::Result<Metric> {
    let value: Option<f64> = row.get(1)?;
    Ok(Metric {
        key: row.get(0)?,
        value: value.unwrap_or(f64::NAN),
        timestamp: row.get(2)?,
        step: row.get(3)?,
        model_id: Some(column::parsed(row, 4)?),
        run_id: Some(column::parsed(row, 5)?),
        dataset_name: row.get(6)?,
        dataset_digest: row.get(7)?,
    })
}
