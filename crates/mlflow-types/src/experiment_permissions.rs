//! Permissions on experiments as servers before `users/permissions/grant` keep them, MLflow 2 among them.
//!
//! MLflow 3.17 does not know these routes any more; [`permissions`](crate::permissions) has its own.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::permissions::Permission;
use crate::{Empty, ExperimentId, Username};

/// What a user may do with an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentPermission {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The server's number for the user.
    pub user_id: i64,
    /// What the user may do.
    pub permission: Permission,
}

/// Gives a user a permission on an experiment; refused if there is one already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateExperimentPermission {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The user.
    pub username: Username,
    /// What the user may do.
    pub permission: Permission,
}
route!(CreateExperimentPermission: Post "experiments/permissions/create" -> ExperimentPermissionResponse);

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentPermissionResponse {
    /// It.
    pub experiment_permission: ExperimentPermission,
}

/// The permission that a user was given on an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetExperimentPermission {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The user.
    pub username: Username,
}
route!(GetExperimentPermission: Get "experiments/permissions/get" -> ExperimentPermissionResponse);

/// Changes the permission that a user was given on an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateExperimentPermission {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The user.
    pub username: Username,
    /// What the user may do from now on.
    pub permission: Permission,
}
route!(UpdateExperimentPermission: Patch "experiments/permissions/update" -> Empty);

/// Takes away the permission that a user was given on an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteExperimentPermission {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The user.
    pub username: Username,
}
route!(DeleteExperimentPermission: Delete "experiments/permissions/delete" -> Empty);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Endpoint, Repeat};

    #[test]
    fn calls_and_answers_have_the_servers_fields() {
        let call = CreateExperimentPermission {
            experiment_id: "7".parse().expect("one"),
            username: "ann".parse().expect("a name"),
            permission: Permission::Manage,
        };
        assert_eq!(call.path(), "experiments/permissions/create");
        let body = json!({ "experiment_id": "7", "username": "ann", "permission": "MANAGE" });
        assert_eq!(serde_json::to_value(&call).expect("a body"), body);
        let answer = json!({ "experiment_permission": { "experiment_id": "7", "user_id": 2, "permission": "MANAGE" } });
        let answer: ExperimentPermissionResponse = serde_json::from_value(answer).expect("a permission");
        let said = answer.experiment_permission;
        assert_eq!(
            (said.experiment_id, said.user_id, said.permission),
            (call.experiment_id, 2, call.permission)
        );
        let repeats = (
            CreateExperimentPermission::REPEAT,
            UpdateExperimentPermission::REPEAT,
            DeleteExperimentPermission::REPEAT,
        );
        assert_eq!(repeats, (Repeat::AfterLooking, Repeat::Freely, Repeat::Freely));
    }
}
