//! Versions of registered models.

use mlflow_client::types::model_versions::{
    CreateModelVersion, DeleteModelVersion, DeleteModelVersionTag, GetModelVersion,
    GetModelVersionDownloadUri, ModelVersion, ModelVersionStatus, SearchModelVersions, SetModelVersionTag,
    TransitionModelVersionStage, UpdateModelVersion,
};
use mlflow_client::types::registered_models::GetLatestVersions;
use mlflow_client::types::tags::Tag;
use mlflow_client::types::{ModelVersionNumber, RegisteredModelName};

use super::{Backend, unique, version_of};
use crate::support::{all_pages, check_code, check_refused};

async fn get(backend: &Backend, name: &RegisteredModelName, version: u32) -> ModelVersion {
    let call = GetModelVersion { name: name.clone(), version: ModelVersionNumber::new(version) };
    let mut found = backend.registry.get_model_version(&call).await.unwrap();
    found.tags.sort();
    found
}

pub(super) async fn numbers_go_on(backend: &Backend) {
    let name = backend.registered_model().await;
    let first = backend.version(&name).await;
    assert_eq!((first.version.get(), first.status), (1, ModelVersionStatus::Ready));
    assert_eq!(first.source, "s3://bucket/model");
    assert_eq!(backend.version(&name).await.version.get(), 2);
    assert_eq!(backend.version(&name).await.version.get(), 3);
    let call = DeleteModelVersion { name: name.clone(), version: ModelVersionNumber::new(2) };
    backend.registry.delete_model_version(&call).await.unwrap();
    check_refused(
        backend.registry.delete_model_version(&call).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        &format!("Model Version (name={name}, version=2) not found"),
    );
    assert_eq!(backend.version(&name).await.version.get(), 4);
    let call = GetModelVersionDownloadUri { name: name.clone(), version: ModelVersionNumber::new(3) };
    assert_eq!(backend.registry.get_model_version_download_uri(&call).await.unwrap(), "s3://bucket/model");
}

pub(super) async fn one_is_described_and_tagged(backend: &Backend) {
    let name = backend.registered_model().await;
    let call = CreateModelVersion {
        tags: vec![Tag::new("a", "1"), Tag::new("b", "2")],
        description: Some("First.".into()),
        ..version_of(&name)
    };
    let created = backend.registry.create_model_version(&call).await.unwrap();
    let found = get(backend, &name, 1).await;
    assert_eq!((created.version, created.description.as_deref()), (found.version, Some("First.")));
    assert_eq!(found.tags, call.tags);

    let version = ModelVersionNumber::new(1);
    let call = UpdateModelVersion { name: name.clone(), version, description: "Again.".into() };
    backend.registry.update_model_version(&call).await.unwrap();
    let call = SetModelVersionTag { name: name.clone(), version, key: "a".into(), value: "3".into() };
    backend.registry.set_model_version_tag(&call).await.unwrap();
    let call = DeleteModelVersionTag { name: name.clone(), version, key: "b".into() };
    backend.registry.delete_model_version_tag(&call).await.unwrap();
    let found = get(backend, &name, 1).await;
    assert_eq!((found.description.as_deref(), found.tags), (Some("Again."), vec![Tag::new("a", "3")]));
    assert_eq!((found.run_id, found.model_id), (None, None));
}

pub(super) async fn stages_move_and_archive(backend: &Backend) {
    let name = backend.registered_model().await;
    backend.version(&name).await;
    backend.version(&name).await;
    let to = async |version: u32, stage: &str| {
        let call = TransitionModelVersionStage {
            name: name.clone(),
            version: ModelVersionNumber::new(version),
            stage: stage.into(),
            archive_existing_versions: stage != "Archived",
        };
        backend.registry.transition_model_version_stage(&call).await
    };
    let stages = async || {
        let stage = |version: ModelVersion| version.current_stage.unwrap_or_default();
        [stage(get(backend, &name, 1).await), stage(get(backend, &name, 2).await)]
    };
    assert_eq!(stages().await, ["None", "None"]);
    to(1, "production").await.unwrap();
    assert_eq!(stages().await, ["Production", "None"]);
    to(2, "Production").await.unwrap();
    assert_eq!(stages().await, ["Archived", "Production"]);
    check_code(to(2, "elsewhere").await, 400, "INVALID_PARAMETER_VALUE");
    let call = GetLatestVersions { name: name.clone(), stages: vec!["Production".into()] };
    let latest = backend.registry.get_latest_versions(&call).await.unwrap();
    assert_eq!(latest.iter().map(|version| version.version.get()).collect::<Vec<_>>(), [2]);
}

pub(super) async fn they_are_found_by_name(backend: &Backend) {
    let name = backend.registered_model().await;
    for _ in 0..3 {
        backend.version(&name).await;
    }
    let call = SearchModelVersions {
        filter: Some(format!("name = '{name}'")),
        max_results: Some(2),
        order_by: vec!["version_number ASC".into()],
        page_token: None,
    };
    let found = all_pages(async |page_token| {
        let call = SearchModelVersions { page_token, ..call.clone() };
        let page = backend.registry.search_model_versions(&call).await.unwrap();
        assert!(page.model_versions.len() <= 2);
        (page.model_versions, page.next_page_token)
    })
    .await;
    assert_eq!(found.iter().map(|version| version.version.get()).collect::<Vec<_>>(), [1, 2, 3]);
}

pub(super) async fn what_is_not_there_is_said_to_be_missing(backend: &Backend) {
    let name: RegisteredModelName = unique("nobody").parse().unwrap();
    check_code(
        backend.registry.create_model_version(&version_of(&name)).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
    );
    let name = backend.registered_model().await;
    let version = ModelVersionNumber::new(7);
    let call = GetModelVersion { name: name.clone(), version };
    check_refused(
        backend.registry.get_model_version(&call).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        &format!("Model Version (name={name}, version=7) not found"),
    );
    let call = UpdateModelVersion { name, version, description: "x".into() };
    check_code(backend.registry.update_model_version(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
}
