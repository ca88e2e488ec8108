//! A network that breaks and a server that fails, at any request of a log: the model is ready and whole, or it is said
//! what went wrong and nothing is ready; never two of anything.

mod away;
mod download;
mod each_request;

use std::path::Path;

use mlflow_client::types::logged_models::{LoggedModelStatus, SearchLoggedModels};
use mlflow_client::types::model_versions::SearchModelVersions;
use mlflow_client::{Client, Settings};
use st_testkit::MlflowServer;

use crate::support::{Place, Ran, ran};

/// Logs the tiny model under a name of its own, at the server of this address, without pauses between attempts.
fn log(place: &Place, url: &str, name: &str, variables: &[(&str, &str)]) -> Ran {
    log_with(place, url, name, variables, &[])
}

/// The same with more arguments.
fn log_with(place: &Place, url: &str, name: &str, variables: &[(&str, &str)], more: &[&str]) -> Ran {
    let args = [
        "log",
        "-m",
        "TINY",
        "--name",
        name,
        "--register",
        name,
        "--tracking-uri",
        url,
        "--json",
        // What the model answers is no business of the network, and takes a quarter of the time.
        "--no-certificate",
    ];
    let mut command = place.command(&[&args[..], more].concat());
    command.env("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0").env("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0");
    ran(command.envs(variables.iter().copied()).output().unwrap())
}

/// What a server has under a name: the URI and the status of each logged model, and how many versions.
fn there(server: &MlflowServer, name: &str) -> (Vec<(String, LoggedModelStatus)>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&Settings::for_tracking_uri(server.url())).unwrap();
        let filter = Some(format!("name = '{name}'"));
        let models = SearchLoggedModels {
            experiment_ids: vec!["0".parse().unwrap()],
            filter: filter.clone(),
            ..SearchLoggedModels::default()
        };
        let models = client.tracking().search_logged_models(&models).await.unwrap().models;
        let versions = SearchModelVersions { filter, ..SearchModelVersions::default() };
        let versions = client.registry().search_model_versions(&versions).await.unwrap().model_versions;
        let told = models
            .into_iter()
            .map(|model| (format!("models:/{}", model.info.model_id), model.info.status))
            .collect();
        (told, versions.len())
    })
}

/// Downloads a model past all faults and compares every byte with its manifest.
#[track_caller]
fn check_whole(place: &Place, server: &MlflowServer, uri: &str, context: &str) {
    let folder = tempfile::tempdir_in(place.path(".")).unwrap();
    let copy = folder.path().join("model");
    let target = copy.to_str().unwrap();
    place.ok(&["models", "download", uri, "-o", target, "--tracking-uri", &server.url()]);
    check_digests(&copy, context);
}

#[track_caller]
fn check_digests(folder: &Path, context: &str) {
    let digests = mlflow_flavor::Digests::read(folder).unwrap().expect(context);
    digests.verify(folder).expect(context);
}
