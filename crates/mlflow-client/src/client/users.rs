//! Users of a server that asks for name and password, as a program uses them.

use mlflow_types::users::{
    CreateUser, DeleteUser, GetCurrentUser, GetUser, ListUsers, UpdateUserAdmin, UpdateUserPassword, User,
};
use mlflow_types::{SecretText, Username};

use super::accounts;
use crate::{AccountStore, Result};

/// A view of a [`Client`](super::Client) that only speaks of users.
///
/// Only servers that ask for name and password have them: elsewhere each call is a refusal that
/// [`is_unsupported`](crate::Error::is_unsupported). What only an administrator may is a refusal that
/// [`is_denied`](crate::Error::is_denied) for everybody else.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    pub(super) store: Option<&'a dyn AccountStore>,
}

impl Users<'_> {
    /// Creates a user who is no administrator.
    ///
    /// It is not sent again when it may have run: no look could show whose password the user then has.
    ///
    /// # Errors
    /// A refusal that [`is_already_exists`](crate::Error::is_already_exists) if the name is taken.
    pub async fn create(self, username: &Username, password: SecretText) -> Result<User> {
        let call = CreateUser { username: username.clone(), password };
        accounts(self.store, &call)?.create_user(&call).await
    }

    /// The user with a name.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, username: &Username) -> Result<User> {
        let call = GetUser { username: username.clone() };
        accounts(self.store, &call)?.get_user(&call).await
    }

    /// Who we are to the server.
    ///
    /// # Errors
    /// Whatever the server answers; one of MLflow 2 does not know the route.
    pub async fn current(self) -> Result<User> {
        let call = GetCurrentUser {};
        accounts(self.store, &call)?.get_current_user(&call).await
    }

    /// All users.
    ///
    /// # Errors
    /// Whatever the server answers; one of MLflow 2 does not know the route.
    pub async fn list(self) -> Result<Vec<User>> {
        let call = ListUsers {};
        accounts(self.store, &call)?.list_users(&call).await
    }

    /// Gives a user another password, as an administrator.
    ///
    /// # Errors
    /// Whatever the server answers.
    pub async fn update_password(self, username: &Username, password: SecretText) -> Result<()> {
        let call = UpdateUserPassword { username: username.clone(), password, current_password: None };
        accounts(self.store, &call)?.update_user_password(&call).await
    }

    /// Gives oneself another password; a client with the old one is a stranger from then on.
    ///
    /// # Errors
    /// Whatever the server answers, such as that `current` is not the password.
    pub async fn update_own_password(
        self,
        username: &Username,
        current: SecretText,
        password: SecretText,
    ) -> Result<()> {
        let (username, current_password) = (username.clone(), Some(current));
        let call = UpdateUserPassword { username, password, current_password };
        accounts(self.store, &call)?.update_user_password(&call).await
    }

    /// Makes a user an administrator, or no more.
    ///
    /// # Errors
    /// Whatever the server answers.
    pub async fn update_admin(self, username: &Username, is_admin: bool) -> Result<()> {
        let call = UpdateUserAdmin { username: username.clone(), is_admin };
        accounts(self.store, &call)?.update_user_admin(&call).await
    }

    /// Deletes a user with all permissions.
    ///
    /// # Errors
    /// A refusal that [`is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn delete(self, username: &Username) -> Result<()> {
        let call = DeleteUser { username: username.clone() };
        accounts(self.store, &call)?.delete_user(&call).await
    }
}
