//! A network that breaks at any request of a log: one model, complete or marked as failed, and never two.

use mlflow_client::types::logged_models::{LoggedModelStatus, SearchLoggedModels};
use mlflow_client::types::model_versions::SearchModelVersions;
use mlflow_client::{Client, Settings};
use st_testkit::{Fault, FaultProxy, MlflowServer, Moment, Rule};

use crate::support::{Place, Ran, ran};

/// Logs the tiny model under a name of its own, through the proxy, without pauses between attempts.
fn log(place: &Place, proxy: &FaultProxy, name: &str) -> Ran {
    let url = proxy.url();
    let mut command = place.command(&[
        "log",
        "-m",
        "TINY",
        "--name",
        name,
        "--register",
        name,
        "--tracking-uri",
        &url,
        "--json",
    ]);
    command.env("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0").env("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0");
    ran(command.output().unwrap())
}

/// What the server has under a name, asked without a proxy: the status of each logged model, and how many versions.
fn there(name: &str) -> (Vec<LoggedModelStatus>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap();
        let filter = Some(format!("name = '{name}'"));
        let models = SearchLoggedModels {
            experiment_ids: vec!["0".parse().unwrap()],
            filter: filter.clone(),
            ..SearchLoggedModels::default()
        };
        let models = client.tracking().search_logged_models(&models).await.unwrap().models;
        let versions = SearchModelVersions { filter, ..SearchModelVersions::default() };
        let versions = client.registry().search_model_versions(&versions).await.unwrap().model_versions;
        (models.iter().map(|model| model.info.status).collect(), versions.len())
    })
}

/// Breaks the nth request of a log, for each n; afterwards there is one model and one version, and all files are there.
#[track_caller]
fn broken_at_each_request(test: &str, fault: &Fault) {
    // The server is shared, with an earlier run of this test too.
    let test = format!("{test}-{}", std::process::id());
    let place = Place::new();
    let plain = FaultProxy::start(MlflowServer::shared().address(), Vec::new());
    let undisturbed = log(&place, &plain, &format!("{test}-plain"));
    assert_eq!(undisturbed.code, 0, "{}", undisturbed.stderr);
    let requests = plain.requests();
    assert!(requests.len() > 20, "a log has a request for each file: {}", requests.len());
    for (nth, request) in requests.iter().enumerate() {
        let name = format!("{test}-{nth}");
        let rule = Rule::new("*", "*", fault.clone()).from_nth(nth + 1);
        let proxy = FaultProxy::start(MlflowServer::shared().address(), vec![rule]);
        let logged = log(&place, &proxy, &name);
        let broken = format!("{} {}: {}", request.method, request.path, logged.stderr);
        assert_eq!(logged.code, 0, "{broken}");
        assert_eq!(there(&name), (vec![LoggedModelStatus::Ready], 1), "{broken}");
        let uri = format!("models:/{name}/1");
        let folder = format!("copy-{nth}");
        place.ok(&[
            "models",
            "download",
            &uri,
            "-o",
            &folder,
            "--tracking-uri",
            &MlflowServer::shared().url(),
        ]);
        let digests = mlflow_flavor::Digests::read(&place.path(&folder)).unwrap().unwrap();
        digests.verify(&place.path(&folder)).expect(&broken);
    }
}

#[test]
fn reset_before_the_server_has_it() {
    broken_at_each_request("reset-before", &Fault::Reset(Moment::BeforeRequest));
}

#[test]
fn reset_when_the_server_has_done_it() {
    broken_at_each_request("reset-after", &Fault::Reset(Moment::BeforeAnswer));
}

#[test]
fn too_many_requests() {
    broken_at_each_request("too-many", &Fault::answer(429, &[("Retry-After", "0")], ""));
}
