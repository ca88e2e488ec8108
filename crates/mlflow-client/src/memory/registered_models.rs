//! Registered models and their aliases.

use std::collections::BTreeMap;

use mlflow_types::RegisteredModelName;
use mlflow_types::filter::{Filter, OrderBy, Searched, compare_registered_models};
use mlflow_types::limits::REGISTERED_MODEL_TAG_VALUE_CHARACTERS;
use mlflow_types::model_versions::ModelVersion;
use mlflow_types::registered_models::{
    Alias, CreateRegisteredModel, DeleteRegisteredModel, DeleteRegisteredModelAlias,
    DeleteRegisteredModelTag, GetLatestVersions, GetModelVersionByAlias, GetRegisteredModel, RegisteredModel,
    RenameRegisteredModel, SearchRegisteredModels, SearchRegisteredModelsResponse, SetRegisteredModelAlias,
    SetRegisteredModelTag, UpdateRegisteredModel,
};
use mlflow_types::tags::Tag;

use super::experiments::{merged, set};
use super::paging::{limited, page};
use super::refusal::{Answer, absent, exists, invalid, key, length, required};
use super::{RegisteredModelRecord, State};

/// Registered models a page, when the call does not say.
const PAGE: u32 = 100;

impl State {
    pub(super) fn create_registered_model(
        &mut self,
        call: &CreateRegisteredModel,
    ) -> Answer<RegisteredModel> {
        call.tags.iter().try_for_each(registry_tag)?;
        if self.registered_models.contains_key(call.name.as_str()) {
            return Err(exists(format!("Registered Model (name={}) already exists.", call.name)));
        }
        let now = self.tick();
        let model = RegisteredModel {
            name: call.name.clone(),
            creation_timestamp: Some(now),
            last_updated_timestamp: Some(now),
            description: call.description.clone().filter(|text| !text.is_empty()),
            latest_versions: Vec::new(),
            tags: merged(&call.tags),
            aliases: Vec::new(),
        };
        let record = RegisteredModelRecord { model: model.clone(), versions: BTreeMap::new() };
        self.registered_models.insert(call.name.to_string(), record);
        Ok(model)
    }

    pub(super) fn get_registered_model(&self, call: &GetRegisteredModel) -> Answer<RegisteredModel> {
        self.registered(&call.name).map(RegisteredModelRecord::answer)
    }

    pub(super) fn rename_registered_model(
        &mut self,
        call: &RenameRegisteredModel,
    ) -> Answer<RegisteredModel> {
        let now = self.tick();
        self.registered(&call.name)?;
        if call.new_name != call.name && self.registered_models.contains_key(call.new_name.as_str()) {
            return Err(exists(format!("Registered Model (name={}) already exists.", call.new_name)));
        }
        let mut record =
            self.registered_models.remove(call.name.as_str()).ok_or_else(|| unknown(&call.name))?;
        record.model.name = call.new_name.clone();
        record.model.last_updated_timestamp = Some(now);
        for version in record.versions.values_mut() {
            version.version.name = call.new_name.clone();
            version.version.last_updated_timestamp = Some(now);
        }
        let answer = record.answer();
        self.registered_models.insert(call.new_name.to_string(), record);
        Ok(answer)
    }

    pub(super) fn update_registered_model(
        &mut self,
        call: &UpdateRegisteredModel,
    ) -> Answer<RegisteredModel> {
        let now = self.tick();
        let record = self.registered_mut(&call.name)?;
        record.model.description = Some(call.description.clone()).filter(|text| !text.is_empty());
        record.model.last_updated_timestamp = Some(now);
        Ok(record.answer())
    }

    pub(super) fn delete_registered_model(&mut self, call: &DeleteRegisteredModel) -> Answer<()> {
        self.registered_models.remove(call.name.as_str()).map(drop).ok_or_else(|| unknown(&call.name))
    }

    pub(super) fn search_registered_models(
        &self,
        call: &SearchRegisteredModels,
    ) -> Answer<SearchRegisteredModelsResponse> {
        let size = limited(call.max_results.unwrap_or(PAGE), 1000)?;
        let filter = Filter::parse_optional(Searched::RegisteredModels, call.filter.as_deref())?;
        let orders = OrderBy::parse_all(Searched::RegisteredModels, &call.order_by)?;
        let mut found: Vec<&RegisteredModelRecord> = self
            .registered_models
            .values()
            .filter(|record| filter.matches_registered_model(&record.model))
            .collect();
        found.sort_by(|left, right| compare_registered_models(&orders, &left.model, &right.model));
        let (found, next_page_token) = page(found, call.page_token.as_deref(), size)?;
        Ok(SearchRegisteredModelsResponse {
            registered_models: found.into_iter().map(RegisteredModelRecord::answer).collect(),
            next_page_token,
        })
    }

    pub(super) fn get_latest_versions(&self, call: &GetLatestVersions) -> Answer<Vec<ModelVersion>> {
        let record = self.registered(&call.name)?;
        let stages: Vec<&str> =
            call.stages.iter().map(|stage| canonical_stage(stage)).collect::<Answer<_>>()?;
        let wanted = |version: &ModelVersion| {
            stages.is_empty() || version.current_stage.as_deref().is_some_and(|stage| stages.contains(&stage))
        };
        Ok(record
            .latest()
            .filter(|version| wanted(version))
            .map(|version| record.with_aliases(version))
            .collect())
    }

    pub(super) fn set_registered_model_tag(&mut self, call: &SetRegisteredModelTag) -> Answer<()> {
        required("key", &call.key)?;
        let tag = Tag::new(&call.key, &call.value);
        registry_tag(&tag)?;
        set(&mut self.registered_mut(&call.name)?.model.tags, tag);
        Ok(())
    }

    pub(super) fn delete_registered_model_tag(&mut self, call: &DeleteRegisteredModelTag) -> Answer<()> {
        required("key", &call.key)?;
        key("key", "key", &call.key)?;
        self.registered_mut(&call.name)?.model.tags.retain(|tag| tag.key != call.key);
        Ok(())
    }

    pub(super) fn set_registered_model_alias(&mut self, call: &SetRegisteredModelAlias) -> Answer<()> {
        let record = self.version_record(&call.name, call.version)?;
        let version = record.version.version;
        let aliases = &mut self.registered_mut(&call.name)?.model.aliases;
        aliases.retain(|alias| alias.alias != call.alias.as_str());
        aliases.push(Alias { alias: call.alias.to_string(), version });
        aliases.sort();
        Ok(())
    }

    pub(super) fn delete_registered_model_alias(&mut self, call: &DeleteRegisteredModelAlias) -> Answer<()> {
        let aliases = &mut self.registered_mut(&call.name)?.model.aliases;
        aliases.retain(|alias| alias.alias != call.alias.as_str());
        Ok(())
    }

    pub(super) fn get_model_version_by_alias(&self, call: &GetModelVersionByAlias) -> Answer<ModelVersion> {
        let record = self.registered(&call.name)?;
        let alias = record
            .model
            .aliases
            .iter()
            .find(|alias| alias.alias == call.alias.as_str())
            .ok_or_else(|| invalid(format!("Registered model alias {} not found.", call.alias)))?;
        record.version(alias.version).map(|version| record.with_aliases(&version.version))
    }

    pub(super) fn registered(&self, name: &RegisteredModelName) -> Answer<&RegisteredModelRecord> {
        self.registered_models.get(name.as_str()).ok_or_else(|| unknown(name))
    }

    pub(super) fn registered_mut(
        &mut self,
        name: &RegisteredModelName,
    ) -> Answer<&mut RegisteredModelRecord> {
        self.registered_models.get_mut(name.as_str()).ok_or_else(|| unknown(name))
    }
}

impl RegisteredModelRecord {
    /// The model as it is answered.
    fn answer(&self) -> RegisteredModel {
        RegisteredModel { latest_versions: self.latest().cloned().collect(), ..self.model.clone() }
    }

    /// The newest version of each stage.
    fn latest(&self) -> impl Iterator<Item = &ModelVersion> {
        let mut latest: BTreeMap<&str, &ModelVersion> = BTreeMap::new();
        for record in self.versions.values().filter(|record| !record.deleted) {
            latest.insert(record.version.current_stage.as_deref().unwrap_or_default(), &record.version);
        }
        latest.into_values()
    }

    /// A version with the aliases that point at it.
    pub(super) fn with_aliases(&self, version: &ModelVersion) -> ModelVersion {
        let aliases = self.model.aliases.iter().filter(|alias| alias.version == version.version);
        ModelVersion { aliases: aliases.map(|alias| alias.alias.clone()).collect(), ..version.clone() }
    }
}

fn unknown(name: &RegisteredModelName) -> super::refusal::Refusal {
    absent(format!("Registered Model with name={name} not found"))
}

pub(super) fn registry_tag(tag: &Tag) -> Answer<()> {
    key("key", "key", &tag.key)?;
    length("value", REGISTERED_MODEL_TAG_VALUE_CHARACTERS, &tag.value)
}

/// A stage as the server writes it.
pub(super) fn canonical_stage(stage: &str) -> Answer<&'static str> {
    const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];
    STAGES.into_iter().find(|known| known.eq_ignore_ascii_case(stage)).ok_or_else(|| {
        invalid(format!("Invalid Model Version stage: {stage}. Value must be one of {}.", STAGES.join(", ")))
    })
}
