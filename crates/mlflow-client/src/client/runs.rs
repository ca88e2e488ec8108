//! Runs, as a program looks at them; what is logged to one is the business of `ActiveRun`.

use futures::FutureExt;
use futures::stream::BoxStream;
use mlflow_types::RunId;
use mlflow_types::metrics::{GetMetricHistory, Metric};
use mlflow_types::runs::{DeleteRun, GetRun, RestoreRun, Run, RunInfo, SearchRuns, SetTag, UpdateRun};

use super::pages;
use crate::{Result, TrackingStore};

/// A view of a [`Client`](super::Client) that only speaks of runs.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    pub(super) store: &'a dyn TrackingStore,
}

impl<'a> Runs<'a> {
    /// The run with an identifier.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, id: &RunId) -> Result<Run> {
        self.store.get_run(&GetRun { run_id: id.clone() }).await
    }

    /// Runs that fit a search, one after the other; pages are asked for as they are needed.
    pub fn search(self, call: SearchRuns) -> BoxStream<'a, Result<Run>> {
        let store = self.store;
        pages::items("runs/search", move |token| {
            let call = SearchRuns { page_token: token.or_else(|| call.page_token.clone()), ..call.clone() };
            async move {
                let page = store.search_runs(&call).await?;
                Ok((page.runs, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Every value that was logged under one key, the oldest first.
    pub fn metric_history(self, id: &RunId, key: &str) -> BoxStream<'a, Result<Metric>> {
        let store = self.store;
        let call = GetMetricHistory {
            run_id: id.clone(),
            metric_key: key.to_owned(),
            max_results: Some(25_000),
            page_token: None,
        };
        pages::items("metrics/get-history", move |token| {
            let call = GetMetricHistory { page_token: token, ..call.clone() };
            async move {
                let page = store.get_metric_history(&call).await?;
                Ok((page.metrics, page.next_page_token))
            }
            .boxed()
        })
    }

    /// Changes a run's status, end or name.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn update(self, call: &UpdateRun) -> Result<RunInfo> {
        self.store.update_run(call).await
    }

    /// Deletes a run; [`restore`](Self::restore) brings it back.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn delete(self, id: &RunId) -> Result<()> {
        self.store.delete_run(&DeleteRun { run_id: id.clone() }).await
    }

    /// Brings a deleted run back.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn restore(self, id: &RunId) -> Result<()> {
        self.store.restore_run(&RestoreRun { run_id: id.clone() }).await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn set_tag(self, id: &RunId, key: &str, value: &str) -> Result<()> {
        let call = SetTag { run_id: id.clone(), key: key.to_owned(), value: value.to_owned() };
        self.store.set_tag(&call).await
    }
}
