//! Permissions in one table, as MLflow 3.17 keeps them.

use mlflow_client::types::permissions::{Permission, Resource, ResourceType};

use super::{PASSWORD, admin, as_user, experiment, registered_model, user};
use crate::support::{check_code, check_refused};

#[tokio::test]
async fn what_is_granted_is_found_and_holds() {
    let admin = admin();
    let (username, id) = (user(&admin).await, experiment(&admin).await);
    let (ann, resource) = (as_user(username.as_str(), PASSWORD), Resource::experiment(&id));
    // By default everybody reads, and nobody changes.
    let before = admin.permissions().get(&username, &resource).await.unwrap();
    assert_eq!((before.permission, before.allowed), (Permission::Read, false));
    assert!(ann.experiments().set_tag(&id, "key", "value").await.unwrap_err().is_denied());
    admin.permissions().grant(&username, &resource, Permission::Edit).await.unwrap();
    let after = admin.permissions().get(&username, &resource).await.unwrap();
    assert_eq!((after.permission, after.allowed), (Permission::Edit, true));
    ann.experiments().set_tag(&id, "key", "value").await.unwrap();
    let rows = admin.permissions().list(&username).await.unwrap();
    let row = rows.iter().find(|row| row.is_about(&resource)).unwrap();
    assert!(row.is_personal() && row.permission == Permission::Edit, "{row:?}");
}

#[tokio::test]
async fn each_permission_of_a_grant_is_one_to_the_server() {
    let admin = admin();
    let (username, name) = (user(&admin).await, registered_model(&admin).await);
    let resource = Resource::registered_model(&name);
    for permission in
        [Permission::Read, Permission::Use, Permission::Edit, Permission::Manage, Permission::Deny]
    {
        admin.permissions().replace(&username, &resource, permission).await.unwrap();
        let found = admin.permissions().get(&username, &resource).await.unwrap();
        assert_eq!(found.permission, permission);
    }
    let refused = admin.permissions().replace(&username, &resource, Permission::NoPermissions).await;
    check_code(refused, 400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn a_grant_is_made_once_and_taken_away_once() {
    let admin = admin();
    let (username, id) = (user(&admin).await, experiment(&admin).await);
    let resource = Resource::experiment(&id);
    admin.permissions().grant(&username, &resource, Permission::Manage).await.unwrap();
    let again = admin.permissions().grant(&username, &resource, Permission::Read).await;
    assert!(again.as_ref().unwrap_err().is_already_exists());
    let message = format!(
        "Permission for user={username} on resource_type=experiment, resource_id={id} already exists."
    );
    check_refused(again, 400, "RESOURCE_ALREADY_EXISTS", &message);
    admin.permissions().revoke(&username, &resource).await.unwrap();
    assert!(admin.permissions().revoke(&username, &resource).await.unwrap_err().is_not_found());
    assert!(admin.permissions().list(&username).await.unwrap().iter().all(|row| !row.is_about(&resource)));
}

#[tokio::test]
async fn everything_of_a_kind_is_granted_at_once() {
    let admin = admin();
    let username = user(&admin).await;
    let kinds = [
        ResourceType::Experiment,
        ResourceType::RegisteredModel,
        ResourceType::Prompt,
        ResourceType::Scorer,
        ResourceType::GatewaySecret,
        ResourceType::GatewayEndpoint,
        ResourceType::GatewayModelDefinition,
        ResourceType::McpServer,
        ResourceType::Run,
        ResourceType::Trace,
        ResourceType::Assessment,
        ResourceType::LoggedModel,
        ResourceType::ReviewQueue,
        ResourceType::RegisteredModelVersion,
        ResourceType::PromptVersion,
        ResourceType::ScorerVersion,
        ResourceType::McpServerVersion,
    ];
    for kind in kinds {
        admin.permissions().grant(&username, &Resource::all(kind), Permission::Use).await.unwrap();
    }
    let rows = admin.permissions().list(&username).await.unwrap();
    assert!(kinds.iter().all(|kind| rows.iter().any(|row| row.is_about(&Resource::all(*kind)))), "{rows:?}");
    let workspace = Resource::all(ResourceType::Workspace);
    let refused = admin.permissions().grant(&username, &workspace, Permission::Use);
    check_code(refused.await, 400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn only_who_manages_it_grants_it() {
    let admin = admin();
    let (username, other, id) = (user(&admin).await, user(&admin).await, experiment(&admin).await);
    let (ann, resource) = (as_user(username.as_str(), PASSWORD), Resource::experiment(&id));
    let refused = ann.permissions().grant(&other, &resource, Permission::Read).await.unwrap_err();
    assert!(refused.is_denied(), "{refused:?}");
    admin.permissions().grant(&username, &resource, Permission::Manage).await.unwrap();
    ann.permissions().grant(&other, &resource, Permission::Use).await.unwrap();
    let found = admin.permissions().get(&other, &resource).await.unwrap();
    assert_eq!(found.permission, Permission::Use);
}

/// The routes of older servers are gone, and that is told apart from a permission that is not there.
#[tokio::test]
async fn the_older_routes_are_unknown() {
    let admin = admin();
    let (username, id) = (user(&admin).await, experiment(&admin).await);
    let refused = admin.experiment_permissions().get(&id, &username).await.unwrap_err();
    assert!(refused.is_unsupported() && !refused.is_not_found(), "{refused:?}");
    let name = registered_model(&admin).await;
    let refused =
        admin.registered_model_permissions().create(&name, &username, Permission::Read).await.unwrap_err();
    assert!(refused.is_unsupported(), "{refused:?}");
}
