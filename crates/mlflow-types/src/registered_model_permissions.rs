//! Permissions on registered models as servers before `users/permissions/grant` keep them, MLflow 2 among them.
//!
//! MLflow 3.17 does not know these routes any more; [`permissions`](crate::permissions) has its own.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::permissions::Permission;
use crate::{Empty, RegisteredModelName, Username};

/// What a user may do with a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredModelPermission {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The server's number for the user.
    pub user_id: i64,
    /// What the user may do.
    pub permission: Permission,
}

/// Gives a user a permission on a registered model; refused if there is one already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateRegisteredModelPermission {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The user.
    pub username: Username,
    /// What the user may do.
    pub permission: Permission,
}
route!(CreateRegisteredModelPermission: Post "registered-models/permissions/create" -> RegisteredModelPermissionResponse);

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredModelPermissionResponse {
    /// It.
    pub registered_model_permission: RegisteredModelPermission,
}

/// The permission that a user was given on a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetRegisteredModelPermission {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The user.
    pub username: Username,
}
route!(GetRegisteredModelPermission: Get "registered-models/permissions/get" -> RegisteredModelPermissionResponse);

/// Changes the permission that a user was given on a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateRegisteredModelPermission {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The user.
    pub username: Username,
    /// What the user may do from now on.
    pub permission: Permission,
}
route!(UpdateRegisteredModelPermission: Patch "registered-models/permissions/update" -> Empty);

/// Takes away the permission that a user was given on a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteRegisteredModelPermission {
    /// The registered model.
    pub name: RegisteredModelName,
    /// The user.
    pub username: Username,
}
route!(DeleteRegisteredModelPermission: Delete "registered-models/permissions/delete" -> Empty);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Endpoint, Repeat};

    #[test]
    fn calls_and_answers_have_the_servers_fields() {
        let call = CreateRegisteredModelPermission {
            name: "7".parse().expect("one"),
            username: "ann".parse().expect("a name"),
            permission: Permission::Manage,
        };
        assert_eq!(call.path(), "registered-models/permissions/create");
        let body = json!({ "name": "7", "username": "ann", "permission": "MANAGE" });
        assert_eq!(serde_json::to_value(&call).expect("a body"), body);
        let answer =
            json!({ "registered_model_permission": { "name": "7", "user_id": 2, "permission": "MANAGE" } });
        let answer: RegisteredModelPermissionResponse = serde_json::from_value(answer).expect("a permission");
        let said = answer.registered_model_permission;
        assert_eq!((said.name, said.user_id, said.permission), (call.name, 2, call.permission));
        let repeats = (
            CreateRegisteredModelPermission::REPEAT,
            UpdateRegisteredModelPermission::REPEAT,
            DeleteRegisteredModelPermission::REPEAT,
        );
        assert_eq!(repeats, (Repeat::AfterLooking, Repeat::Freely, Repeat::Freely));
    }
}
