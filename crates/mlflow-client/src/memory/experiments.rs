//! Experiments.

use mlflow_types::ErrorCode;
use mlflow_types::ExperimentId;
use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, GetExperiment, GetExperimentByName,
    LifecycleStage, RestoreExperiment, SearchExperiments, SearchExperimentsResponse, SetExperimentTag,
    UpdateExperiment, ViewType,
};
use mlflow_types::filter::{Filter, OrderBy, Searched, compare_experiments};
use mlflow_types::limits::{EXPERIMENT_NAME_CHARACTERS, EXPERIMENT_TAG_VALUE_CHARACTERS, KEY_CHARACTERS};
use mlflow_types::tags::Tag;

use super::paging::{page, tracking_size};
use super::refusal::{Answer, absent, exists, failed, invalid, key, length, required};
use super::{State, stage};

impl State {
    pub(super) fn add_default_experiment(&mut self) {
        let now = self.tick();
        let Ok(experiment_id) = ExperimentId::try_new("0") else { return };
        let experiment = Experiment {
            artifact_location: format!("{}/0", self.artifact_root),
            experiment_id,
            name: "Default".to_owned(),
            lifecycle_stage: LifecycleStage::Active,
            creation_time: Some(now),
            last_update_time: Some(now),
            tags: Vec::new(),
            workspace: None,
        };
        self.experiments.insert(0, experiment);
    }

    pub(super) fn create_experiment(&mut self, call: &CreateExperiment) -> Answer<ExperimentId> {
        required("name", &call.name)?;
        length("name", EXPERIMENT_NAME_CHARACTERS, &call.name)?;
        call.tags.iter().try_for_each(experiment_tag)?;
        self.check_name_is_free(&call.name)?;
        let now = self.tick();
        let number = self.experiments.keys().last().map_or(0, |last| last + 1);
        let experiment_id =
            ExperimentId::try_new(number.to_string()).map_err(|error| invalid(error.to_string()))?;
        let location = call.artifact_location.clone().filter(|location| !location.is_empty());
        let experiment = Experiment {
            experiment_id: experiment_id.clone(),
            name: call.name.clone(),
            artifact_location: location.unwrap_or_else(|| format!("{}/{number}", self.artifact_root)),
            lifecycle_stage: LifecycleStage::Active,
            creation_time: Some(now),
            last_update_time: Some(now),
            tags: merged(&call.tags),
            workspace: None,
        };
        self.experiments.insert(number, experiment);
        Ok(experiment_id)
    }

    fn check_name_is_free(&self, name: &str) -> Answer<()> {
        if self.experiments.values().any(|experiment| experiment.name == name) {
            return Err(exists(format!("Experiment(name={name}) already exists.")));
        }
        Ok(())
    }

    pub(super) fn get_experiment(&self, call: &GetExperiment) -> Answer<Experiment> {
        self.experiment(&call.experiment_id).cloned()
    }

    pub(super) fn get_experiment_by_name(&self, call: &GetExperimentByName) -> Answer<Experiment> {
        required("experiment_name", &call.experiment_name)?;
        self.experiments
            .values()
            .find(|experiment| experiment.name == call.experiment_name)
            .cloned()
            .ok_or_else(|| absent(format!("Could not find experiment with name '{}'", call.experiment_name)))
    }

    pub(super) fn search_experiments(&self, call: &SearchExperiments) -> Answer<SearchExperimentsResponse> {
        let size = tracking_size(call.max_results)?;
        let filter = Filter::parse_optional(Searched::Experiments, call.filter.as_deref())?;
        let orders = OrderBy::parse_all(Searched::Experiments, &call.order_by)?;
        let mut found: Vec<&Experiment> = self
            .experiments
            .values()
            .filter(|experiment| in_view(experiment.lifecycle_stage, call.view_type))
            .filter(|experiment| filter.matches_experiment(experiment))
            .collect();
        found.sort_by(|left, right| compare_experiments(&orders, left, right));
        let (found, next_page_token) = page(found, call.page_token.as_deref(), size)?;
        Ok(SearchExperimentsResponse { experiments: found.into_iter().cloned().collect(), next_page_token })
    }

    pub(super) fn update_experiment(&mut self, call: &UpdateExperiment) -> Answer<()> {
        length("name", EXPERIMENT_NAME_CHARACTERS, &call.new_name)?;
        let now = self.tick();
        let same = self.experiment(&call.experiment_id)?.name == call.new_name;
        if !same {
            self.check_name_is_free(&call.new_name)?;
        }
        let experiment = self.experiment_mut(&call.experiment_id)?;
        if experiment.lifecycle_stage != LifecycleStage::Active {
            return Err(failed(ErrorCode::InvalidState, "Cannot rename a non-active experiment."));
        }
        experiment.name.clone_from(&call.new_name);
        experiment.last_update_time = Some(now);
        Ok(())
    }

    pub(super) fn delete_experiment(&mut self, call: &DeleteExperiment) -> Answer<()> {
        self.move_experiment(&call.experiment_id, LifecycleStage::Active, LifecycleStage::Deleted)
    }

    pub(super) fn restore_experiment(&mut self, call: &RestoreExperiment) -> Answer<()> {
        self.move_experiment(&call.experiment_id, LifecycleStage::Deleted, LifecycleStage::Active)
    }

    /// Moves an experiment with its runs from one stage to the other. What is not in the one is not found.
    fn move_experiment(&mut self, id: &ExperimentId, from: LifecycleStage, to: LifecycleStage) -> Answer<()> {
        let now = self.tick();
        let experiment = self.experiment_mut(id)?;
        if experiment.lifecycle_stage != from {
            return Err(no_experiment(id.as_str()));
        }
        experiment.lifecycle_stage = to;
        experiment.last_update_time = Some(now);
        for record in self.runs.values_mut().filter(|record| record.run.info.experiment_id == *id) {
            record.run.info.lifecycle_stage = to;
        }
        Ok(())
    }

    pub(super) fn set_experiment_tag(&mut self, call: &SetExperimentTag) -> Answer<()> {
        required("key", &call.key)?;
        let tag = Tag::new(&call.key, &call.value);
        experiment_tag(&tag)?;
        set(&mut self.active_experiment(&call.experiment_id)?.tags, tag);
        Ok(())
    }

    pub(super) fn delete_experiment_tag(&mut self, call: &DeleteExperimentTag) -> Answer<()> {
        required("key", &call.key)?;
        let tags = &mut self.active_experiment(&call.experiment_id)?.tags;
        let before = tags.len();
        tags.retain(|tag| tag.key != call.key);
        if tags.len() == before {
            return Err(absent(format!(
                "No tag with name: {} in experiment with id {}",
                call.key, call.experiment_id
            )));
        }
        Ok(())
    }

    pub(super) fn experiment(&self, id: &ExperimentId) -> Answer<&Experiment> {
        self.experiments.get(&number(id)?).ok_or_else(|| no_experiment(id.as_str()))
    }

    fn experiment_mut(&mut self, id: &ExperimentId) -> Answer<&mut Experiment> {
        self.experiments.get_mut(&number(id)?).ok_or_else(|| no_experiment(id.as_str()))
    }

    pub(super) fn active_experiment(&mut self, id: &ExperimentId) -> Answer<&mut Experiment> {
        let experiment = self.experiment_mut(id)?;
        if experiment.lifecycle_stage == LifecycleStage::Active {
            Ok(experiment)
        } else {
            Err(invalid(format!(
                "The experiment {id} must be in the 'active' state. Current state is {}.",
                stage(experiment.lifecycle_stage)
            )))
        }
    }
}

fn number(id: &ExperimentId) -> Answer<i64> {
    id.as_str()
        .parse()
        .map_err(|_| invalid(format!("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.")))
}

fn no_experiment(id: &str) -> super::refusal::Refusal {
    absent(format!("No Experiment with id={id} exists"))
}

/// Whether a search looks at this stage.
pub(super) fn in_view(stage: LifecycleStage, view: ViewType) -> bool {
    match view {
        ViewType::ActiveOnly => stage == LifecycleStage::Active,
        ViewType::DeletedOnly => stage == LifecycleStage::Deleted,
        ViewType::All => true,
    }
}

fn experiment_tag(tag: &Tag) -> Answer<()> {
    key("key", "key", &tag.key)?;
    length("key", KEY_CHARACTERS, &tag.key)?;
    length("value", EXPERIMENT_TAG_VALUE_CHARACTERS, &tag.value)
}

/// Sets a tag among others.
pub(super) fn set(tags: &mut Vec<Tag>, tag: Tag) {
    match tags.iter_mut().find(|known| known.key == tag.key) {
        Some(known) => known.value = tag.value,
        None => tags.push(tag),
    }
}

/// Tags where of those with one key the last counts.
pub(super) fn merged(tags: &[Tag]) -> Vec<Tag> {
    let mut merged = Vec::new();
    for tag in tags {
        set(&mut merged, tag.clone());
    }
    merged
}
