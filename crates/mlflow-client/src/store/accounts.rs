//! Users and what they may do: what a server that asks for passwords has.

use std::fmt;

use async_trait::async_trait;
use mlflow_types::experiment_permissions::{
    CreateExperimentPermission, DeleteExperimentPermission, ExperimentPermission, GetExperimentPermission,
    UpdateExperimentPermission,
};
use mlflow_types::permissions::{
    GetUserPermission, GetUserPermissionResponse, GrantUserPermission, ListUserPermissions,
    ListUserPermissionsResponse, RevokeUserPermission,
};
use mlflow_types::registered_model_permissions::{
    CreateRegisteredModelPermission, DeleteRegisteredModelPermission, GetRegisteredModelPermission,
    RegisteredModelPermission, UpdateRegisteredModelPermission,
};
use mlflow_types::users::{
    CreateUser, DeleteUser, GetCurrentUser, GetUser, ListUsers, UpdateUserAdmin, UpdateUserPassword, User,
};

use crate::Result;

/// The users of a server, and their permissions.
///
/// Each method takes the call as the protocol has it and answers what the protocol's answer holds, as in
/// [`TrackingStore`](crate::TrackingStore). Which of the permissions' routes there are depends on the server's release; one
/// that is not there is a refusal that [`is_unknown_route`](crate::Error::is_unknown_route), and so are all on a server
/// without users.
#[async_trait]
pub trait AccountStore: fmt::Debug + Send + Sync {
    /// Creates a user.
    async fn create_user(&self, call: &CreateUser) -> Result<User>;
    /// A user.
    async fn get_user(&self, call: &GetUser) -> Result<User>;
    /// Who we are.
    async fn get_current_user(&self, call: &GetCurrentUser) -> Result<User>;
    /// All users.
    async fn list_users(&self, call: &ListUsers) -> Result<Vec<User>>;
    /// Gives a user another password.
    async fn update_user_password(&self, call: &UpdateUserPassword) -> Result<()>;
    /// Makes a user an administrator, or no more.
    async fn update_user_admin(&self, call: &UpdateUserAdmin) -> Result<()>;
    /// Deletes a user.
    async fn delete_user(&self, call: &DeleteUser) -> Result<()>;
    /// Grants a permission.
    async fn grant_user_permission(&self, call: &GrantUserPermission) -> Result<()>;
    /// Takes a permission away.
    async fn revoke_user_permission(&self, call: &RevokeUserPermission) -> Result<()>;
    /// What a user may do.
    async fn get_user_permission(&self, call: &GetUserPermission) -> Result<GetUserPermissionResponse>;
    /// What was granted to a user.
    async fn list_user_permissions(&self, call: &ListUserPermissions) -> Result<ListUserPermissionsResponse>;
    /// Gives a permission on an experiment.
    async fn create_experiment_permission(
        &self,
        call: &CreateExperimentPermission,
    ) -> Result<ExperimentPermission>;
    /// A permission on an experiment.
    async fn get_experiment_permission(&self, call: &GetExperimentPermission)
    -> Result<ExperimentPermission>;
    /// Changes a permission on an experiment.
    async fn update_experiment_permission(&self, call: &UpdateExperimentPermission) -> Result<()>;
    /// Takes a permission on an experiment away.
    async fn delete_experiment_permission(&self, call: &DeleteExperimentPermission) -> Result<()>;
    /// Gives a permission on a registered model.
    async fn create_registered_model_permission(
        &self,
        call: &CreateRegisteredModelPermission,
    ) -> Result<RegisteredModelPermission>;
    /// A permission on a registered model.
    async fn get_registered_model_permission(
        &self,
        call: &GetRegisteredModelPermission,
    ) -> Result<RegisteredModelPermission>;
    /// Changes a permission on a registered model.
    async fn update_registered_model_permission(&self, call: &UpdateRegisteredModelPermission) -> Result<()>;
    /// Takes a permission on a registered model away.
    async fn delete_registered_model_permission(&self, call: &DeleteRegisteredModelPermission) -> Result<()>;
}
