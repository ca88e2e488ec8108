//! Users and permissions over REST.

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

use super::RestStore;
use super::careful::{Careful, Sent};
use super::named::absent;
use crate::{AccountStore, Result};

#[async_trait]
impl AccountStore for RestStore {
    /// A look would show a user of that name, and not whose password it is: a call that may have run fails.
    async fn create_user(&self, call: &CreateUser) -> Result<User> {
        Ok(self.call(call).await?.user)
    }

    async fn get_user(&self, call: &GetUser) -> Result<User> {
        Ok(self.call(call).await?.user)
    }

    async fn get_current_user(&self, call: &GetCurrentUser) -> Result<User> {
        Ok(self.call(call).await?.user)
    }

    async fn list_users(&self, call: &ListUsers) -> Result<Vec<User>> {
        Ok(self.call(call).await?.users)
    }

    async fn update_user_password(&self, call: &UpdateUserPassword) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn update_user_admin(&self, call: &UpdateUserAdmin) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_user(&self, call: &DeleteUser) -> Result<()> {
        self.until_done(call).await
    }

    async fn grant_user_permission(&self, call: &GrantUserPermission) -> Result<()> {
        self.grant_user_permission_once(call).await
    }

    async fn revoke_user_permission(&self, call: &RevokeUserPermission) -> Result<()> {
        self.until_done(call).await
    }

    async fn get_user_permission(&self, call: &GetUserPermission) -> Result<GetUserPermissionResponse> {
        self.call(call).await
    }

    async fn list_user_permissions(&self, call: &ListUserPermissions) -> Result<ListUserPermissionsResponse> {
        self.call(call).await
    }

    async fn create_experiment_permission(
        &self,
        call: &CreateExperimentPermission,
    ) -> Result<ExperimentPermission> {
        self.create_experiment_permission_once(call).await
    }

    async fn get_experiment_permission(
        &self,
        call: &GetExperimentPermission,
    ) -> Result<ExperimentPermission> {
        Ok(self.call(call).await?.experiment_permission)
    }

    async fn update_experiment_permission(&self, call: &UpdateExperimentPermission) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_experiment_permission(&self, call: &DeleteExperimentPermission) -> Result<()> {
        self.until_done(call).await
    }

    async fn create_registered_model_permission(
        &self,
        call: &CreateRegisteredModelPermission,
    ) -> Result<RegisteredModelPermission> {
        self.create_registered_model_permission_once(call).await
    }

    async fn get_registered_model_permission(
        &self,
        call: &GetRegisteredModelPermission,
    ) -> Result<RegisteredModelPermission> {
        Ok(self.call(call).await?.registered_model_permission)
    }

    async fn update_registered_model_permission(&self, call: &UpdateRegisteredModelPermission) -> Result<()> {
        self.call(call).await.map(drop)
    }

    async fn delete_registered_model_permission(&self, call: &DeleteRegisteredModelPermission) -> Result<()> {
        self.until_done(call).await
    }
}

/// A permission is looked for by user and resource. One that is as we wanted it counts as ours.
impl RestStore {
    async fn grant_user_permission_once(&self, call: &GrantUserPermission) -> Result<()> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    let look = self.call(&ListUserPermissions { username: call.username.clone() }).await;
                    let found = look.map(|there| {
                        let mut rows = there.permissions.into_iter();
                        rows.find(|row| {
                            row.is_personal()
                                && row.is_about(&call.resource)
                                && row.permission == call.permission
                        })
                    });
                    if careful.seen(found)?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn create_experiment_permission_once(
        &self,
        call: &CreateExperimentPermission,
    ) -> Result<ExperimentPermission> {
        let (experiment_id, username) = (call.experiment_id.clone(), call.username.clone());
        let look = GetExperimentPermission { experiment_id, username };
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.experiment_permission),
                Sent::Unknown => {
                    let found = careful.seen(absent(self.call(&look).await))?;
                    let found = found.map(|answer| answer.experiment_permission);
                    if let Some(found) = found.filter(|found| found.permission == call.permission) {
                        return Ok(found);
                    }
                }
            }
        }
    }

    async fn create_registered_model_permission_once(
        &self,
        call: &CreateRegisteredModelPermission,
    ) -> Result<RegisteredModelPermission> {
        let look = GetRegisteredModelPermission { name: call.name.clone(), username: call.username.clone() };
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(answer) => return Ok(answer.registered_model_permission),
                Sent::Unknown => {
                    let found = careful.seen(absent(self.call(&look).await))?;
                    let found = found.map(|answer| answer.registered_model_permission);
                    if let Some(found) = found.filter(|found| found.permission == call.permission) {
                        return Ok(found);
                    }
                }
            }
        }
    }
}
