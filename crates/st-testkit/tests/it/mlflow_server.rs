//! The real server: shared, of one test, with passwords, of the series before.

use std::net::TcpStream;

use serde_json::{Value, json};
use st_testkit::{
    ADMIN_PASSWORD, ADMIN_USERNAME, Environment, FaultProxy, MlflowServer, PythonScript, ServerOptions,
};

use crate::http::Client;

const CLIENT: &str = "
import json, sys, mlflow
client = mlflow.MlflowClient(sys.argv[1])
found = client.search_experiments(filter_string=\"name = 'Default'\")
print(json.dumps([mlflow.__version__, [experiment.artifact_location for experiment in found]]))
";

#[test]
fn python_reads_the_shared_server_through_the_proxy() {
    let server = MlflowServer::shared();
    let proxy = FaultProxy::start(server.address(), Vec::new());
    let said: Value = PythonScript::new(Environment::Mlflow, CLIENT).argument(proxy.url()).run();
    assert_eq!(said, json!(["3.17.2", ["mlflow-artifacts:/0"]]));
    assert_eq!(proxy.requests_to("*", "*/experiments/search").len(), 1);
    assert!(server.log().contains("experiments/search"));
}

#[test]
fn a_server_that_was_killed_starts_again_with_what_it_stored() {
    let server = MlflowServer::start(&ServerOptions::default());
    let created = post(&server, "experiments/create", r#"{"name": "kept"}"#);
    assert!(created.contains("experiment_id"), "{created}");
    server.kill();
    assert!(TcpStream::connect(server.address()).is_err());
    server.start_again();
    let again = post(&server, "experiments/create", r#"{"name": "kept"}"#);
    assert!(again.contains("RESOURCE_ALREADY_EXISTS"), "{again}");
}

#[test]
fn a_server_with_passwords_refuses_without_one() {
    let server = MlflowServer::shared_with_auth();
    let path = "GET /api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1";
    let refused = Client::to(server.address()).send(path, b"").unwrap();
    assert_eq!(refused.status, "HTTP/1.1 401 Unauthorized");
    let said: Value = PythonScript::new(Environment::Mlflow, CLIENT)
        .argument(server.url())
        .variable("MLFLOW_TRACKING_USERNAME", ADMIN_USERNAME)
        .variable("MLFLOW_TRACKING_PASSWORD", ADMIN_PASSWORD)
        .run();
    assert_eq!(said, json!(["3.17.2", ["mlflow-artifacts:/0"]]));
}

#[test]
fn the_series_before_answers_too() {
    let version = Client::to(MlflowServer::shared_2().address()).send("GET /version HTTP/1.1", b"").unwrap();
    assert_eq!(String::from_utf8(version.body).unwrap(), "2.22.5");
}

#[test]
#[should_panic(expected = "the server did not start")]
fn a_server_that_does_not_start_shows_its_log() {
    let _server = MlflowServer::start(&ServerOptions::default().with_argument("--no-such-flag"));
}

fn post(server: &MlflowServer, route: &str, body: &str) -> String {
    let head = format!("POST /api/2.0/mlflow/{route} HTTP/1.1\r\nContent-Type: application/json");
    String::from_utf8(Client::to(server.address()).send(&head, body.as_bytes()).unwrap().body).unwrap()
}
