//! What users may do with registered models, as a program says it to an older server.

use mlflow_types::permissions::Permission;
use mlflow_types::registered_model_permissions::{
    CreateRegisteredModelPermission, DeleteRegisteredModelPermission, GetRegisteredModelPermission,
    RegisteredModelPermission, UpdateRegisteredModelPermission,
};
use mlflow_types::{RegisteredModelName, Username};

use super::accounts;
use crate::{AccountStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of permissions on registered models.
///
/// MLflow 3.17 has [`Permissions`](super::Permissions) instead: there, and where there are no users at all, each call is a
/// refusal that [`is_unsupported`](crate::Error::is_unsupported).
#[derive(Clone, Copy, Debug)]
pub struct RegisteredModelPermissions<'a> {
    pub(super) store: Option<&'a dyn AccountStore>,
}

impl RegisteredModelPermissions<'_> {
    /// Gives a user a permission.
    ///
    /// # Errors
    /// A refusal that [`is_already_exists`](crate::Error::is_already_exists) if the user has one.
    pub async fn create(
        self,
        name: &RegisteredModelName,
        username: &Username,
        permission: Permission,
    ) -> Result<RegisteredModelPermission> {
        let call =
            CreateRegisteredModelPermission { name: name.clone(), username: username.clone(), permission };
        accounts(self.store, &call)?.create_registered_model_permission(&call).await
    }

    /// The permission that a user was given.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(
        self,
        name: &RegisteredModelName,
        username: &Username,
    ) -> Result<RegisteredModelPermission> {
        let call = GetRegisteredModelPermission { name: name.clone(), username: username.clone() };
        accounts(self.store, &call)?.get_registered_model_permission(&call).await
    }

    /// Changes the permission that a user was given.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn update(
        self,
        name: &RegisteredModelName,
        username: &Username,
        permission: Permission,
    ) -> Result<()> {
        let call =
            UpdateRegisteredModelPermission { name: name.clone(), username: username.clone(), permission };
        accounts(self.store, &call)?.update_registered_model_permission(&call).await
    }

    /// Takes away the permission that a user was given.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(self, name: &RegisteredModelName, username: &Username) -> Result<()> {
        let call = DeleteRegisteredModelPermission { name: name.clone(), username: username.clone() };
        accounts(self.store, &call)?.delete_registered_model_permission(&call).await
    }
}
