//! Model versions, their stages and tags.

use mlflow_types::model_versions::{
    CreateModelVersion, DeleteModelVersion, DeleteModelVersionTag, ModelVersion, ModelVersionStatus,
    SetModelVersionTag, TransitionModelVersionStage, UpdateModelVersion,
};
use mlflow_types::registered_models::Alias;
use mlflow_types::tags::{Tag, system};
use mlflow_types::{ErrorCode, ModelVersionNumber};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::python_text::json;
use super::refusal::{Outcome, Refusal, invalid, missing};
use super::{column, logged_models, now, registered_models, rules};

/// What a version's stage is after it was deleted; its row stays, so that its number is not given again.
pub(super) const DELETED: &str = "Deleted_Internal";

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str = "name, version, creation_time, last_updated_time, user_id, current_stage, description, \
                                  source, run_id, status, status_message, run_link";

/// Where a version's files are, and what made them.
struct Origin {
    storage_location: String,
    run_id: Option<String>,
    model_id: Option<String>,
}

/// Makes a version, with the next number. The logged model that it is made of is told once, in a tag.
pub(super) fn create(connection: &Connection, call: &CreateModelVersion) -> Outcome<ModelVersion> {
    let name = call.name.as_str();
    rules::registered_model_name(name)?;
    call.tags.iter().try_for_each(rules::registry_tag)?;
    let origin = origin(connection, call)?;
    registered_models::check_known(connection, name)?;
    let now = now();
    let version: u32 = connection
        .prepare_cached(
            "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE workspace = 'default' AND name = ?1",
        )?
        .query_row([name], |row| row.get(0))?;
    touch(connection, name, now)?;
    connection
        .prepare_cached(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id,
                                         current_stage, source, run_id, status, status_message, run_link,
                                         storage_location, workspace)
             VALUES (?1, ?2, ?3, ?3, ?4, NULL, 'None', ?5, ?6, 'READY', NULL, ?7, ?8, 'default')",
        )?
        .execute(params![
            name,
            version,
            now,
            call.description,
            call.source,
            origin.run_id,
            call.run_link,
            origin.storage_location,
        ])?;
    for tag in &call.tags {
        put_tag(connection, name, version, tag)?;
    }
    if let Some(model_id) = origin.model_id {
        note_on_model(connection, &model_id, name, version)?;
    }
    get(connection, name, ModelVersionNumber::new(version))
}

/// Follows `models:/…` to the files.
fn origin(connection: &Connection, call: &CreateModelVersion) -> Outcome<Origin> {
    let mut run_id = call.run_id.as_ref().map(ToString::to_string);
    let mut model_id = call.model_id.as_ref().map(ToString::to_string);
    let mut storage_location = call.source.clone();
    if let Some(path) = call.source.strip_prefix("models:/") {
        let unreachable = |refusal: Refusal| match refusal {
            Refusal::Said(code, message) => Refusal::Said(
                ErrorCode::InternalError,
                format!(
                    "Unable to fetch model from model URI source artifact location '{}'.Error: {code}: {message}",
                    call.source
                ),
            ),
            other => other,
        };
        if let Some(id) = source_model_id(&call.source) {
            let model = logged_models::get(connection, id).map_err(unreachable)?;
            storage_location = model.info.artifact_uri;
            run_id = run_id.or(model.info.source_run_id);
            model_id = model_id.or_else(|| Some(id.to_owned()));
        } else {
            let (name, version) = named(connection, path).map_err(unreachable)?;
            storage_location = download_uri(connection, &name, version).map_err(unreachable)?;
            let source = get(connection, &name, version).map_err(unreachable)?;
            run_id = run_id.or(source.run_id);
            model_id = model_id.or(source.model_id);
        }
    }
    if let (None, Some(id)) = (&run_id, &model_id) {
        run_id = logged_models::get(connection, id)?.info.source_run_id;
    }
    Ok(Origin { storage_location, run_id, model_id })
}

/// The version that `name/3`, `name/latest`, `name/Stage` or `name@alias` stands for.
fn named(connection: &Connection, path: &str) -> Outcome<(String, ModelVersionNumber)> {
    let bad = || invalid(format!("Not a proper models:/ URI: models:/{path}."));
    if let Some((name, alias)) = path.rsplit_once('@') {
        let version = connection
            .prepare_cached(
                "SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?1 AND alias = ?2",
            )?
            .query_row([name, alias], |row| column::version(row, 0))
            .optional()?;
        let version = version.ok_or_else(|| invalid(format!("Registered model alias {alias} not found.")))?;
        return Ok((name.to_owned(), version));
    }
    let (name, suffix) = path.split_once('/').filter(|(_, suffix)| !suffix.contains('/')).ok_or_else(bad)?;
    if let Ok(version) = suffix.parse() {
        return Ok((name.to_owned(), version));
    }
    let mut versions = latest(connection, name)?;
    if !suffix.eq_ignore_ascii_case("latest") {
        let stage = stage(suffix)?;
        versions.retain(|version| version.current_stage.as_deref() == Some(stage));
    }
    let newest = versions.iter().map(|version| version.version).max();
    let newest = newest.ok_or_else(|| missing(format!("Latest version not found for model {name}.")))?;
    Ok((name.to_owned(), newest))
}

/// The logged model of a source `models:/m-…`: one segment without an alias.
fn source_model_id(source: &str) -> Option<&str> {
    let path = source.strip_prefix("models:/")?;
    (!path.is_empty() && !path.contains(['/', '@'])).then_some(path)
}

/// Adds the version to the list in the logged model's tag, unless it stands there.
fn note_on_model(connection: &Connection, model_id: &str, name: &str, version: u32) -> Outcome<()> {
    let model = logged_models::get(connection, model_id)?;
    let before = model.info.tags.iter().find(|tag| tag.key == system::MODEL_VERSIONS);
    let mut versions: Vec<Value> =
        before.and_then(|tag| serde_json::from_str(&tag.value).ok()).unwrap_or_default();
    let entry = serde_json::json!({"name": name, "version": version});
    if !versions.contains(&entry) {
        versions.push(entry);
    }
    let tag = Tag::new(system::MODEL_VERSIONS, json(&Value::Array(versions)));
    logged_models::put_tags(connection, model_id, &[tag])
}

/// A version that was not deleted.
pub(super) fn get(connection: &Connection, name: &str, version: ModelVersionNumber) -> Outcome<ModelVersion> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM model_versions
             WHERE workspace = 'default' AND name = ?1 AND version = ?2 AND current_stage <> '{DELETED}'"
        ))?
        .query_row(params![name, version.get()], read)
        .optional()?;
    let mut found =
        found.ok_or_else(|| missing(format!("Model Version (name={name}, version={version}) not found")))?;
    fill_tags(connection, &mut found)?;
    fill_aliases(&mut found, &registered_models::aliases(connection, name)?);
    Ok(found)
}

/// The newest version of each stage, without aliases.
pub(super) fn latest(connection: &Connection, name: &str) -> Outcome<Vec<ModelVersion>> {
    let mut versions = column::rows(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM model_versions AS one
             WHERE workspace = 'default' AND name = ?1 AND current_stage <> '{DELETED}'
               AND version = (SELECT max(version) FROM model_versions
                              WHERE workspace = 'default' AND name = ?1 AND current_stage = one.current_stage)
             ORDER BY version"
        ),
        name,
        read,
    )?;
    for version in &mut versions {
        fill_tags(connection, version)?;
    }
    Ok(versions)
}

/// Describes a version.
pub(super) fn update(connection: &Connection, call: &UpdateModelVersion) -> Outcome<ModelVersion> {
    let name = call.name.as_str();
    get(connection, name, call.version)?;
    connection
        .prepare_cached(
            "UPDATE model_versions SET description = ?3, last_updated_time = ?4
             WHERE workspace = 'default' AND name = ?1 AND version = ?2",
        )?
        .execute(params![name, call.version.get(), call.description, now()])?;
    get(connection, name, call.version)
}

/// Deletes a version: its row stays without what it said, its aliases go.
pub(super) fn delete(connection: &Connection, call: &DeleteModelVersion) -> Outcome<()> {
    let (name, version) = (call.name.as_str(), call.version.get());
    get(connection, name, call.version)?;
    let now = now();
    touch(connection, name, now)?;
    connection
        .prepare_cached(
            "DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ?1 AND version = ?2",
        )?
        .execute(params![name, version])?;
    connection
        .prepare_cached(
            "UPDATE model_versions
             SET current_stage = ?3, last_updated_time = ?4, description = NULL, user_id = NULL,
                 source = 'REDACTED-SOURCE-PATH', run_id = 'REDACTED-RUN-ID', run_link = 'REDACTED-RUN-LINK',
                 status_message = NULL
             WHERE workspace = 'default' AND name = ?1 AND version = ?2",
        )?
        .execute(params![name, version, DELETED, now])?;
    Ok(())
}

/// Where a version's files are.
pub(super) fn download_uri(
    connection: &Connection,
    name: &str,
    version: ModelVersionNumber,
) -> Outcome<String> {
    let source = get(connection, name, version)?.source;
    let location: Option<String> = connection
        .prepare_cached(
            "SELECT storage_location FROM model_versions WHERE workspace = 'default' AND name = ?1 AND version = ?2",
        )?
        .query_row(params![name, version.get()], |row| row.get(0))?;
    Ok(location.filter(|location| !location.is_empty()).unwrap_or(source))
}

/// Moves a version to another stage.
pub(super) fn transition(
    connection: &Connection,
    call: &TransitionModelVersionStage,
) -> Outcome<ModelVersion> {
    let name = call.name.as_str();
    let stage = stage(&call.stage)?;
    if call.archive_existing_versions && !matches!(stage, "Staging" | "Production") {
        return Err(Refusal::Said(
            ErrorCode::InternalError,
            format!(
                "Model version transition cannot archive existing model versions because '{}' is not an Active stage. \
                 Valid stages are ['Staging', 'Production']",
                call.stage
            ),
        ));
    }
    get(connection, name, call.version)?;
    let now = now();
    if call.archive_existing_versions {
        connection
            .prepare_cached(
                "UPDATE model_versions SET current_stage = 'Archived', last_updated_time = ?4
                 WHERE workspace = 'default' AND name = ?1 AND version <> ?2 AND current_stage = ?3",
            )?
            .execute(params![name, call.version.get(), stage, now])?;
    }
    connection
        .prepare_cached(
            "UPDATE model_versions SET current_stage = ?3, last_updated_time = ?4
             WHERE workspace = 'default' AND name = ?1 AND version = ?2",
        )?
        .execute(params![name, call.version.get(), stage, now])?;
    touch(connection, name, now)?;
    get(connection, name, call.version)
}

/// A stage as MLflow writes it, from any case.
pub(super) fn stage(word: &str) -> Outcome<&'static str> {
    const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];
    STAGES.into_iter().find(|stage| stage.eq_ignore_ascii_case(word)).ok_or_else(|| {
        invalid(format!("Invalid Model Version stage: {word}. Value must be one of {}.", STAGES.join(", ")))
    })
}

/// Sets a tag.
pub(super) fn set_tag(connection: &Connection, call: &SetModelVersionTag) -> Outcome<()> {
    let tag = Tag::new(&call.key, &call.value);
    rules::registry_tag(&tag)?;
    get(connection, call.name.as_str(), call.version)?;
    put_tag(connection, call.name.as_str(), call.version.get(), &tag)
}

/// Removes a tag; it is no error if there is none.
pub(super) fn delete_tag(connection: &Connection, call: &DeleteModelVersionTag) -> Outcome<()> {
    rules::registry_tag(&Tag::new(&call.key, ""))?;
    get(connection, call.name.as_str(), call.version)?;
    connection
        .prepare_cached(
            "DELETE FROM model_version_tags
             WHERE workspace = 'default' AND name = ?1 AND version = ?2 AND key = ?3",
        )?
        .execute(params![call.name.as_str(), call.version.get(), call.key])?;
    Ok(())
}

/// Sets a tag of a version that is known.
pub(super) fn put_tag(connection: &Connection, name: &str, version: u32, tag: &Tag) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO model_version_tags (key, value, name, version, workspace) VALUES (?1, ?2, ?3, ?4, 'default')
             ON CONFLICT (workspace, key, name, version) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![tag.key, tag.value, name, version])?;
    Ok(())
}

fn touch(connection: &Connection, name: &str, now: i64) -> Outcome<()> {
    connection
        .prepare_cached(
            "UPDATE registered_models SET last_updated_time = ?2 WHERE workspace = 'default' AND name = ?1",
        )?
        .execute(params![name, now])?;
    Ok(())
}

/// Fills in the tags.
pub(super) fn fill_tags(connection: &Connection, version: &mut ModelVersion) -> Outcome<()> {
    version.tags = connection
        .prepare_cached(
            "SELECT key, value FROM model_version_tags
             WHERE workspace = 'default' AND name = ?1 AND version = ?2 ORDER BY key",
        )?
        .query_map(params![version.name.as_str(), version.version.get()], column::tag)?
        .collect::<Result<_, _>>()?;
    Ok(())
}

/// Fills in those of the model's aliases that point at the version.
pub(super) fn fill_aliases(version: &mut ModelVersion, aliases: &[Alias]) {
    let own = aliases.iter().filter(|alias| alias.version == version.version);
    version.aliases = own.map(|alias| alias.alias.clone()).collect();
}

/// A version, without tags and aliases.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<ModelVersion> {
    let source = column::text_or_empty(row, 7)?;
    Ok(ModelVersion {
        name: column::parsed(row, 0)?,
        version: column::version(row, 1)?,
        creation_timestamp: row.get(2)?,
        last_updated_timestamp: row.get(3)?,
        user_id: row.get(4)?,
        current_stage: row.get(5)?,
        description: row.get(6)?,
        model_id: source_model_id(&source).map(str::to_owned),
        source,
        run_id: row.get(8)?,
        status: match row.get::<_, Option<String>>(9)?.as_deref() {
            Some("PENDING_REGISTRATION") => ModelVersionStatus::PendingRegistration,
            Some("FAILED_REGISTRATION") => ModelVersionStatus::FailedRegistration,
            _ => ModelVersionStatus::Ready,
        },
        status_message: row.get(10)?,
        tags: Vec::new(),
        run_link: row.get(11)?,
        aliases: Vec::new(),
        model_params: Vec::new(),
        model_metrics: Vec::new(),
    })
}
