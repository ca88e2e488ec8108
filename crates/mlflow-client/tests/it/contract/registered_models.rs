//! Registered models and aliases.

use mlflow_client::types::model_versions::GetModelVersion;
use mlflow_client::types::registered_models::{
    CreateRegisteredModel, DeleteRegisteredModel, DeleteRegisteredModelAlias, DeleteRegisteredModelTag,
    GetModelVersionByAlias, GetRegisteredModel, RegisteredModel, RenameRegisteredModel,
    SetRegisteredModelAlias, SetRegisteredModelTag, UpdateRegisteredModel,
};
use mlflow_client::types::tags::Tag;
use mlflow_client::types::{ModelVersionNumber, RegisteredModelName};

use super::{Backend, unique};
use crate::support::{check_code, check_refused};

async fn get(backend: &Backend, name: &RegisteredModelName) -> RegisteredModel {
    let call = GetRegisteredModel { name: name.clone() };
    let mut found = backend.registry.get_registered_model(&call).await.unwrap();
    found.tags.sort();
    found.aliases.sort();
    found
}

pub(super) async fn one_is_what_it_was_created_as(backend: &Backend) {
    let call = CreateRegisteredModel {
        name: unique("größe 𝄞").parse().unwrap(),
        tags: vec![Tag::new("owner", "search")],
        description: Some("Encodes.\nWell.".into()),
    };
    let created = backend.registry.create_registered_model(&call).await.unwrap();
    let found = get(backend, &call.name).await;
    assert_eq!((&found.name, &created.name), (&call.name, &call.name));
    assert_eq!((found.tags, found.description), (call.tags, call.description));
    assert!(found.aliases.is_empty() && found.latest_versions.is_empty());
    assert!(found.creation_timestamp.is_some());
}

pub(super) async fn a_name_is_given_once(backend: &Backend) {
    let name = backend.registered_model().await;
    let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
    check_code(backend.registry.create_registered_model(&call).await, 400, "RESOURCE_ALREADY_EXISTS");
    let new_name = backend.registered_model().await;
    let call = RenameRegisteredModel { name, new_name };
    check_code(backend.registry.rename_registered_model(&call).await, 400, "RESOURCE_ALREADY_EXISTS");
}

pub(super) async fn one_is_renamed_described_and_tagged(backend: &Backend) {
    let old = backend.registered_model().await;
    backend.version(&old).await;
    let name: RegisteredModelName = unique("renamed").parse().unwrap();
    let call = RenameRegisteredModel { name: old.clone(), new_name: name.clone() };
    backend.registry.rename_registered_model(&call).await.unwrap();
    let gone = GetRegisteredModel { name: old };
    check_code(backend.registry.get_registered_model(&gone).await, 404, "RESOURCE_DOES_NOT_EXIST");
    let call = UpdateRegisteredModel { name: name.clone(), description: "New.".into() };
    backend.registry.update_registered_model(&call).await.unwrap();
    for (key, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
        let call = SetRegisteredModelTag { name: name.clone(), key: key.into(), value: value.into() };
        backend.registry.set_registered_model_tag(&call).await.unwrap();
    }
    let call = DeleteRegisteredModelTag { name: name.clone(), key: "b".into() };
    backend.registry.delete_registered_model_tag(&call).await.unwrap();
    let found = get(backend, &name).await;
    assert_eq!((found.description.as_deref(), found.tags), (Some("New."), vec![Tag::new("a", "3")]));
    let versions: Vec<_> =
        found.latest_versions.iter().map(|version| (&version.name, version.version.get())).collect();
    assert_eq!(versions, [(&name, 1)]);
}

pub(super) async fn aliases_point_at_versions(backend: &Backend) {
    let name = backend.registered_model().await;
    backend.version(&name).await;
    backend.version(&name).await;
    let set = async |alias: &str, version: u32| {
        let (alias, version) = (alias.parse().unwrap(), ModelVersionNumber::new(version));
        let call = SetRegisteredModelAlias { name: name.clone(), alias, version };
        backend.registry.set_registered_model_alias(&call).await
    };
    let find = async |alias: &str| {
        let call = GetModelVersionByAlias { name: name.clone(), alias: alias.parse().unwrap() };
        backend.registry.get_model_version_by_alias(&call).await
    };
    set("champion", 1).await.unwrap();
    set("challenger", 2).await.unwrap();
    assert_eq!(find("champion").await.unwrap().version.get(), 1);
    set("champion", 2).await.unwrap();
    let mut found = find("champion").await.unwrap();
    found.aliases.sort();
    assert_eq!(
        (found.version.get(), found.aliases),
        (2, vec!["challenger".to_owned(), "champion".to_owned()])
    );
    let aliases: Vec<_> = get(backend, &name)
        .await
        .aliases
        .into_iter()
        .map(|alias| (alias.alias, alias.version.get()))
        .collect();
    assert_eq!(aliases, [("challenger".to_owned(), 2), ("champion".to_owned(), 2)]);
    check_code(set("champion", 9).await, 404, "RESOURCE_DOES_NOT_EXIST");

    let call = DeleteRegisteredModelAlias { name: name.clone(), alias: "champion".parse().unwrap() };
    backend.registry.delete_registered_model_alias(&call).await.unwrap();
    let missing = find("champion").await;
    assert!(missing.as_ref().unwrap_err().is_not_found());
    check_refused(missing, 400, "INVALID_PARAMETER_VALUE", "Registered model alias champion not found.");
}

pub(super) async fn what_is_deleted_is_gone_with_its_versions(backend: &Backend) {
    let name = backend.registered_model().await;
    backend.version(&name).await;
    let call = DeleteRegisteredModel { name: name.clone() };
    backend.registry.delete_registered_model(&call).await.unwrap();
    check_refused(
        backend.registry.get_registered_model(&GetRegisteredModel { name: name.clone() }).await,
        404,
        "RESOURCE_DOES_NOT_EXIST",
        &format!("Registered Model with name={name} not found"),
    );
    check_code(backend.registry.delete_registered_model(&call).await, 404, "RESOURCE_DOES_NOT_EXIST");
    let version = GetModelVersion { name: name.clone(), version: ModelVersionNumber::new(1) };
    check_code(backend.registry.get_model_version(&version).await, 404, "RESOURCE_DOES_NOT_EXIST");
    // The name is free again, and its numbers begin anew.
    let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
    backend.registry.create_registered_model(&call).await.unwrap();
    assert_eq!(backend.version(&name).await.version.get(), 1);
}
