//! Versions of registered models.

use mlflow_types::filter::{Filter, OrderBy, Searched, compare_model_versions};
use mlflow_types::logged_models::{GetLoggedModel, LoggedModel};
use mlflow_types::model_versions::{
    CreateModelVersion, DeleteModelVersion, DeleteModelVersionTag, GetModelVersion,
    GetModelVersionDownloadUri, ModelVersion, ModelVersionStatus, SearchModelVersions,
    SearchModelVersionsResponse, SetModelVersionTag, TransitionModelVersionStage, UpdateModelVersion,
};
use mlflow_types::runs::GetRun;
use mlflow_types::tags::{Tag, system};
use mlflow_types::{ErrorCode, ModelId, ModelVersionNumber, RegisteredModelName};
use serde_json::json;

use super::experiments::{merged, set};
use super::paging::{limited, page};
use super::refusal::{Answer, Refusal, absent, failed, invalid, key, required};
use super::registered_models::{canonical_stage, registry_tag};
use super::{RegisteredModelRecord, State, VersionRecord};

/// Versions a page, when the call does not say.
const PAGE: u32 = 10_000;

/// Where a version's files are, and what made them.
struct Origin {
    source: String,
    storage_location: String,
    run_id: Option<String>,
    model_id: Option<ModelId>,
}

impl State {
    pub(super) fn create_model_version(&mut self, call: &CreateModelVersion) -> Answer<ModelVersion> {
        required("source", &call.source)?;
        let origin = self.origin(call)?;
        call.tags.iter().try_for_each(registry_tag)?;
        let now = self.tick();
        let record = self.registered_mut(&call.name)?;
        record.model.last_updated_timestamp = Some(now);
        let number = record.versions.keys().last().map_or(1, |last| last + 1);
        let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let version = ModelVersion {
            name: call.name.clone(),
            version: ModelVersionNumber::new(number),
            creation_timestamp: Some(now),
            last_updated_timestamp: Some(now),
            user_id: None,
            current_stage: Some("None".to_owned()),
            description: present(&call.description),
            source: origin.source,
            run_id: origin.run_id,
            status: ModelVersionStatus::Ready,
            status_message: None,
            tags: merged(&call.tags),
            run_link: present(&call.run_link),
            aliases: Vec::new(),
            model_id: origin.model_id.as_ref().map(ToString::to_string),
            model_params: Vec::new(),
            model_metrics: Vec::new(),
        };
        let storage_location = origin.storage_location;
        record
            .versions
            .insert(number, VersionRecord { version: version.clone(), storage_location, deleted: false });
        if let Some(model_id) = origin.model_id {
            self.note_version(&model_id, &call.name, number);
        }
        Ok(version)
    }

    /// What a version is made from. A source that lies within a run or a logged model needs that named beside it.
    fn origin(&self, call: &CreateModelVersion) -> Answer<Origin> {
        let source = call.source.clone();
        let run_id = call.run_id.as_ref().map(ToString::to_string);
        if let Some(rest) = source.strip_prefix("models:/") {
            return match rest.split_once('/') {
                None => self.origin_in_model(call, rest),
                Some((name, version)) => self.origin_in_version(call, name, version),
            };
        }
        let model_run = match &call.model_id {
            Some(model_id) => self.source_model(model_id, &source)?.info.source_run_id,
            None => None,
        };
        if source.starts_with("runs:/")
            && !call.run_id.as_ref().is_some_and(|id| in_run(&source, id.as_str()))
        {
            return Err(misplaced(&source, "run_id"));
        }
        if source.starts_with("mlflow-artifacts:") || is_local(&source) {
            self.check_contained(call, &source)?;
        }
        Ok(Origin {
            storage_location: source.clone(),
            source,
            run_id: run_id.or(model_run),
            model_id: call.model_id.clone(),
        })
    }

    fn origin_in_model(&self, call: &CreateModelVersion, id: &str) -> Answer<Origin> {
        let model_id = call.model_id.clone().filter(|model_id| model_id.as_str() == id);
        let model_id = model_id.ok_or_else(|| misplaced(&call.source, "model_id"))?;
        let model = self.get_logged_model(&GetLoggedModel { model_id: model_id.clone() }).map_err(|_| {
            failed(
                ErrorCode::InternalError,
                format!("Unable to fetch model from model URI source artifact location '{}'.", call.source),
            )
        })?;
        Ok(Origin {
            source: call.source.clone(),
            storage_location: model.info.artifact_uri,
            run_id: call.run_id.as_ref().map(ToString::to_string).or(model.info.source_run_id),
            model_id: Some(model_id),
        })
    }

    /// A version of another registered model, or of the same.
    fn origin_in_version(&self, call: &CreateModelVersion, name: &str, version: &str) -> Answer<Origin> {
        let name = RegisteredModelName::try_new(name).map_err(|error| invalid(error.to_string()))?;
        let number: ModelVersionNumber = version.parse().map_err(|_| misplaced(&call.source, "model_id"))?;
        let record = self.registered(&name)?.version(number)?;
        Ok(Origin {
            source: call.source.clone(),
            storage_location: record.storage_location.clone(),
            run_id: call.run_id.as_ref().map(ToString::to_string).or_else(|| record.version.run_id.clone()),
            model_id: record.version.model_id.as_deref().and_then(|id| id.parse().ok()),
        })
    }

    fn source_model(&self, model_id: &ModelId, source: &str) -> Answer<LoggedModel> {
        self.get_logged_model(&GetLoggedModel { model_id: model_id.clone() })
            .map_err(|_| misplaced(source, "model_id"))
    }

    /// A source among the artifacts must belong to the run or the model that is named.
    fn check_contained(&self, call: &CreateModelVersion, source: &str) -> Answer<()> {
        let (root, field) = match (&call.model_id, &call.run_id) {
            (Some(model_id), _) => (Some(self.source_model(model_id, source)?.info.artifact_uri), "model_id"),
            (None, Some(run_id)) => {
                let run = self.get_run(&GetRun { run_id: run_id.clone() });
                (run.ok().map(|run| run.info.artifact_uri), "run_id")
            }
            (None, None) => (None, "run_id"),
        };
        let contained = root.is_some_and(|root| {
            source.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if contained {
            return Ok(());
        }
        if is_local(source) {
            return Err(invalid(format!(
                "Invalid model version source: '{source}'. To use a local path as a model version source, the {field} request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the {field}."
            )));
        }
        Err(misplaced(source, field))
    }

    /// Notes on a logged model which version was made of it.
    fn note_version(&mut self, model_id: &ModelId, name: &RegisteredModelName, number: u32) {
        let Some(record) = self.logged_models.get_mut(model_id) else { return };
        let tags = &mut record.model.info.tags;
        let known = tags.iter().find(|tag| tag.key == system::MODEL_VERSIONS);
        let mut versions: Vec<serde_json::Value> =
            known.and_then(|tag| serde_json::from_str(&tag.value).ok()).unwrap_or_default();
        versions.push(json!({ "name": name.as_str(), "version": number }));
        let written: Vec<String> = versions.iter().map(python_json).collect();
        set(tags, Tag::new(system::MODEL_VERSIONS, format!("[{}]", written.join(", "))));
    }

    pub(super) fn get_model_version(&self, call: &GetModelVersion) -> Answer<ModelVersion> {
        let record = self.registered_or_no_version(&call.name, call.version)?;
        record.version(call.version).map(|version| record.with_aliases(&version.version))
    }

    pub(super) fn update_model_version(&mut self, call: &UpdateModelVersion) -> Answer<ModelVersion> {
        let now = self.tick();
        let version = &mut self.version_record(&call.name, call.version)?.version;
        version.description = Some(call.description.clone()).filter(|text| !text.is_empty());
        version.last_updated_timestamp = Some(now);
        self.get_model_version(&GetModelVersion { name: call.name.clone(), version: call.version })
    }

    pub(super) fn delete_model_version(&mut self, call: &DeleteModelVersion) -> Answer<()> {
        let now = self.tick();
        self.version_record(&call.name, call.version)?.deleted = true;
        let model = &mut self.registered_mut(&call.name)?.model;
        model.last_updated_timestamp = Some(now);
        model.aliases.retain(|alias| alias.version != call.version);
        Ok(())
    }

    pub(super) fn search_model_versions(
        &self,
        call: &SearchModelVersions,
    ) -> Answer<SearchModelVersionsResponse> {
        let size = call.max_results.unwrap_or(PAGE);
        if size == 0 {
            return Err(invalid("Invalid value for max_results. It must be a positive integer, but got 0"));
        }
        let size = limited(size, 200_000)?;
        let filter = Filter::parse_optional(Searched::ModelVersions, call.filter.as_deref())?;
        let orders = OrderBy::parse_all(Searched::ModelVersions, &call.order_by)?;
        let mut found: Vec<&ModelVersion> = self
            .registered_models
            .values()
            .flat_map(|record| record.versions.values())
            .filter(|record| !record.deleted)
            .map(|record| &record.version)
            .filter(|version| filter.matches_model_version(version))
            .collect();
        found.sort_by(|left, right| compare_model_versions(&orders, left, right));
        let (found, next_page_token) = page(found, call.page_token.as_deref(), size)?;
        Ok(SearchModelVersionsResponse {
            model_versions: found.into_iter().cloned().collect(),
            next_page_token,
        })
    }

    pub(super) fn get_model_version_download_uri(&self, call: &GetModelVersionDownloadUri) -> Answer<String> {
        let record = self.registered_or_no_version(&call.name, call.version)?;
        record.version(call.version).map(|version| version.storage_location.clone())
    }

    pub(super) fn transition_model_version_stage(
        &mut self,
        call: &TransitionModelVersionStage,
    ) -> Answer<ModelVersion> {
        let stage = canonical_stage(&call.stage)?;
        if call.archive_existing_versions && !matches!(stage, "Staging" | "Production") {
            return Err(failed(
                ErrorCode::InternalError,
                format!(
                    "Model version transition cannot archive existing model versions because '{}' is not an Active stage. Valid stages are ['Staging', 'Production']",
                    call.stage
                ),
            ));
        }
        let now = self.tick();
        self.version_record(&call.name, call.version)?;
        let record = self.registered_mut(&call.name)?;
        record.model.last_updated_timestamp = Some(now);
        for VersionRecord { version, .. } in record.versions.values_mut() {
            if version.version == call.version {
                version.current_stage = Some(stage.to_owned());
                version.last_updated_timestamp = Some(now);
            } else if call.archive_existing_versions && version.current_stage.as_deref() == Some(stage) {
                version.current_stage = Some("Archived".to_owned());
                version.last_updated_timestamp = Some(now);
            }
        }
        self.get_model_version(&GetModelVersion { name: call.name.clone(), version: call.version })
    }

    pub(super) fn set_model_version_tag(&mut self, call: &SetModelVersionTag) -> Answer<()> {
        required("key", &call.key)?;
        let tag = Tag::new(&call.key, &call.value);
        registry_tag(&tag)?;
        set(&mut self.version_record(&call.name, call.version)?.version.tags, tag);
        Ok(())
    }

    pub(super) fn delete_model_version_tag(&mut self, call: &DeleteModelVersionTag) -> Answer<()> {
        required("key", &call.key)?;
        key("key", "key", &call.key)?;
        self.version_record(&call.name, call.version)?.version.tags.retain(|tag| tag.key != call.key);
        Ok(())
    }

    /// A version that was not deleted.
    pub(super) fn version_record(
        &mut self,
        name: &RegisteredModelName,
        number: ModelVersionNumber,
    ) -> Answer<&mut VersionRecord> {
        self.registered_models
            .get_mut(name.as_str())
            .and_then(|record| record.versions.get_mut(&number.get()))
            .filter(|record| !record.deleted)
            .ok_or_else(|| no_version(name, number))
    }

    fn registered_or_no_version(
        &self,
        name: &RegisteredModelName,
        number: ModelVersionNumber,
    ) -> Answer<&RegisteredModelRecord> {
        self.registered_models.get(name.as_str()).ok_or_else(|| no_version(name, number))
    }
}

impl RegisteredModelRecord {
    /// A version that was not deleted.
    pub(super) fn version(&self, number: ModelVersionNumber) -> Answer<&VersionRecord> {
        self.versions
            .get(&number.get())
            .filter(|record| !record.deleted)
            .ok_or_else(|| no_version(&self.model.name, number))
    }
}

fn no_version(name: &RegisteredModelName, number: ModelVersionNumber) -> Refusal {
    absent(format!("Model Version (name={name}, version={number}) not found"))
}

fn misplaced(source: &str, field: &str) -> Refusal {
    invalid(format!(
        "Invalid model version source: '{source}'. The {field} request parameter must identify the resource that contains the source."
    ))
}

fn in_run(source: &str, run_id: &str) -> bool {
    source
        .strip_prefix("runs:/")
        .and_then(|rest| rest.strip_prefix(run_id))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a source is a path or a `file:` URI.
fn is_local(source: &str) -> bool {
    source.starts_with("file:") || source.split_once(':').is_none_or(|(scheme, _)| scheme.contains('/'))
}

/// JSON as Python writes it, with a space behind each comma and colon.
fn python_json(version: &serde_json::Value) -> String {
    let field = |key: &str| version.get(key).map(ToString::to_string).unwrap_or_default();
    format!("{{\"name\": {}, \"version\": {}}}", field("name"), field("version"))
}
