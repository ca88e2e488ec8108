//! Logged models.

use mlflow_types::filter::{Filter, Searched, compare_logged_models};
use mlflow_types::logged_models::{
    CreateLoggedModel, DeleteLoggedModel, DeleteLoggedModelTag, FinalizeLoggedModel, GetLoggedModel,
    LogLoggedModelParams, LoggedModel, LoggedModelData, LoggedModelInfo, LoggedModelOrder, LoggedModelStatus,
    SearchLoggedModels, SearchLoggedModelsResponse, SetLoggedModelTags,
};
use mlflow_types::tags::Param;
use mlflow_types::{ErrorCode, ModelId};

use super::experiments::{merged, set};
use super::paging::page;
use super::refusal::{Answer, absent, failed, invalid, required};
use super::{LoggedModelRecord, State, random_name};

/// Logged models a page, when the call does not say.
const PAGE: u32 = 100;

impl State {
    pub(super) fn create_logged_model(&mut self, call: &CreateLoggedModel) -> Answer<LoggedModel> {
        let artifacts = self.active_experiment(&call.experiment_id)?.artifact_location.clone();
        unique(&[], &call.params)?;
        let now = self.tick();
        let model_id = ModelId::try_new(format!("m-{}", uuid::Uuid::new_v4().simple()))
            .map_err(|error| invalid(error.to_string()))?;
        let model = LoggedModel {
            info: LoggedModelInfo {
                model_id: model_id.clone(),
                experiment_id: call.experiment_id.clone(),
                name: call.name.as_ref().map_or_else(random_name, ToString::to_string),
                creation_timestamp_ms: Some(now),
                last_updated_timestamp_ms: Some(now),
                artifact_uri: format!("{artifacts}/models/{model_id}/artifacts"),
                status: LoggedModelStatus::Pending,
                model_type: call.model_type.clone().filter(|word| !word.is_empty()),
                source_run_id: call.source_run_id.as_ref().map(ToString::to_string),
                status_message: None,
                tags: merged(&call.tags),
            },
            data: LoggedModelData { params: call.params.clone(), metrics: Vec::new() },
        };
        self.logged_models.insert(model_id, LoggedModelRecord { model: model.clone(), deleted: false });
        Ok(model)
    }

    pub(super) fn get_logged_model(&self, call: &GetLoggedModel) -> Answer<LoggedModel> {
        self.logged_models
            .get(&call.model_id)
            .filter(|record| !record.deleted)
            .map(|record| record.model.clone())
            .ok_or_else(|| no_model(&call.model_id))
    }

    pub(super) fn finalize_logged_model(&mut self, call: &FinalizeLoggedModel) -> Answer<LoggedModel> {
        let now = self.tick();
        let model = &mut self.logged_model_record(&call.model_id)?.model;
        model.info.status = call.status;
        model.info.last_updated_timestamp_ms = Some(now);
        Ok(model.clone())
    }

    pub(super) fn delete_logged_model(&mut self, call: &DeleteLoggedModel) -> Answer<()> {
        let now = self.tick();
        let record = self.logged_model_record(&call.model_id)?;
        record.deleted = true;
        record.model.info.last_updated_timestamp_ms = Some(now);
        Ok(())
    }

    pub(super) fn log_logged_model_params(&mut self, call: &LogLoggedModelParams) -> Answer<()> {
        let params = &mut self.logged_model_record(&call.model_id)?.model.data.params;
        unique(params, &call.params)?;
        params.extend(call.params.iter().cloned());
        Ok(())
    }

    pub(super) fn set_logged_model_tags(&mut self, call: &SetLoggedModelTags) -> Answer<()> {
        let tags = &mut self.logged_model_record(&call.model_id)?.model.info.tags;
        call.tags.iter().for_each(|tag| set(tags, tag.clone()));
        Ok(())
    }

    pub(super) fn delete_logged_model_tag(&mut self, call: &DeleteLoggedModelTag) -> Answer<()> {
        let tags = &mut self.logged_model_record(&call.model_id)?.model.info.tags;
        let before = tags.len();
        tags.retain(|tag| tag.key != call.tag_key);
        if tags.len() == before {
            return Err(absent(format!(
                "No tag with key '{}' found for model with ID '{}'.",
                call.tag_key, call.model_id
            )));
        }
        Ok(())
    }

    pub(super) fn search_logged_models(
        &self,
        call: &SearchLoggedModels,
    ) -> Answer<SearchLoggedModelsResponse> {
        if call.experiment_ids.is_empty() {
            return required("experiment_ids", "").map(|()| SearchLoggedModelsResponse::default());
        }
        if call.datasets.iter().any(|dataset| dataset.dataset_name.is_empty()) {
            return Err(invalid("`dataset_name` in the `datasets` clause must be specified."));
        }
        call.order_by.iter().try_for_each(order_fits)?;
        let filter = Filter::parse_optional(Searched::LoggedModels, call.filter.as_deref())?;
        let mut found: Vec<&LoggedModel> = self
            .logged_models
            .values()
            .filter(|record| !record.deleted)
            .map(|record| &record.model)
            .filter(|model| call.experiment_ids.contains(&model.info.experiment_id))
            .filter(|model| filter.matches_logged_model(model, &call.datasets))
            .collect();
        found.sort_by(|left, right| compare_logged_models(&call.order_by, left, right));
        let size = call.max_results.filter(|size| *size > 0).unwrap_or(PAGE);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (found, next_page_token) = page(found, call.page_token.as_deref(), size)?;
        Ok(SearchLoggedModelsResponse { models: found.into_iter().cloned().collect(), next_page_token })
    }

    /// A logged model, deleted or not.
    fn logged_model_record(&mut self, id: &ModelId) -> Answer<&mut LoggedModelRecord> {
        self.logged_models.get_mut(id).ok_or_else(|| no_model(id))
    }
}

pub(super) fn no_model(id: &ModelId) -> super::refusal::Refusal {
    absent(format!("Logged model with ID '{id}' not found."))
}

/// A param is set once; the database itself refuses another.
fn unique(known: &[Param], new: &[Param]) -> Answer<()> {
    let repeated = new.iter().enumerate().find(|(index, param)| {
        known.iter().chain(new.iter().take(*index)).any(|earlier| earlier.key == param.key)
    });
    match repeated {
        None => Ok(()),
        Some((_, param)) => Err(failed(
            ErrorCode::BadRequest,
            format!("UNIQUE constraint failed: the param '{}' is there already", param.key),
        )),
    }
}

fn order_fits(order: &LoggedModelOrder) -> Answer<()> {
    let field = order.field_name.as_str();
    match field.split_once('.') {
        Some(("metrics", _)) => Ok(()),
        Some(_) => Err(invalid(format!("Invalid order by field name: {field}. Only metrics are supported."))),
        None => Searched::LoggedModels
            .order_attribute(field)
            .map(drop)
            .ok_or_else(|| invalid(format!("Invalid order by field name: {field}"))),
    }
}
