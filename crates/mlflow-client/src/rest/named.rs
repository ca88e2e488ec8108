//! Experiments, registered models and their versions: what a look finds by its name or number.
//!
//! What is found under the name counts as ours when it is as we wanted it. If somebody else made the very same thing at the
//! same time, either answer is right; if theirs differs, the next attempt is refused with their name, as it should be.

use mlflow_types::ExperimentId;
use mlflow_types::experiments::{CreateExperiment, GetExperimentByName, LifecycleStage};
use mlflow_types::model_versions::{CreateModelVersion, ModelVersion, SearchModelVersions};
use mlflow_types::registered_models::{
    CreateRegisteredModel, GetRegisteredModel, RegisteredModel, RenameRegisteredModel,
};
use mlflow_types::tags::Tag;

use super::RestStore;
use super::careful::{Careful, Sent, quoted};
use crate::Result;

/// Milliseconds by which a server's clock, known to the second, may seem to be behind.
pub(super) const CLOCK_ERROR: i64 = 2000;
/// Versions that are looked through for a new one, from the newest on.
const NEWEST: u32 = 100;

impl RestStore {
    pub(crate) async fn create_experiment_once(&self, call: &CreateExperiment) -> Result<ExperimentId> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.experiment_id),
                Sent::Unknown => {
                    if let Some(id) = careful.seen(self.find_experiment(call).await)? {
                        return Ok(id);
                    }
                }
            }
        }
    }

    async fn find_experiment(&self, call: &CreateExperiment) -> Result<Option<ExperimentId>> {
        let look = self.call(&GetExperimentByName { experiment_name: call.name.clone() }).await;
        let found = absent(look)?.map(|answer| answer.experiment);
        Ok(found
            .filter(|found| {
                found.lifecycle_stage == LifecycleStage::Active
                    && call.artifact_location.as_ref().is_none_or(|place| *place == found.artifact_location)
                    && has_all(&found.tags, &call.tags)
            })
            .map(|found| found.experiment_id))
    }

    pub(crate) async fn create_registered_model_once(
        &self,
        call: &CreateRegisteredModel,
    ) -> Result<RegisteredModel> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.registered_model),
                Sent::Unknown => {
                    let look = self.call(&GetRegisteredModel { name: call.name.clone() }).await;
                    let found = careful.seen(absent(look))?.map(|answer| answer.registered_model);
                    if let Some(found) = found
                        && same_text(found.description.as_deref(), call.description.as_deref())
                        && has_all(&found.tags, &call.tags)
                    {
                        return Ok(found);
                    }
                }
            }
        }
    }

    pub(crate) async fn rename_registered_model_once(
        &self,
        call: &RenameRegisteredModel,
    ) -> Result<RegisteredModel> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.registered_model),
                Sent::Unknown => {
                    if let Some(renamed) = careful.seen(self.find_renamed(call).await)? {
                        return Ok(renamed);
                    }
                }
            }
        }
    }

    async fn find_renamed(&self, call: &RenameRegisteredModel) -> Result<Option<RegisteredModel>> {
        let old = absent(self.call(&GetRegisteredModel { name: call.name.clone() }).await)?;
        let new = absent(self.call(&GetRegisteredModel { name: call.new_name.clone() }).await)?;
        Ok(new.filter(|_| old.is_none()).map(|answer| answer.registered_model))
    }

    pub(crate) async fn create_model_version_once(&self, call: &CreateModelVersion) -> Result<ModelVersion> {
        let begin = self.session().clock().elapsed();
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.model_version),
                Sent::Unknown => {
                    let found = self.find_version(call).await.map(|versions| {
                        let spent = self.session().clock().elapsed().saturating_sub(begin);
                        let spent = i64::try_from(spent.as_millis()).unwrap_or(i64::MAX);
                        let since = self.session().server_time().saturating_sub(spent) - CLOCK_ERROR;
                        versions.into_iter().find(|there| there.creation_timestamp >= Some(since))
                    });
                    if let Some(version) = careful.seen(found)? {
                        return Ok(version);
                    }
                }
            }
        }
    }

    /// The newest versions that are as the call wants one. An older one may be as well: the caller compares the times.
    async fn find_version(&self, call: &CreateModelVersion) -> Result<Vec<ModelVersion>> {
        let search = SearchModelVersions {
            filter: Some(format!("name = {}", quoted(call.name.as_str()))),
            max_results: Some(NEWEST),
            order_by: vec!["version_number DESC".into()],
            page_token: None,
        };
        let wanted = |there: &ModelVersion| {
            // A server fills in the run of a logged model.
            let run = call.run_id.as_ref().map(AsRef::as_ref);
            there.source == call.source
                && (run.is_none() || run == there.run_id.as_deref())
                && same_text(there.description.as_deref(), call.description.as_deref())
                && has_all(&there.tags, &call.tags)
        };
        Ok(self.call(&search).await?.model_versions.into_iter().filter(wanted).collect())
    }
}

/// A look that found nothing has seen something.
pub(super) fn absent<T>(look: Result<T>) -> Result<Option<T>> {
    match look {
        Err(error) if error.is_not_found() => Ok(None),
        look => look.map(Some),
    }
}

/// Servers write an absent text as an empty one, or the reverse.
pub(super) fn same_text(there: Option<&str>, ours: Option<&str>) -> bool {
    there.unwrap_or_default() == ours.unwrap_or_default()
}

fn has_all(there: &[Tag], ours: &[Tag]) -> bool {
    ours.iter().all(|tag| there.contains(tag))
}
