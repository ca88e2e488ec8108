//! Experiments.

use mlflow_client::types::ExperimentId;
use mlflow_client::types::experiments::{
    CreateExperiment, DeleteExperiment, DeleteExperimentTag, Experiment, GetExperiment, GetExperimentByName,
    LifecycleStage, RestoreExperiment, SearchExperiments, SetExperimentTag, UpdateExperiment, ViewType,
};
use mlflow_client::types::tags::Tag;

use super::{Backend, unique};
use crate::support::check_code;

async fn get(backend: &Backend, experiment_id: &ExperimentId) -> Experiment {
    let call = GetExperiment { experiment_id: experiment_id.clone() };
    let mut found = backend.tracking.get_experiment(&call).await.unwrap();
    found.tags.sort();
    found
}

pub(super) async fn one_is_found_by_its_id_and_by_its_name(backend: &Backend) {
    let call = CreateExperiment {
        name: unique("größe 𝄞"),
        artifact_location: Some("s3://bucket/root".into()),
        tags: vec![Tag::new("team", "search"), Tag::new("line", "one\ntwo")],
    };
    let id = backend.tracking.create_experiment(&call).await.unwrap();
    let found = get(backend, &id).await;
    assert_eq!((&found.experiment_id, &found.name), (&id, &call.name));
    assert_eq!(found.artifact_location, "s3://bucket/root");
    assert_eq!(found.lifecycle_stage, LifecycleStage::Active);
    assert_eq!(found.tags, [Tag::new("line", "one\ntwo"), Tag::new("team", "search")]);
    assert!(found.creation_time.is_some() && found.creation_time == found.last_update_time);

    let by_name = GetExperimentByName { experiment_name: call.name };
    let mut by_name = backend.tracking.get_experiment_by_name(&by_name).await.unwrap();
    by_name.tags.sort();
    assert_eq!(by_name, found);
}

pub(super) async fn a_name_is_given_once(backend: &Backend) {
    let call = CreateExperiment { name: unique("once"), ..CreateExperiment::default() };
    let id = backend.tracking.create_experiment(&call).await.unwrap();
    check_code(backend.tracking.create_experiment(&call).await, 400, "RESOURCE_ALREADY_EXISTS");
    let deleted = DeleteExperiment { experiment_id: id };
    backend.tracking.delete_experiment(&deleted).await.unwrap();
    check_code(backend.tracking.create_experiment(&call).await, 400, "RESOURCE_ALREADY_EXISTS");
    let nameless = CreateExperiment::default();
    check_code(backend.tracking.create_experiment(&nameless).await, 400, "INVALID_PARAMETER_VALUE");
}

pub(super) async fn what_is_not_there_is_said_to_be_missing(backend: &Backend) {
    let experiment_id: ExperimentId = "987654321".parse().unwrap();
    let call = GetExperiment { experiment_id: experiment_id.clone() };
    check_code(backend.tracking.get_experiment(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
    let call = GetExperimentByName { experiment_name: unique("nobody") };
    check_code(backend.tracking.get_experiment_by_name(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
    let call = DeleteExperiment { experiment_id: experiment_id.clone() };
    check_code(backend.tracking.delete_experiment(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
    let call = RestoreExperiment { experiment_id };
    check_code(backend.tracking.restore_experiment(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
}

pub(super) async fn one_is_deleted_and_restored(backend: &Backend) {
    let name = unique("gone");
    let call = CreateExperiment { name: name.clone(), ..CreateExperiment::default() };
    let experiment_id = backend.tracking.create_experiment(&call).await.unwrap();
    let seen = async |view_type: ViewType| {
        let filter = Some(format!("name = '{name}'"));
        let call = SearchExperiments { filter, view_type, ..SearchExperiments::default() };
        backend.tracking.search_experiments(&call).await.unwrap().experiments.len()
    };
    let everywhere = async || {
        [seen(ViewType::ActiveOnly).await, seen(ViewType::DeletedOnly).await, seen(ViewType::All).await]
    };
    assert_eq!(everywhere().await, [1, 0, 1]);
    let call = DeleteExperiment { experiment_id: experiment_id.clone() };
    backend.tracking.delete_experiment(&call).await.unwrap();
    assert_eq!(everywhere().await, [0, 1, 1]);
    assert_eq!(get(backend, &experiment_id).await.lifecycle_stage, LifecycleStage::Deleted);
    let call = RestoreExperiment { experiment_id: experiment_id.clone() };
    backend.tracking.restore_experiment(&call).await.unwrap();
    assert_eq!(everywhere().await, [1, 0, 1]);
}

pub(super) async fn one_is_renamed_and_tagged(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let new_name = unique("renamed");
    let call = UpdateExperiment { experiment_id: experiment_id.clone(), new_name: new_name.clone() };
    backend.tracking.update_experiment(&call).await.unwrap();
    for value in ["first", "second"] {
        let (key, value) = ("note".to_owned(), value.to_owned());
        let call = SetExperimentTag { experiment_id: experiment_id.clone(), key, value };
        backend.tracking.set_experiment_tag(&call).await.unwrap();
    }
    let found = get(backend, &experiment_id).await;
    assert_eq!((found.name, found.tags), (new_name, vec![Tag::new("note", "second")]));
}

pub(super) async fn a_tag_is_removed(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let (key, value) = ("note".to_owned(), "text".to_owned());
    let call = SetExperimentTag { experiment_id: experiment_id.clone(), key: key.clone(), value };
    backend.tracking.set_experiment_tag(&call).await.unwrap();
    let call = DeleteExperimentTag { experiment_id: experiment_id.clone(), key };
    backend.tracking.delete_experiment_tag(&call).await.unwrap();
    assert_eq!(get(backend, &experiment_id).await.tags, []);
    check_code(backend.tracking.delete_experiment_tag(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
}
