//! What the tests of more than one topic check.

use mlflow_client::types::ExperimentId;
use mlflow_client::types::experiments::CreateExperiment;
use mlflow_client::types::inputs::{Dataset, DatasetInput};
use mlflow_client::types::runs::{CreateRun, Run};
use mlflow_client::types::tags::Tag;
use mlflow_client::{Error, TrackingStore};

/// A moment that is no moment of a test: milliseconds since the Unix epoch.
pub(crate) const LONG_AGO: i64 = 1_700_000_000_000;

pub(crate) async fn experiment(store: &(impl TrackingStore + ?Sized), name: &str) -> ExperimentId {
    let call = CreateExperiment { name: name.to_owned(), ..CreateExperiment::default() };
    store.create_experiment(&call).await.unwrap()
}

/// A run that the store names.
pub(crate) async fn run(store: &(impl TrackingStore + ?Sized), experiment_id: &ExperimentId) -> Run {
    named_run(store, experiment_id, None).await
}

pub(crate) async fn named_run(
    store: &(impl TrackingStore + ?Sized),
    experiment_id: &ExperimentId,
    name: Option<&str>,
) -> Run {
    let call = CreateRun {
        experiment_id: experiment_id.clone(),
        user_id: "ann".to_owned(),
        run_name: name.map(str::to_owned),
        start_time: LONG_AGO,
        tags: Vec::new(),
    };
    store.create_run(&call).await.unwrap()
}

/// What a run read.
pub(crate) fn datasets() -> Vec<DatasetInput> {
    let dataset = Dataset {
        name: "sts".into(),
        digest: "0a1b2c".into(),
        source_type: "code".into(),
        source: "{\"tags\": {}}".into(),
        schema: Some("[]".into()),
        profile: None,
    };
    vec![DatasetInput { tags: vec![Tag::new("mlflow.data.context", "eval")], dataset }]
}

/// All pages of a search, one after the other; `page` gets the token of the one it is to ask for.
#[cfg(feature = "rest")]
pub(crate) async fn all_pages<T>(
    mut page: impl AsyncFnMut(Option<String>) -> (Vec<T>, Option<String>),
) -> Vec<T> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let (items, next) = page(token).await;
        all.extend(items);
        if next.is_none() {
            return all;
        }
        token = next;
    }
}

/// What a store refuses with: status, code and message.
#[track_caller]
pub(crate) fn check_refused<T: std::fmt::Debug>(
    answer: Result<T, Error>,
    status: u16,
    code: &str,
    message: &str,
) {
    let error = answer.unwrap_err();
    let said = error.as_api().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((said.status, said.code.as_str(), said.message.as_str()), (status, code, message));
}

/// What a store refuses with, where the words differ from one release to the next: status and code.
#[cfg(feature = "rest")]
#[track_caller]
pub(crate) fn check_code<T: std::fmt::Debug>(answer: Result<T, Error>, status: u16, code: &str) {
    let error = answer.unwrap_err();
    let said = error.as_api().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((said.status, said.code.as_str()), (status, code), "{error}");
}
