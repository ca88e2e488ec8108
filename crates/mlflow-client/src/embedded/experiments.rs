//! Experiments and their tags.

use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, LifecycleStage, RestoreExperiment,
    SetExperimentTag, UpdateExperiment, ViewType,
};
use mlflow_types::tags::Tag;
use mlflow_types::{ErrorCode, ExperimentId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::refusal::{Outcome, Refusal, exists, invalid, missing};
use super::{address, column, now, rules};

/// Creates an experiment.
pub(super) fn create(connection: &Connection, call: &CreateExperiment, root: &str) -> Outcome<ExperimentId> {
    rules::experiment_name(&call.name)?;
    let location = call.artifact_location.as_deref().filter(|location| !location.is_empty());
    let location = location.map(address::location).transpose().map_err(|error| invalid(error.to_string()))?;
    rules::artifact_location(location.as_deref().unwrap_or_default())?;
    call.tags.iter().try_for_each(rules::experiment_tag)?;
    let now = now();
    connection
        .prepare_cached(
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time,
                                      workspace)
             VALUES (?1, ?2, 'active', ?3, ?3, 'default')",
        )?
        .execute(params![call.name, location, now])
        .map_err(|error| {
            if Refusal::is_conflict(&error) {
                return exists(format!("Experiment(name={}) already exists. Error: {error}", call.name));
            }
            error.into()
        })?;
    let number = connection.last_insert_rowid();
    if location.is_none() {
        connection
            .prepare_cached("UPDATE experiments SET artifact_location = ?2 WHERE experiment_id = ?1")?
            .execute(params![number, address::below(root, &[&number.to_string()])])?;
    }
    for tag in &call.tags {
        put_tag(connection, number, tag)?;
    }
    Ok(column::experiment_id(number))
}

/// An experiment, deleted or not.
pub(super) fn get(connection: &Connection, experiment_id: &str) -> Outcome<Experiment> {
    let number = rules::experiment_number(experiment_id)?;
    by_number(connection, number, ViewType::All)
}

/// An experiment by its name, deleted or not.
pub(super) fn get_by_name(connection: &Connection, name: &str) -> Outcome<Experiment> {
    let number = connection
        .prepare_cached("SELECT experiment_id FROM experiments WHERE workspace = 'default' AND name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| missing(format!("Could not find experiment with name '{name}'")))?;
    by_number(connection, number, ViewType::All)
}

/// An experiment that is in use; others are refused.
pub(super) fn get_active(connection: &Connection, experiment_id: &str) -> Outcome<Experiment> {
    let experiment = get(connection, experiment_id)?;
    match experiment.lifecycle_stage {
        LifecycleStage::Active => Ok(experiment),
        LifecycleStage::Deleted => Err(invalid(format!(
            "The experiment {experiment_id} must be in the 'active' state. Current state is deleted."
        ))),
    }
}

/// An experiment among those of a view.
pub(super) fn by_number(connection: &Connection, number: i64, view: ViewType) -> Outcome<Experiment> {
    let mut statement = connection.prepare_cached(
        "SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace
         FROM experiments WHERE experiment_id = ?1",
    )?;
    let experiment = statement.query_row([number], read).optional()?;
    let mut experiment = experiment
        .filter(|experiment| is_in_view(experiment.lifecycle_stage, view))
        .ok_or_else(|| missing(format!("No Experiment with id={number} exists")))?;
    experiment.tags = connection
        .prepare_cached("SELECT key, value FROM experiment_tags WHERE experiment_id = ?1 ORDER BY key")?
        .query_map([number], column::tag)?
        .collect::<Result<_, _>>()?;
    Ok(experiment)
}

/// Gives an experiment another name.
pub(super) fn rename(connection: &Connection, call: &UpdateExperiment) -> Outcome<()> {
    rules::experiment_name(&call.new_name)?;
    let experiment = get(connection, call.experiment_id.as_str())?;
    if experiment.lifecycle_stage != LifecycleStage::Active {
        return Err(Refusal::Said(
            ErrorCode::InvalidState,
            "Cannot rename a non-active experiment.".to_owned(),
        ));
    }
    connection
        .prepare_cached("UPDATE experiments SET name = ?2, last_update_time = ?3 WHERE experiment_id = ?1")?
        .execute(params![experiment.experiment_id.as_str(), call.new_name, now()])?;
    Ok(())
}

/// Deletes an experiment and with it its runs.
pub(super) fn delete(connection: &Connection, call: &DeleteExperiment) -> Outcome<()> {
    let number = rules::experiment_number(call.experiment_id.as_str())?;
    by_number(connection, number, ViewType::ActiveOnly)?;
    set_stage(connection, number, LifecycleStage::Deleted)
}

/// Brings an experiment back, and with it all of its runs, those too that were deleted before it.
pub(super) fn restore(connection: &Connection, call: &RestoreExperiment) -> Outcome<()> {
    let number = rules::experiment_number(call.experiment_id.as_str())?;
    by_number(connection, number, ViewType::DeletedOnly)?;
    set_stage(connection, number, LifecycleStage::Active)
}

fn set_stage(connection: &Connection, number: i64, stage: LifecycleStage) -> Outcome<()> {
    let now = now();
    let word = column::stage_word(stage);
    let deleted_time = (stage == LifecycleStage::Deleted).then_some(now);
    connection
        .prepare_cached(
            "UPDATE experiments SET lifecycle_stage = ?2, last_update_time = ?3 WHERE experiment_id = ?1",
        )?
        .execute(params![number, word, now])?;
    connection
        .prepare_cached("UPDATE runs SET lifecycle_stage = ?2, deleted_time = ?3 WHERE experiment_id = ?1")?
        .execute(params![number, word, deleted_time])?;
    Ok(())
}

/// Sets a tag.
pub(super) fn set_tag(connection: &Connection, call: &SetExperimentTag) -> Outcome<()> {
    let tag = Tag::new(&call.key, &call.value);
    rules::experiment_tag(&tag)?;
    get_active(connection, call.experiment_id.as_str())?;
    put_tag(connection, rules::experiment_number(call.experiment_id.as_str())?, &tag)
}

/// Removes a tag.
pub(super) fn delete_tag(connection: &Connection, call: &DeleteExperimentTag) -> Outcome<()> {
    get_active(connection, call.experiment_id.as_str())?;
    let removed = connection
        .prepare_cached("DELETE FROM experiment_tags WHERE experiment_id = ?1 AND key = ?2")?
        .execute(params![call.experiment_id.as_str(), call.key])?;
    if removed == 0 {
        return Err(missing(format!(
            "No tag with name: {} in experiment with id {}",
            call.key, call.experiment_id
        )));
    }
    Ok(())
}

/// Sets a tag of an experiment that is known.
pub(super) fn put_tag(connection: &Connection, number: i64, tag: &Tag) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO experiment_tags (key, value, experiment_id) VALUES (?1, ?2, ?3)
             ON CONFLICT (key, experiment_id) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![tag.key, tag.value, number])?;
    Ok(())
}

/// Whether something in this stage is among what a view shows.
pub(super) fn is_in_view(stage: LifecycleStage, view: ViewType) -> bool {
    match view {
        ViewType::ActiveOnly => stage == LifecycleStage::Active,
        ViewType::DeletedOnly => stage == LifecycleStage::Deleted,
        ViewType::All => true,
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Experiment> {
    Ok(Experiment {
        experiment_id: column::experiment_id(row.get(0)?),
        name: row.get(1)?,
        artifact_location: column::text_or_empty(row, 2)?,
        lifecycle_stage: column::stage(row, 3)?,
        creation_time: row.get(4)?,
        last_update_time: row.get(5)?,
        tags: Vec::new(),
        workspace: row.get(6)?,
    })
}
