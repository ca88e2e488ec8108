//! Users and permissions as MLflow 2.22 has them.

use std::os::unix::fs::symlink;
use std::{fs, path::PathBuf};

use mlflow_client::Client;
use mlflow_client::types::SecretText;
use mlflow_client::types::permissions::{Permission, Resource};
use st_testkit::{Environment, MlflowServer, ServerOptions};

use super::{experiment, login, password, registered_model, unique, user};
use crate::support::check_refused;

/// What MLflow 2.22 writes into a new database; it reads no variable for it.
const ADMIN: (&str, &str) = ("admin", "password1234");

/// The environment of MLflow 2.22 has no Flask-WTF, which users need; that of 3.17.2 lends it.
#[tokio::test]
async fn users_and_permissions_of_mlflow_2() {
    let lent = tempfile::tempdir().unwrap();
    for package in ["flask_wtf", "wtforms"] {
        symlink(packages().join(package), lent.path().join(package)).unwrap();
    }
    let options = ServerOptions::default()
        .with_release(Environment::Mlflow2)
        .with_auth()
        .with_variable("PYTHONPATH", lent.path().to_str().unwrap());
    let server = MlflowServer::start(&options);
    let admin = login(&server.url(), ADMIN.0, ADMIN.1);
    a_user_is_made_promoted_and_deleted(&admin).await;
    a_permission_on_an_experiment_comes_and_goes(&admin).await;
    a_permission_on_a_registered_model_comes_and_goes(&admin).await;
    the_newer_routes_are_unknown(&admin).await;
}

fn packages() -> PathBuf {
    let library = Environment::Mlflow.folder().join("lib");
    let mut versions =
        fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path().join("site-packages"));
    versions.find(|folder| folder.join("flask_wtf").is_dir()).unwrap()
}

async fn a_user_is_made_promoted_and_deleted(admin: &Client) {
    let username = unique("ann").parse().unwrap();
    let made = admin.users().create(&username, password()).await.unwrap();
    assert_eq!((&made.username, made.is_admin), (&username, false));
    admin.users().update_admin(&username, true).await.unwrap();
    assert!(admin.users().get(&username).await.unwrap().is_admin);
    admin.users().update_password(&username, SecretText::new("another one, long")).await.unwrap();
    admin.users().delete(&username).await.unwrap();
    assert!(admin.users().get(&username).await.unwrap_err().is_not_found());
    assert!(admin.users().list().await.unwrap_err().is_unsupported());
}

async fn a_permission_on_an_experiment_comes_and_goes(admin: &Client) {
    let (username, id) = (user(admin).await, experiment(admin).await);
    let permissions = admin.experiment_permissions();
    let made = permissions.create(&id, &username, Permission::Edit).await.unwrap();
    assert_eq!((&made.experiment_id, made.permission), (&id, Permission::Edit));
    assert_eq!(permissions.get(&id, &username).await.unwrap(), made);
    assert!(permissions.create(&id, &username, Permission::Read).await.unwrap_err().is_already_exists());
    permissions.update(&id, &username, Permission::NoPermissions).await.unwrap();
    assert_eq!(permissions.get(&id, &username).await.unwrap().permission, Permission::NoPermissions);
    permissions.delete(&id, &username).await.unwrap();
    let message = format!("Experiment permission with experiment_id={id} and username={username} not found");
    check_refused(permissions.get(&id, &username).await, 404, "RESOURCE_DOES_NOT_EXIST", &message);
    assert!(permissions.delete(&id, &username).await.unwrap_err().is_not_found());
}

async fn a_permission_on_a_registered_model_comes_and_goes(admin: &Client) {
    let (username, name) = (user(admin).await, registered_model(admin).await);
    let permissions = admin.registered_model_permissions();
    let made = permissions.create(&name, &username, Permission::Manage).await.unwrap();
    assert_eq!((&made.name, made.permission), (&name, Permission::Manage));
    assert_eq!(permissions.get(&name, &username).await.unwrap(), made);
    permissions.update(&name, &username, Permission::Read).await.unwrap();
    assert_eq!(permissions.get(&name, &username).await.unwrap().permission, Permission::Read);
    permissions.delete(&name, &username).await.unwrap();
    assert!(permissions.get(&name, &username).await.unwrap_err().is_not_found());
}

async fn the_newer_routes_are_unknown(admin: &Client) {
    let (username, id) = (user(admin).await, experiment(admin).await);
    let resource = Resource::experiment(&id);
    let refused = admin.permissions().grant(&username, &resource, Permission::Read).await.unwrap_err();
    assert!(refused.is_unsupported(), "{refused:?}");
}
