//! Registered models, their tags and aliases.

use mlflow_types::model_versions::ModelVersion;
use mlflow_types::registered_models::{
    Alias, CreateRegisteredModel, DeleteRegisteredModelAlias, DeleteRegisteredModelTag, GetLatestVersions,
    GetModelVersionByAlias, RegisteredModel, RenameRegisteredModel, SetRegisteredModelAlias,
    SetRegisteredModelTag, UpdateRegisteredModel,
};
use mlflow_types::tags::{Tag, system};
use rusqlite::{Connection, OptionalExtension, params};

use super::python_text::repr;
use super::refusal::{Outcome, Refusal, exists, invalid, missing};
use super::{column, model_versions, now, rules};

/// Creates a registered model.
pub(super) fn create(connection: &Connection, call: &CreateRegisteredModel) -> Outcome<RegisteredModel> {
    let name = call.name.as_str();
    rules::registered_model_name(name)?;
    call.tags.iter().try_for_each(rules::registry_tag)?;
    let made = connection
        .prepare_cached(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace)
             VALUES (?1, ?2, ?2, ?3, 'default') ON CONFLICT DO NOTHING",
        )?
        .execute(params![name, now(), call.description])?;
    if made == 0 {
        return Err(taken(name, is_prompt(&get(connection, name)?.tags), is_prompt(&call.tags)));
    }
    for tag in &call.tags {
        put_tag(connection, name, tag)?;
    }
    get(connection, name)
}

fn is_prompt(tags: &[Tag]) -> bool {
    tags.iter()
        .rfind(|tag| tag.key == system::IS_PROMPT)
        .is_some_and(|tag| tag.value.eq_ignore_ascii_case("true"))
}

fn taken(name: &str, old_is_prompt: bool, new_is_prompt: bool) -> Refusal {
    let word = |is_prompt| if is_prompt { "Prompt" } else { "Registered Model" };
    if old_is_prompt == new_is_prompt {
        return exists(format!("{} (name={name}) already exists.", word(new_is_prompt)));
    }
    exists(format!(
        "Tried to create a {} with name {}, but the name is already taken by a {}. MLflow does not allow creating a model \
         and a prompt with the same name.",
        word(new_is_prompt).to_lowercase(),
        repr(name),
        word(old_is_prompt).to_lowercase()
    ))
}

/// A registered model.
pub(super) fn get(connection: &Connection, name: &str) -> Outcome<RegisteredModel> {
    let model = connection
        .prepare_cached(
            "SELECT name, creation_time, last_updated_time, description FROM registered_models
             WHERE workspace = 'default' AND name = ?1",
        )?
        .query_row([name], |row| {
            Ok(RegisteredModel {
                name: column::parsed(row, 0)?,
                creation_timestamp: row.get(1)?,
                last_updated_timestamp: row.get(2)?,
                description: row.get(3)?,
                latest_versions: Vec::new(),
                tags: Vec::new(),
                aliases: Vec::new(),
            })
        })
        .optional()?;
    let mut model = model.ok_or_else(|| missing(format!("Registered Model with name={name} not found")))?;
    model.latest_versions = model_versions::latest(connection, name)?;
    model.tags = column::rows(
        connection,
        "SELECT key, value FROM registered_model_tags WHERE workspace = 'default' AND name = ?1 ORDER BY key",
        name,
        column::tag,
    )?;
    model.aliases = aliases(connection, name)?;
    Ok(model)
}

/// The aliases of a model.
pub(super) fn aliases(connection: &Connection, name: &str) -> Outcome<Vec<Alias>> {
    Ok(column::rows(
        connection,
        "SELECT alias, version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?1 ORDER BY alias",
        name,
        |row| Ok(Alias { alias: row.get(0)?, version: column::version(row, 1)? }),
    )?)
}

/// Refuses a model that there is not.
pub(super) fn check_known(connection: &Connection, name: &str) -> Outcome<()> {
    let known: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM registered_models WHERE workspace = 'default' AND name = ?1)",
        )?
        .query_row([name], |row| row.get(0))?;
    if known { Ok(()) } else { Err(missing(format!("Registered Model with name={name} not found"))) }
}

/// Gives a model another name; versions, tags and aliases follow by the schema's own rules.
pub(super) fn rename(connection: &Connection, call: &RenameRegisteredModel) -> Outcome<RegisteredModel> {
    let (old, new) = (call.name.as_str(), call.new_name.as_str());
    rules::registered_model_name(new)?;
    check_known(connection, old)?;
    let now = now();
    connection
        .prepare_cached(
            "UPDATE registered_models SET name = ?2, last_updated_time = ?3 WHERE workspace = 'default' AND name = ?1",
        )?
        .execute(params![old, new, now])
        .map_err(|error| {
            if Refusal::is_conflict(&error) {
                return exists(format!("Registered Model (name={new}) already exists. Error: {error}"));
            }
            error.into()
        })?;
    connection
        .prepare_cached(
            "UPDATE model_versions SET last_updated_time = ?2 WHERE workspace = 'default' AND name = ?1",
        )?
        .execute(params![new, now])?;
    get(connection, new)
}

/// Describes a model.
pub(super) fn update(connection: &Connection, call: &UpdateRegisteredModel) -> Outcome<RegisteredModel> {
    connection
        .prepare_cached(
            "UPDATE registered_models SET description = ?2, last_updated_time = ?3
             WHERE workspace = 'default' AND name = ?1",
        )?
        .execute(params![call.name.as_str(), call.description, now()])?;
    get(connection, call.name.as_str())
}

/// Deletes a model with everything that hangs on it.
pub(super) fn delete(connection: &Connection, name: &str) -> Outcome<()> {
    check_known(connection, name)?;
    // Only the aliases go by themselves; the order is that of the foreign keys.
    for table in ["model_version_tags", "model_versions", "registered_model_tags", "registered_models"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE workspace = 'default' AND name = ?1"))?
            .execute([name])?;
    }
    Ok(())
}

/// The newest version of each stage that is asked for.
pub(super) fn latest_versions(
    connection: &Connection,
    call: &GetLatestVersions,
) -> Outcome<Vec<ModelVersion>> {
    let name = call.name.as_str();
    check_known(connection, name)?;
    let stages = call.stages.iter().map(|stage| model_versions::stage(stage)).collect::<Outcome<Vec<_>>>()?;
    let mut versions = model_versions::latest(connection, name)?;
    versions.retain(|version| {
        let stage = version.current_stage.as_deref().unwrap_or_default();
        stages.is_empty() || stages.contains(&stage)
    });
    let aliases = aliases(connection, name)?;
    for version in &mut versions {
        model_versions::fill_aliases(version, &aliases);
    }
    Ok(versions)
}

/// Sets a tag.
pub(super) fn set_tag(connection: &Connection, call: &SetRegisteredModelTag) -> Outcome<()> {
    let tag = Tag::new(&call.key, &call.value);
    rules::registry_tag(&tag)?;
    check_known(connection, call.name.as_str())?;
    put_tag(connection, call.name.as_str(), &tag)
}

/// Sets a tag of a model that is known.
pub(super) fn put_tag(connection: &Connection, name: &str, tag: &Tag) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO registered_model_tags (key, value, name, workspace) VALUES (?1, ?2, ?3, 'default')
             ON CONFLICT (workspace, key, name) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![tag.key, tag.value, name])?;
    Ok(())
}

/// Removes a tag; it is no error if there is none.
pub(super) fn delete_tag(connection: &Connection, call: &DeleteRegisteredModelTag) -> Outcome<()> {
    rules::registry_tag(&Tag::new(&call.key, ""))?;
    check_known(connection, call.name.as_str())?;
    connection
        .prepare_cached(
            "DELETE FROM registered_model_tags WHERE workspace = 'default' AND name = ?1 AND key = ?2",
        )?
        .execute(params![call.name.as_str(), call.key])?;
    Ok(())
}

/// Points an alias at a version.
pub(super) fn set_alias(connection: &Connection, call: &SetRegisteredModelAlias) -> Outcome<()> {
    model_versions::get(connection, call.name.as_str(), call.version)?;
    connection
        .prepare_cached(
            "INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (?1, ?2, ?3, 'default')
             ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version",
        )?
        .execute(params![call.alias.as_str(), call.version.get(), call.name.as_str()])?;
    Ok(())
}

/// Removes an alias; it is no error if there is none.
pub(super) fn delete_alias(connection: &Connection, call: &DeleteRegisteredModelAlias) -> Outcome<()> {
    check_known(connection, call.name.as_str())?;
    connection
        .prepare_cached(
            "DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ?1 AND alias = ?2",
        )?
        .execute(params![call.name.as_str(), call.alias.as_str()])?;
    Ok(())
}

/// The version that an alias points at.
pub(super) fn version_by_alias(
    connection: &Connection,
    call: &GetModelVersionByAlias,
) -> Outcome<ModelVersion> {
    check_known(connection, call.name.as_str())?;
    let version = connection
        .prepare_cached(
            "SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?1 AND alias = ?2",
        )?
        .query_row(params![call.name.as_str(), call.alias.as_str()], |row| column::version(row, 0))
        .optional()?;
    let version =
        version.ok_or_else(|| invalid(format!("Registered model alias {} not found.", call.alias)))?;
    model_versions::get(connection, call.name.as_str(), version)
}
