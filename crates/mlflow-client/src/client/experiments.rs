//! Experiments, as a program uses them.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::experiments::{
    CreateExperiment, DeleteExperiment, Experiment, GetExperiment, GetExperimentByName, LifecycleStage,
    RestoreExperiment, SearchExperiments, SetExperimentTag, UpdateExperiment,
};
use mlflow_types::{Endpoint, ErrorCode, ExperimentId};

use super::pages;
use crate::{Error, Result, TrackingStore};

/// A view of a [`Client`](super::Client) that only speaks of experiments.
#[derive(Clone, Copy, Debug)]
pub struct Experiments<'a> {
    pub(super) store: &'a dyn TrackingStore,
}

impl<'a> Experiments<'a> {
    /// The experiment with an identifier.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, id: &ExperimentId) -> Result<Experiment> {
        self.store.get_experiment(&GetExperiment { experiment_id: id.clone() }).await
    }

    /// The experiment with a name, deleted or not; `None` if there is none.
    ///
    /// # Errors
    /// Whatever the store answers but that there is none.
    pub async fn by_name(self, name: &str) -> Result<Option<Experiment>> {
        match self
            .store
            .get_experiment_by_name(&GetExperimentByName { experiment_name: name.to_owned() })
            .await
        {
            Ok(experiment) => Ok(Some(experiment)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The experiment with a name, which is created if there is none: Python's `set_experiment`.
    ///
    /// # Errors
    /// Whatever the store answers; a deleted experiment keeps its name, and is refused.
    pub async fn get_or_create(self, name: &str) -> Result<Experiment> {
        if let Some(experiment) = self.by_name(name).await? {
            return in_use(experiment);
        }
        match self
            .store
            .create_experiment(&CreateExperiment { name: name.to_owned(), ..Default::default() })
            .await
        {
            Ok(id) => self.get(&id).await,
            // Somebody else was faster.
            Err(error) if error.is_already_exists() => match self.by_name(name).await? {
                Some(experiment) => in_use(experiment),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Creates an experiment.
    ///
    /// # Errors
    /// A refusal that [`is_already_exists`](crate::Error::is_already_exists) if the name is taken.
    pub async fn create(self, call: &CreateExperiment) -> Result<ExperimentId> {
        self.store.create_experiment(call).await
    }

    /// Experiments that fit a search, one after the other; pages are asked for as they are needed.
    pub fn search(self, call: SearchExperiments) -> BoxStream<'a, Result<Experiment>> {
        let store = self.store;
        pages::items("experiments/search", move |token| {
            let call =
                SearchExperiments { page_token: token.or_else(|| call.page_token.clone()), ..call.clone() };
            async move {
                let page = store.search_experiments(&call).await?;
                Ok((page.experiments, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Gives an experiment another name.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn rename(self, id: &ExperimentId, new_name: &str) -> Result<()> {
        let call = UpdateExperiment { experiment_id: id.clone(), new_name: new_name.to_owned() };
        self.store.update_experiment(&call).await
    }

    /// Deletes an experiment and its runs; [`restore`](Self::restore) brings them back.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete(self, id: &ExperimentId) -> Result<()> {
        self.store.delete_experiment(&DeleteExperiment { experiment_id: id.clone() }).await
    }

    /// Brings a deleted experiment back.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn restore(self, id: &ExperimentId) -> Result<()> {
        self.store.restore_experiment(&RestoreExperiment { experiment_id: id.clone() }).await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_tag(self, id: &ExperimentId, key: &str, value: &str) -> Result<()> {
        let call =
            SetExperimentTag { experiment_id: id.clone(), key: key.to_owned(), value: value.to_owned() };
        self.store.set_experiment_tag(&call).await
    }
}

fn in_use(experiment: Experiment) -> Result<Experiment> {
    match experiment.lifecycle_stage {
        LifecycleStage::Active => Ok(experiment),
        LifecycleStage::Deleted => Err(Error::api(
            GetExperimentByName::PATH,
            400,
            ErrorCode::InvalidParameterValue,
            format!("experiment '{}' is deleted: restore it or choose another name", experiment.name),
        )),
    }
}
