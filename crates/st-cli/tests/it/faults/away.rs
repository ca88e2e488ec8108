//! A server that fails for good, stands still, or dies in the middle.

use std::sync::Arc;
use std::time::Duration;

use st_testkit::{Fault, FaultProxy, Hook, Moment, Rule, ServerOptions};

use super::*;

const WEIGHTS: &str = "*/model.safetensors";

/// A name that an earlier run of the test did not use.
fn unique(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

#[test]
fn an_upload_that_never_gets_through_is_declared_failed() {
    let (server, place, name) = (MlflowServer::shared(), Place::new(), unique("never"));
    let rule = Rule::new("PUT", WEIGHTS, Fault::answer(504, &[], "no answer in time")).times(usize::MAX);
    let proxy = FaultProxy::start(server.address(), vec![rule]);
    let logged = log(&place, &proxy.url(), &name, &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")]);
    assert_eq!(logged.code, 2, "{}", logged.stderr);
    let (models, versions) = there(server, &name);
    let [(uri, LoggedModelStatus::UploadFailed)] = models.as_slice() else { panic!("{models:?}") };
    let model_id = uri.trim_start_matches("models:/");
    let marked =
        format!("model {model_id} was not logged completely and is marked LOGGED_MODEL_UPLOAD_FAILED");
    assert!(logged.stderr.contains(&marked), "{}", logged.stderr);
    assert!(logged.stderr.contains("no answer in time"), "{}", logged.stderr);
    assert_eq!((proxy.requests_to("PUT", WEIGHTS).len(), versions), (4, 0));
}

/// The server says nothing for longer than `MLFLOW_HTTP_REQUEST_TIMEOUT`, once; then it is itself again.
#[test]
fn a_server_that_stands_still_is_asked_again() {
    let (server, place) = (MlflowServer::shared(), Place::new());
    let still = Fault::Drip { bytes: 1, pause: Duration::from_secs(3) };
    for (nth, path) in ["*/logged-models", "*/logged-models/*", "*/model-versions/create"].iter().enumerate()
    {
        let name = unique(&format!("still-{nth}"));
        let proxy = FaultProxy::start(server.address(), vec![Rule::new("*", path, still.clone())]);
        let logged = log(&place, &proxy.url(), &name, &[("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")]);
        assert_eq!(logged.code, 0, "{path}: {}", logged.stderr);
        proxy.assert_rules_met();
        let (models, versions) = there(server, &name);
        assert!(matches!(models.as_slice(), [(_, LoggedModelStatus::Ready)]), "{path}: {models:?}");
        assert_eq!(versions, 1, "{path}");
        check_whole(&place, server, &models[0].0, path);
    }
}

/// A proxy before a server of the test's own, which calls the hook when it has some of the weights.
fn in_mid_upload(server: &MlflowServer, hook: Hook) -> FaultProxy {
    let rule = Rule::new("PUT", WEIGHTS, Fault::Call(Moment::InRequest(1000), hook));
    FaultProxy::start(server.address(), vec![rule])
}

#[test]
fn a_server_that_is_killed_in_mid_upload_and_comes_back_has_all() {
    let (server, place) = (Arc::new(MlflowServer::start(&ServerOptions::default())), Place::new());
    let hook = Hook::new({
        let server = Arc::clone(&server);
        move || {
            server.kill();
            server.start_again();
        }
    });
    let proxy = in_mid_upload(&server, hook);
    // Long enough for a server to start.
    let logged = log(&place, &proxy.url(), "killed", &[("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")]);
    assert_eq!(logged.code, 0, "{}", logged.stderr);
    proxy.assert_rules_met();
    let (models, versions) = there(&server, "killed");
    assert!(matches!(models.as_slice(), [(_, LoggedModelStatus::Ready)]), "{models:?}");
    assert_eq!(versions, 1);
    check_whole(&place, &server, &models[0].0, "after the server came back");
}

/// It does not come back in time: it cannot even be told that the upload failed.
#[test]
fn a_server_that_is_killed_in_mid_upload_and_stays_away_has_no_model_that_is_ready() {
    let (server, place) = (Arc::new(MlflowServer::start(&ServerOptions::default())), Place::new());
    let hook = Hook::new({
        let server = Arc::clone(&server);
        move || server.kill()
    });
    let proxy = in_mid_upload(&server, hook);
    let logged = log(&place, &proxy.url(), "gone", &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")]);
    assert_eq!(logged.code, 2, "{}", logged.stderr);
    assert!(logged.stderr.contains("stays LOGGED_MODEL_PENDING"), "{}", logged.stderr);
    server.start_again();
    let (models, versions) = there(&server, "gone");
    assert!(matches!(models.as_slice(), [(_, LoggedModelStatus::Pending)]), "{models:?}");
    assert_eq!(versions, 0);
    // The same command again is a model of its own.
    let logged = log(&place, &proxy.url(), "gone", &[]);
    assert_eq!(logged.code, 0, "{}", logged.stderr);
    let ready =
        there(&server, "gone").0.into_iter().filter(|(_, status)| *status == LoggedModelStatus::Ready);
    assert_eq!(ready.count(), 1);
}
