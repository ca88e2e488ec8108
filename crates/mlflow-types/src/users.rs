//! Users of a server that asks for name and password (`mlflow server --app-name basic-auth`).
//!
//! A server without that app knows none of these routes. A password goes to the server and never comes back.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;
use crate::{Empty, Endpoint, Method, Repeat, SecretText, Username};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The server's number for the user.
    pub id: i64,
    /// The name to log in with.
    pub username: Username,
    /// Whether the user may do everything.
    pub is_admin: bool,
}

/// Creates a user who is no administrator; only an administrator may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateUser {
    /// The name to log in with.
    pub username: Username,
    /// The password; servers want 12 characters at least.
    pub password: SecretText,
}

impl Endpoint for CreateUser {
    type Response = UserResponse;
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "users/create";

    fn secrets(&self) -> Vec<&SecretText> {
        vec![&self.password]
    }
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserResponse {
    /// The user.
    pub user: User,
}

/// A user; an administrator may see everybody, others themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetUser {
    /// Who.
    pub username: Username,
}
route!(GetUser: Get "users/get" -> UserResponse);

/// Whoever asks; servers of MLflow 2 do not know the route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GetCurrentUser {}
route!(GetCurrentUser: Get "users/current" -> UserResponse);

/// All users, at once; servers of MLflow 2 do not know the route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListUsers {}
route!(ListUsers: Get "users/list" -> ListUsersResponse);

/// All users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListUsersResponse {
    /// The users.
    #[serde(default)]
    pub users: Vec<User>,
}

/// Gives a user another password. An administrator may for everybody, others for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateUserPassword {
    /// Whose.
    pub username: Username,
    /// The new password; servers want 12 characters at least.
    pub password: SecretText,
    /// The password so far: needed by whoever changes their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_password: Option<SecretText>,
}

/// Whoever changes their own password is a stranger with the old one afterwards: a second attempt would be refused, and hide
/// that the first one ran.
impl Endpoint for UpdateUserPassword {
    type Response = Empty;
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "users/update-password";
    const REPEAT: Repeat = Repeat::AfterLooking;

    fn secrets(&self) -> Vec<&SecretText> {
        self.current_password.iter().chain([&self.password]).collect()
    }
}

/// Makes a user an administrator, or no more; only an administrator may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateUserAdmin {
    /// Whom.
    pub username: Username,
    /// Whether the user may do everything.
    pub is_admin: bool,
}
route!(UpdateUserAdmin: Patch "users/update-admin" -> Empty);

/// Deletes a user with all permissions; only an administrator may, and not themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteUser {
    /// Whom.
    pub username: Username,
}
route!(DeleteUser: Delete "users/delete" -> Empty);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ann() -> Username {
        "ann".parse().expect("a name")
    }

    #[test]
    fn calls_have_the_fields_that_the_server_reads() {
        let call = UpdateUserAdmin { username: ann(), is_admin: true };
        assert_eq!(
            serde_json::to_value(&call).expect("a body"),
            json!({ "username": "ann", "is_admin": true })
        );
        let call = UpdateUserPassword {
            username: ann(),
            password: SecretText::new("new and long enough"),
            current_password: None,
        };
        let body = json!({ "username": "ann", "password": "new and long enough" });
        assert_eq!(serde_json::to_value(&call).expect("a body"), body);
        assert_eq!(
            (call.path().as_ref(), GetCurrentUser {}.path().as_ref()),
            ("users/update-password", "users/current")
        );
    }

    #[test]
    fn what_may_be_repeated() {
        assert_eq!(
            (CreateUser::REPEAT, UpdateUserPassword::REPEAT),
            (Repeat::AfterLooking, Repeat::AfterLooking)
        );
        assert_eq!((UpdateUserAdmin::REPEAT, DeleteUser::REPEAT), (Repeat::Freely, Repeat::Freely));
    }

    #[test]
    fn passwords_are_not_printed() {
        let (old, new) = (SecretText::new("old-and-long-enough"), SecretText::new("new-and-long-enough"));
        let create = CreateUser { username: ann(), password: old.clone() };
        let change = UpdateUserPassword {
            username: ann(),
            password: new.clone(),
            current_password: Some(old.clone()),
        };
        assert_eq!((create.secrets(), change.secrets()), (vec![&old], vec![&old, &new]));
        let shown = format!("{create:?} {change:#?}");
        assert!(shown.contains("ann") && !shown.contains("long-enough"), "{shown}");
    }

    #[test]
    fn answers_of_both_releases_are_read() {
        let old = json!({ "user": {
            "id": 2, "username": "ann", "is_admin": false, "experiment_permissions": [], "registered_model_permissions": [],
        } });
        let user = User { id: 2, username: ann(), is_admin: false };
        assert_eq!(serde_json::from_value::<UserResponse>(old).expect("a user").user, user);
        let new = json!({ "users": [{ "id": 2, "username": "ann", "is_admin": false, "roles": [] }] });
        assert_eq!(serde_json::from_value::<ListUsersResponse>(new).expect("users").users, [user]);
    }
}
