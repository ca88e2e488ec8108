//! Users and permissions of real servers that ask for name and password.

mod older;
mod permissions;
mod users;

use mlflow_client::types::experiments::CreateExperiment;
use mlflow_client::types::registered_models::CreateRegisteredModel;
use mlflow_client::types::{ExperimentId, RegisteredModelName, SecretText, Username};
use mlflow_client::{Client, Settings};
use st_testkit::{ADMIN_PASSWORD, ADMIN_USERNAME, MlflowServer};

const PASSWORD: &str = "nobody guesses \"this\"";

/// A client of a server, as somebody.
fn login(url: &str, username: &str, password: &str) -> Client {
    let variable = |name: &str| match name {
        "MLFLOW_TRACKING_URI" => Some(url.to_owned()),
        "MLFLOW_TRACKING_USERNAME" => Some(username.to_owned()),
        "MLFLOW_TRACKING_PASSWORD" => Some(password.to_owned()),
        _ => None,
    };
    Client::connect(&Settings::from_environment(&variable).unwrap()).unwrap()
}

/// The administrator of MLflow 3.17.2.
fn admin() -> Client {
    as_user(ADMIN_USERNAME, ADMIN_PASSWORD)
}

fn as_user(username: &str, password: &str) -> Client {
    login(&MlflowServer::shared_with_auth().url(), username, password)
}

fn password() -> SecretText {
    SecretText::new(PASSWORD)
}

fn unique(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
}

/// A new user with [`PASSWORD`].
async fn user(admin: &Client) -> Username {
    let username: Username = unique("ann").parse().unwrap();
    admin.users().create(&username, password()).await.unwrap();
    username
}

async fn experiment(client: &Client) -> ExperimentId {
    let call = CreateExperiment { name: unique("experiment"), ..CreateExperiment::default() };
    client.tracking().create_experiment(&call).await.unwrap()
}

async fn registered_model(client: &Client) -> RegisteredModelName {
    let name: RegisteredModelName = unique("model").parse().unwrap();
    let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
    client.registry().create_registered_model(&call).await.unwrap();
    name
}
