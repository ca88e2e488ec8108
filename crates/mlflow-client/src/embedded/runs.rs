//! Runs: their start, their end, their params and tags.

use mlflow_types::experiments::LifecycleStage;
use mlflow_types::runs::{
    CreateRun, DeleteTag, LogModel, LogParam, Run, RunInfo, RunStatus, SetTag, UpdateRun,
};
use mlflow_types::tags::{Param, Tag, system};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::python_text::{json, repr};
use super::random_name::random_name;
use super::refusal::{Outcome, invalid, missing};
use super::{address, experiments, now, rules, run_rows};

/// The tag in which servers of MLflow 2 note models.
const MODEL_HISTORY: &str = "mlflow.log-model.history";

/// Starts a run.
pub(super) fn create(connection: &Connection, call: &CreateRun) -> Outcome<Run> {
    let experiment = experiments::get_active(connection, call.experiment_id.as_str())?;
    call.tags.iter().try_for_each(|tag| rules::run_tag(tag, ""))?;
    let name = run_name(call)?;
    let run_id = Uuid::new_v4().simple().to_string();
    let artifact_uri = address::below(&experiment.artifact_location, &[&run_id, "artifacts"]);
    connection
        .prepare_cached(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
                               end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)
             VALUES (?1, ?2, 'UNKNOWN', '', '', ?3, 'RUNNING', ?4, NULL, '', 'active', ?5, ?6, NULL)",
        )?
        .execute(params![
            run_id,
            name,
            call.user_id,
            call.start_time,
            artifact_uri,
            experiment.experiment_id.as_str()
        ])?;
    for tag in &call.tags {
        put_tag(connection, &run_id, &tag.key, &tag.value)?;
    }
    put_tag(connection, &run_id, system::RUN_NAME, &name)?;
    run_rows::run(connection, &run_id)
}

/// The name of a new run: what the call or its tag says, else one that we make up.
fn run_name(call: &CreateRun) -> Outcome<String> {
    let named = call.run_name.as_deref().filter(|name| !name.is_empty());
    let tagged = call.tags.iter().rfind(|tag| tag.key == system::RUN_NAME).map(|tag| tag.value.as_str());
    match (named, tagged.filter(|name| !name.is_empty())) {
        (Some(named), Some(tagged)) if named != tagged => Err(invalid(format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
             (run_name='{named}', mlflow.runName='{tagged}')."
        ))),
        (Some(name), _) | (None, Some(name)) => Ok(name.to_owned()),
        (None, None) => Ok(random_name()),
    }
}

/// Changes a run's status, end or name.
pub(super) fn update(connection: &Connection, call: &UpdateRun) -> Outcome<RunInfo> {
    let run_id = call.run_id.as_str();
    check_active(connection, run_id)?;
    let name = call.run_name.as_deref().filter(|name| !name.is_empty());
    connection
        .prepare_cached(
            "UPDATE runs SET status = coalesce(?2, status), end_time = coalesce(?3, end_time),
                             name = coalesce(?4, name)
             WHERE run_uuid = ?1",
        )?
        .execute(params![run_id, call.status.map(RunStatus::as_str), call.end_time, name])?;
    if let Some(name) = name {
        put_tag(connection, run_id, system::RUN_NAME, name)?;
    }
    run_rows::info(connection, run_id)
}

/// Deletes a run, or brings it back. A run in that stage already stays as it is, without complaint.
pub(super) fn set_stage(connection: &Connection, run_id: &str, stage: LifecycleStage) -> Outcome<()> {
    run_rows::info(connection, run_id)?;
    let (word, deleted_time) = match stage {
        LifecycleStage::Active => ("active", None),
        LifecycleStage::Deleted => ("deleted", Some(now())),
    };
    connection
        .prepare_cached("UPDATE runs SET lifecycle_stage = ?2, deleted_time = ?3 WHERE run_uuid = ?1")?
        .execute(params![run_id, word, deleted_time])?;
    Ok(())
}

/// Refuses a run that there is not, or that was deleted.
pub(super) fn check_active(connection: &Connection, run_id: &str) -> Outcome<RunInfo> {
    let info = run_rows::info(connection, run_id)?;
    match info.lifecycle_stage {
        LifecycleStage::Active => Ok(info),
        LifecycleStage::Deleted => {
            Err(invalid(format!("The run {run_id} must be in the 'active' state. Current state is deleted.")))
        }
    }
}

/// Sets a param once.
pub(super) fn log_param(connection: &Connection, call: &LogParam) -> Outcome<()> {
    let param = Param::new(&call.key, &call.value);
    rules::param(&param, "")?;
    let run_id = call.run_id.as_str();
    check_active(connection, run_id)?;
    match put_param(connection, run_id, &param)? {
        Some(old) => Err(invalid(format!(
            "Changing param values is not allowed. Param with key='{}' was already logged with value='{old}' for run \
             ID='{run_id}'. Attempted logging new value '{}'.",
            param.key, param.value
        ))),
        None => Ok(()),
    }
}

/// Sets params once; the run is known to be active.
pub(super) fn put_params(connection: &Connection, run_id: &str, params: &[Param]) -> Outcome<()> {
    let mut changed = Vec::new();
    for param in params {
        if let Some(old) = put_param(connection, run_id, param)? {
            changed.push(format!(
                "{{'key': {}, 'old_value': {}, 'new_value': {}}}",
                repr(&param.key),
                repr(&old),
                repr(&param.value)
            ));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{run_id}'.",
        changed.join(", ")
    )))
}

/// Sets a param, unless it has another value already: that is the answer then.
fn put_param(connection: &Connection, run_id: &str, param: &Param) -> Outcome<Option<String>> {
    let added = connection
        .prepare_cached(
            "INSERT INTO params (key, value, run_uuid) VALUES (?1, ?2, ?3) ON CONFLICT (key, run_uuid) DO NOTHING",
        )?
        .execute(params![param.key, param.value, run_id])?;
    if added == 1 {
        return Ok(None);
    }
    let old: String = connection
        .prepare_cached("SELECT value FROM params WHERE key = ?1 AND run_uuid = ?2")?
        .query_row(params![param.key, run_id], |row| row.get(0))?;
    Ok((old != param.value).then_some(old))
}

/// Sets a tag. The run's name is one.
pub(super) fn set_tag(connection: &Connection, call: &SetTag) -> Outcome<()> {
    let tag = Tag::new(&call.key, &call.value);
    rules::run_tag(&tag, "")?;
    check_active(connection, call.run_id.as_str())?;
    put_tags(connection, call.run_id.as_str(), &[tag])
}

/// Sets tags; the run is known to be active.
pub(super) fn put_tags(connection: &Connection, run_id: &str, tags: &[Tag]) -> Outcome<()> {
    for tag in tags {
        if tag.key == system::RUN_NAME {
            // An empty name changes neither the name nor the tag, as in MLflow.
            if tag.value.is_empty() {
                continue;
            }
            connection
                .prepare_cached("UPDATE runs SET name = ?2 WHERE run_uuid = ?1")?
                .execute(params![run_id, tag.value])?;
        }
        put_tag(connection, run_id, &tag.key, &tag.value)?;
    }
    Ok(())
}

fn put_tag(connection: &Connection, run_id: &str, key: &str, value: &str) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO tags (key, value, run_uuid) VALUES (?1, ?2, ?3)
             ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![key, value, run_id])?;
    Ok(())
}

/// Removes a tag.
pub(super) fn delete_tag(connection: &Connection, call: &DeleteTag) -> Outcome<()> {
    check_active(connection, call.run_id.as_str())?;
    let removed = connection
        .prepare_cached("DELETE FROM tags WHERE run_uuid = ?1 AND key = ?2")?
        .execute(params![call.run_id.as_str(), call.key])?;
    if removed == 0 {
        return Err(missing(format!("No tag with name: {} in run with id {}", call.key, call.run_id)));
    }
    Ok(())
}

/// Notes a model in a tag of the run, as servers of MLflow 2 do it.
pub(super) fn log_model(connection: &Connection, call: &LogModel) -> Outcome<()> {
    let run_id = call.run_id.as_str();
    let Ok(Value::Object(model)) = serde_json::from_str(&call.model_json) else {
        return Err(invalid(format!("Malformed model info. \n {} \n is not a valid JSON.", call.model_json)));
    };
    let wanted = ["artifact_path", "flavors", "run_id", "utc_time_created"];
    let absent: Vec<String> =
        wanted.iter().filter(|key| !model.contains_key(**key)).map(|key| repr(key)).collect();
    if !absent.is_empty() {
        return Err(invalid(format!("Model json is missing mandatory fields: {{{}}}", absent.join(", "))));
    }
    check_active(connection, run_id)?;
    let before: Option<String> = connection
        .prepare_cached("SELECT value FROM tags WHERE run_uuid = ?1 AND key = ?2")?
        .query_row(params![run_id, MODEL_HISTORY], |row| row.get(0))
        .optional()?;
    let mut models: Vec<Value> = before.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    models.push(Value::Object(summary(&model)));
    let tag = Tag::new(MODEL_HISTORY, json(&Value::Array(models)));
    rules::run_tag(&tag, "")?;
    put_tag(connection, run_id, &tag.key, &tag.value)
}

/// What of an MLmodel goes into the tag.
fn summary(model: &Map<String, Value>) -> Map<String, Value> {
    let mut summary = Map::new();
    for key in ["artifact_path", "run_id", "utc_time_created", "model_uuid"] {
        if let Some(value) = model.get(key) {
            summary.insert(key.to_owned(), value.clone());
        }
    }
    let mut flavors = model.get("flavors").cloned().unwrap_or_default();
    for flavor in flavors.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(fields) = flavor.as_object_mut() {
            fields.shift_remove("config");
        }
    }
    summary.insert("flavors".to_owned(), flavors);
    summary
}
