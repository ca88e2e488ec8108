//! What users may do, as a program says it to a server with one table of all permissions.

use mlflow_types::Username;
use mlflow_types::permissions::{
    GetUserPermission, GetUserPermissionResponse, GrantUserPermission, ListUserPermissions, Permission,
    Resource, RevokeUserPermission, UserPermission,
};

use super::accounts;
use crate::{AccountStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of permissions.
///
/// Servers of MLflow 2 have [`ExperimentPermissions`](super::ExperimentPermissions) and
/// [`RegisteredModelPermissions`](super::RegisteredModelPermissions) instead: there, and where there are no users at all,
/// each call is a refusal that [`is_unsupported`](crate::Error::is_unsupported).
#[derive(Clone, Copy, Debug)]
pub struct Permissions<'a> {
    pub(super) store: Option<&'a dyn AccountStore>,
}

impl Permissions<'_> {
    /// Grants a permission to a user.
    ///
    /// # Errors
    /// A refusal that [`is_already_exists`](crate::Error::is_already_exists) if the user was granted any on the same
    /// resource before.
    pub async fn grant(self, username: &Username, resource: &Resource, permission: Permission) -> Result<()> {
        let call = GrantUserPermission { username: username.clone(), resource: resource.clone(), permission };
        accounts(self.store, &call)?.grant_user_permission(&call).await
    }

    /// Takes away what was granted to a user; what a role brings stays.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if nothing was.
    pub async fn revoke(self, username: &Username, resource: &Resource) -> Result<()> {
        let call = RevokeUserPermission { username: username.clone(), resource: resource.clone() };
        accounts(self.store, &call)?.revoke_user_permission(&call).await
    }

    /// Grants a permission instead of whatever was granted on the same resource before.
    ///
    /// The server has no single call for it. Between the two, and after a failure of the second, the user may do what the
    /// server allows by default.
    ///
    /// # Errors
    /// Whatever the server answers to either.
    pub async fn replace(
        self,
        username: &Username,
        resource: &Resource,
        permission: Permission,
    ) -> Result<()> {
        match self.revoke(username, resource).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => self.grant(username, resource, permission).await,
        }
    }

    /// What a user may do with something, all things considered. Of what does not exist, it is nothing.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is no such user.
    pub async fn get(self, username: &Username, resource: &Resource) -> Result<GetUserPermissionResponse> {
        let call = GetUserPermission { username: username.clone(), resource: resource.clone() };
        accounts(self.store, &call)?.get_user_permission(&call).await
    }

    /// Everything that was granted to a user, by a role or alone.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is no such user.
    pub async fn list(self, username: &Username) -> Result<Vec<UserPermission>> {
        let call = ListUserPermissions { username: username.clone() };
        Ok(accounts(self.store, &call)?.list_user_permissions(&call).await?.permissions)
    }
}
