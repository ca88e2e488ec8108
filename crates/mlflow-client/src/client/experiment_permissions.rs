//! What users may do with experiments, as a program says it to an older server.

use mlflow_types::experiment_permissions::{
    CreateExperimentPermission, DeleteExperimentPermission, ExperimentPermission, GetExperimentPermission,
    UpdateExperimentPermission,
};
use mlflow_types::permissions::Permission;
use mlflow_types::{ExperimentId, Username};

use super::accounts;
use crate::{AccountStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of permissions on experiments.
///
/// MLflow 3.17 has [`Permissions`](super::Permissions) instead: there, and where there are no users at all, each call is a
/// refusal that [`is_unsupported`](crate::Error::is_unsupported).
#[derive(Clone, Copy, Debug)]
pub struct ExperimentPermissions<'a> {
    pub(super) store: Option<&'a dyn AccountStore>,
}

impl ExperimentPermissions<'_> {
    /// Gives a user a permission.
    ///
    /// # Errors
    /// A refusal that [`is_already_exists`](crate::Error::is_already_exists) if the user has one.
    pub async fn create(
        self,
        id: &ExperimentId,
        username: &Username,
        permission: Permission,
    ) -> Result<ExperimentPermission> {
        let call =
            CreateExperimentPermission { experiment_id: id.clone(), username: username.clone(), permission };
        accounts(self.store, &call)?.create_experiment_permission(&call).await
    }

    /// The permission that a user was given.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, id: &ExperimentId, username: &Username) -> Result<ExperimentPermission> {
        let call = GetExperimentPermission { experiment_id: id.clone(), username: username.clone() };
        accounts(self.store, &call)?.get_experiment_permission(&call).await
    }

    /// Changes the permission that a user was given.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn update(self, id: &ExperimentId, username: &Username, permission: Permission) -> Result<()> {
        let call =
            UpdateExperimentPermission { experiment_id: id.clone(), username: username.clone(), permission };
        accounts(self.store, &call)?.update_experiment_permission(&call).await
    }

    /// Takes away the permission that a user was given.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(self, id: &ExperimentId, username: &Username) -> Result<()> {
        let call = DeleteExperimentPermission { experiment_id: id.clone(), username: username.clone() };
        accounts(self.store, &call)?.delete_experiment_permission(&call).await
    }
}
