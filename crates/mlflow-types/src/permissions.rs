//! What a user may do with what, on a server that asks for name and password.
//!
//! Servers keep permissions in one table and these routes grant, revoke and list them. Older ones, MLflow 2 among them, know
//! [`experiment_permissions`](crate::experiment_permissions) and
//! [`registered_model_permissions`](crate::registered_model_permissions) instead.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::{Empty, ExperimentId, RegisteredModelName, Username};

/// What a user may do. Each of the first four allows what the one before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Permission {
    /// Look at it.
    Read,
    /// Use it; unknown to MLflow 2.
    Use,
    /// Change it.
    Edit,
    /// Delete it, and say what others may do.
    Manage,
    /// Nothing. It can be an answer, but MLflow 3.17 takes it in no grant: revoke what was granted, or deny.
    NoPermissions,
    /// Nothing, whatever else was granted; unknown to MLflow 2.
    Deny,
}

impl Permission {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Use => "USE",
            Self::Edit => "EDIT",
            Self::Manage => "MANAGE",
            Self::NoPermissions => "NO_PERMISSIONS",
            Self::Deny => "DENY",
        }
    }
}

/// A kind of thing that a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResourceType {
    /// Experiments.
    Experiment,
    /// Registered models.
    RegisteredModel,
    /// Prompts.
    Prompt,
    /// Scorers.
    Scorer,
    /// Secrets of the gateway.
    GatewaySecret,
    /// Endpoints of the gateway.
    GatewayEndpoint,
    /// Models behind the gateway.
    GatewayModelDefinition,
    /// Servers of the Model Context Protocol.
    McpServer,
    /// Runs, all at once.
    Run,
    /// Traces, all at once.
    Trace,
    /// Assessments, all at once.
    Assessment,
    /// Logged models, all at once.
    LoggedModel,
    /// Queues of reviews, all at once.
    ReviewQueue,
    /// Versions of registered models, all at once.
    RegisteredModelVersion,
    /// Versions of prompts, all at once.
    PromptVersion,
    /// Versions of scorers, all at once.
    ScorerVersion,
    /// Versions of servers of the Model Context Protocol, all at once.
    McpServerVersion,
    /// The whole workspace. It stands in roles and cannot be granted to a user.
    Workspace,
}

/// What a permission is about: one thing, or all of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Resource {
    /// Its kind.
    pub resource_type: ResourceType,
    /// Its identifier or name, or [`ALL`](Self::ALL).
    pub resource_id: String,
}

impl Resource {
    /// The identifier of all things of a kind.
    pub const ALL: &'static str = "*";

    /// Everything of a kind.
    pub fn all(resource_type: ResourceType) -> Self {
        Self { resource_type, resource_id: Self::ALL.to_owned() }
    }

    /// One experiment.
    pub fn experiment(id: &ExperimentId) -> Self {
        Self { resource_type: ResourceType::Experiment, resource_id: id.to_string() }
    }

    /// One registered model.
    pub fn registered_model(name: &RegisteredModelName) -> Self {
        Self { resource_type: ResourceType::RegisteredModel, resource_id: name.to_string() }
    }
}

/// Grants a permission to a user; refused if there is one on the same resource already, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantUserPermission {
    /// To whom.
    pub username: Username,
    /// On what.
    #[serde(flatten)]
    pub resource: Resource,
    /// What the user may do with it.
    pub permission: Permission,
}
route!(GrantUserPermission: Post Mlflow3 "users/permissions/grant" -> Empty);

/// Takes away what was granted to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevokeUserPermission {
    /// From whom.
    pub username: Username,
    /// On what.
    #[serde(flatten)]
    pub resource: Resource,
}
route!(RevokeUserPermission: Post Mlflow3 "users/permissions/revoke" -> Empty, Freely);

/// What a user may do with something, all things considered: grants, roles, and what the server allows by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetUserPermission {
    /// Who.
    pub username: Username,
    /// With what.
    #[serde(flatten)]
    pub resource: Resource,
}
route!(GetUserPermission: Get Mlflow3 "users/permissions/get" -> GetUserPermissionResponse);

/// What a user may do with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetUserPermissionResponse {
    /// Whether the user may use it.
    pub allowed: bool,
    /// What the user may do with it.
    pub permission: Permission,
}

/// Everything that was granted to a user, by a role or alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListUserPermissions {
    /// To whom.
    pub username: Username,
}
route!(ListUserPermissions: Get Mlflow3 "users/permissions/list" -> ListUserPermissionsResponse);

/// Everything that was granted to a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListUserPermissionsResponse {
    /// Whether the user may do everything anyway.
    #[serde(default)]
    pub is_admin: bool,
    /// What was granted.
    #[serde(default)]
    pub permissions: Vec<UserPermission>,
}

/// One thing that was granted to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPermission {
    /// The number of the role that it came by.
    pub role_id: i64,
    /// The name of that role; what was granted to the user alone comes by a role `__user_1__`, with the user's number.
    pub role_name: String,
    /// The workspace in which it holds.
    #[serde(default)]
    pub workspace: String,
    /// The kind of what it is about.
    pub resource_type: ResourceType,
    /// Its identifier or name, or [`Resource::ALL`].
    pub resource_pattern: String,
    /// What the user may do with it.
    pub permission: Permission,
}

impl UserPermission {
    /// Whether it was granted to the user alone, and not to all who have a role.
    pub fn is_personal(&self) -> bool {
        let number = self.role_name.strip_prefix("__user_").and_then(|rest| rest.strip_suffix("__"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether it is about this very resource: one thing is not all of its kind.
    pub fn is_about(&self, resource: &Resource) -> bool {
        (self.resource_type, self.resource_pattern.as_str())
            == (resource.resource_type, resource.resource_id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Api, Endpoint, Repeat};

    #[test]
    fn permissions_are_the_servers_words() {
        for permission in [
            Permission::Read,
            Permission::Use,
            Permission::Edit,
            Permission::Manage,
            Permission::NoPermissions,
            Permission::Deny,
        ] {
            assert_eq!(serde_json::to_value(permission).expect("a word"), permission.as_str());
        }
        assert!(serde_json::from_value::<Permission>(json!("OWN")).is_err());
    }

    #[test]
    fn a_resource_is_two_fields_of_the_call() {
        let username: Username = "ann".parse().expect("a name");
        let resource = Resource::experiment(&"7".parse().expect("an identifier"));
        let call = GrantUserPermission { username, resource, permission: Permission::Edit };
        let body = json!({ "username": "ann", "resource_type": "experiment", "resource_id": "7", "permission": "EDIT" });
        assert_eq!(serde_json::to_value(&call).expect("a body"), body);
        assert_eq!(
            (GrantUserPermission::API, call.path().as_ref()),
            (Api::Mlflow3, "users/permissions/grant")
        );
        let repeats = (GrantUserPermission::REPEAT, RevokeUserPermission::REPEAT);
        assert_eq!(repeats, (Repeat::AfterLooking, Repeat::Freely));
    }

    #[test]
    fn what_came_by_a_role_is_not_personal() {
        let mut row: UserPermission = serde_json::from_value(json!({
            "role_id": 3, "role_name": "__user_12__", "workspace": "default",
            "resource_type": "registered_model", "resource_pattern": "encoder", "permission": "USE",
        }))
        .expect("a row");
        assert!(row.is_personal());
        assert!(row.is_about(&Resource::registered_model(&"encoder".parse().expect("a name"))));
        assert!(!row.is_about(&Resource::all(ResourceType::RegisteredModel)));
        for name in ["readers", "__user___", "__user_x__", "__user_1", "user_1__"] {
            row.role_name = name.into();
            assert!(!row.is_personal(), "{name}");
        }
    }
}
