//! Users.

use mlflow_client::types::experiments::SearchExperiments;
use mlflow_client::types::users::GetUser;
use mlflow_client::types::{Endpoint, SecretText};
use mlflow_client::{Client, EmbeddedStore, MemoryStore, Settings};
use st_testkit::{ADMIN_USERNAME, MlflowServer};

use super::{PASSWORD, admin, as_user, password, unique, user};
use crate::support::{check_code, check_refused};

#[tokio::test]
async fn one_logs_in_as_created() {
    let admin = admin();
    let username = unique("größe").parse().unwrap();
    let made = admin.users().create(&username, password()).await.unwrap();
    assert_eq!((&made.username, made.is_admin), (&username, false));
    assert_eq!(admin.users().get(&username).await.unwrap(), made);
    assert!(admin.users().list().await.unwrap().contains(&made));
    let ann = as_user(username.as_str(), PASSWORD);
    assert_eq!(ann.users().current().await.unwrap(), made);
    assert_eq!(ann.users().get(&username).await.unwrap(), made);
}

#[tokio::test]
async fn a_name_is_given_once() {
    let admin = admin();
    let username = user(&admin).await;
    let refused = admin.users().create(&username, password()).await;
    assert!(refused.as_ref().unwrap_err().is_already_exists());
    let shown = format!("{refused:?}");
    assert!(!shown.contains("guesses"), "{shown}");
}

#[tokio::test]
async fn a_short_password_is_refused() {
    let username = unique("ann").parse().unwrap();
    check_refused(
        admin().users().create(&username, SecretText::new("short")).await,
        400,
        "INVALID_PARAMETER_VALUE",
        "Password must be at least 12 characters.",
    );
}

#[tokio::test]
async fn an_administrator_changes_a_password() {
    let admin = admin();
    let username = user(&admin).await;
    admin.users().update_password(&username, SecretText::new("another one, long")).await.unwrap();
    let denied = as_user(username.as_str(), PASSWORD).users().current().await.unwrap_err();
    assert!(denied.is_denied(), "{denied:?}");
    as_user(username.as_str(), "another one, long").users().current().await.unwrap();
}

#[tokio::test]
async fn one_changes_ones_own_password_with_the_old_one() {
    let username = user(&admin()).await;
    let (ann, new) = (as_user(username.as_str(), PASSWORD), SecretText::new("another one, long"));
    let without = ann.users().update_password(&username, new.clone()).await;
    check_code(without, 400, "INVALID_PARAMETER_VALUE");
    let wrong = ann.users().update_own_password(&username, new.clone(), new.clone()).await;
    check_refused(wrong, 400, "INVALID_PARAMETER_VALUE", "Current password does not match.");
    ann.users().update_own_password(&username, password(), new.clone()).await.unwrap();
    assert!(ann.users().current().await.unwrap_err().is_denied());
    as_user(username.as_str(), new.expose()).users().current().await.unwrap();
}

#[tokio::test]
async fn only_an_administrator_may() {
    let admin = admin();
    let (username, other) = (user(&admin).await, user(&admin).await);
    let ann = as_user(username.as_str(), PASSWORD);
    assert!(ann.users().delete(&other).await.unwrap_err().is_denied());
    assert!(ann.users().update_admin(&username, true).await.unwrap_err().is_denied());
    assert!(ann.users().create(&unique("bob").parse().unwrap(), password()).await.unwrap_err().is_denied());
    admin.users().update_admin(&username, true).await.unwrap();
    assert!(ann.users().current().await.unwrap().is_admin);
    ann.users().delete(&other).await.unwrap();
    admin.users().update_admin(&username, false).await.unwrap();
    assert!(!ann.users().current().await.unwrap().is_admin);
}

#[tokio::test]
async fn a_deleted_one_is_gone() {
    let admin = admin();
    let username = user(&admin).await;
    admin.users().delete(&username).await.unwrap();
    let message = format!("User with username={username} not found");
    check_refused(admin.users().get(&username).await, 404, "RESOURCE_DOES_NOT_EXIST", &message);
    assert!(admin.users().delete(&username).await.unwrap_err().is_not_found());
    assert!(as_user(username.as_str(), PASSWORD).users().current().await.unwrap_err().is_denied());
    // Nobody locks themselves out.
    check_code(admin.users().delete(&ADMIN_USERNAME.parse().unwrap()).await, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn a_store_that_asks_nobody_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedStore::open_default(folder.path()).unwrap();
    let server = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap();
    let artifacts = server.artifacts();
    let username = ADMIN_USERNAME.parse().unwrap();
    for client in [Client::of(MemoryStore::new(), artifacts.clone()), Client::of(embedded, artifacts.clone())]
    {
        let refused = client.users().get(&username).await;
        assert!(refused.as_ref().unwrap_err().is_unsupported());
        let error = refused.unwrap_err();
        let said = error.as_api().unwrap();
        assert_eq!((said.route.as_str(), said.status), (GetUser::PATH, 501));
        assert_eq!(said.message, "This store has no users; a server may have some.");
    }
    // A server that asks nobody says that it does not know the route.
    server.tracking().search_experiments(&SearchExperiments::default()).await.unwrap();
    let refused = server.users().get(&username).await.unwrap_err();
    assert!(refused.is_unknown_route() && refused.is_unsupported(), "{refused:?}");
}
