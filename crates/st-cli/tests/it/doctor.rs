//! What `st doctor` says of the MLflow store in force.

use std::net::TcpListener;

use serde_json::{Value, json};
use st_testkit::{
    ADMIN_PASSWORD, ADMIN_USERNAME, Environment, Fault, FaultProxy, MlflowServer, PythonScript, Rule,
};

use crate::support::{Place, ran};

/// The section of the store, that of what is missing, and the exit status.
fn examined(place: &Place, args: &[&str], variables: &[(&str, &str)]) -> (Value, Value, i32) {
    let mut command = place.command(&[&["doctor", "--json"], args].concat());
    let ran = ran(command.envs(variables.iter().copied()).output().unwrap());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    (report["mlflow"].clone(), report["missing"]["mlflow"].clone(), ran.code)
}

#[test]
fn a_store_that_is_not_there_yet_is_no_fault_and_is_not_made() {
    let place = Place::new();
    let (store, missing, code) = examined(&place, &[], &[]);
    let expected = json!({
        "uri": "sqlite:///mlflow.db",
        "from": "default, as nobody names another",
        "state": "not there yet; `st log` makes it",
    });
    assert_eq!((store, missing, code), (expected, Value::Null, 0));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn an_embedded_store_is_counted_and_left_as_it_is() {
    let place = Place::new();
    place.ok(&["log", "-m", "TINY", "--register", "encoder", "--run-name", "one"]);
    let before = std::fs::read(place.path("mlflow.db")).unwrap();
    let (store, missing, code) = examined(&place, &[], &[("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")]);
    let expected = json!({
        "uri": "sqlite:///mlflow.db",
        "from": "MLFLOW_TRACKING_URI",
        "state": "works",
        "file": place.path("mlflow.db").canonicalize().unwrap().display().to_string(),
        "bytes": before.len(),
        "revision": "dc11669786a5, known",
        "writable": "yes",
        "journal_mode": "delete",
        "experiments": 1,
        "runs": 1,
        "logged_models": 1,
        "registered_models": 1,
    });
    assert_eq!((store, missing, code), (expected, Value::Null, 0));
    assert_eq!(std::fs::read(place.path("mlflow.db")).unwrap(), before);
}

#[test]
fn a_database_of_another_revision_is_named_with_the_way_round() {
    let place = Place::new();
    place.ok(&["log", "-m", "TINY"]);
    let newer = "import json, sqlite3, sys\n\
                 database = sqlite3.connect(sys.argv[1])\n\
                 database.execute(\"UPDATE alembic_version SET version_num = 'ffffffffffff'\")\n\
                 database.commit()\n\
                 print(json.dumps(True))";
    let path = place.path("mlflow.db");
    let _: bool = PythonScript::new(Environment::Mlflow, newer).argument(&path).run();
    let (store, missing, code) = examined(&place, &[], &[]);
    assert_eq!(
        (&store["state"], &store["revision"]),
        (&json!("does not work"), &json!("ffffffffffff, unknown"))
    );
    assert_eq!((&store["logged_models"], code), (&json!(1), 1));
    let path = path.canonicalize().unwrap();
    let expected = format!(
        "`mlflow server --backend-store-uri sqlite:///{}` of the MLflow that made the file serves it as it is: start \
         that, and name its address in `--tracking-uri`",
        path.display()
    );
    assert_eq!(missing, expected);
}

#[test]
fn a_store_of_files_is_named_with_the_command_that_imports_it() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("mlruns/0")).unwrap();
    place.write("mlruns/0/meta.yaml", "experiment_id: '0'\nname: Default\n");
    let (store, missing, code) = examined(&place, &[], &[]);
    assert_eq!((&store["state"], code), (&json!("does not work"), 1));
    let import =
        "`st runs import mlruns` carries everything of that folder over into mlflow.db, without Python";
    assert_eq!(missing, import);
    assert_eq!(place.names(), ["mlruns"], "nothing is made");
}

#[test]
fn a_server_is_asked_for_its_version_and_features() {
    let url = MlflowServer::shared().url();
    let (store, missing, code) = examined(&Place::new(), &["--tracking-uri", &url], &[]);
    assert_eq!((&store["state"], &missing, code), (&json!("works"), &Value::Null, 0), "{store}");
    assert_eq!((&store["uri"], &store["from"]), (&json!(url), &json!("--tracking-uri")));
    assert_eq!((&store["version"], &store["store"]), (&json!("3.17.2"), &json!("SqlStore")));
    assert_eq!(store["features"], json!(["none beyond the usual"]));
    assert_eq!(store["signed_in"], "no");
    assert!(store["round_trip_seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_password_is_tried_and_never_shown() {
    let url = MlflowServer::shared_with_auth().url();
    let sign_in = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; or write \
                   mlflow_tracking_username and mlflow_tracking_password below [mlflow] in ~/.mlflow/credentials";
    let place = Place::new();
    let (store, missing, code) = examined(&place, &["--tracking-uri", &url], &[]);
    assert_eq!((&store["state"], missing, code), (&json!("does not work"), json!(sign_in), 1), "{store}");
    assert_eq!(store["version"], Value::Null, "not told to everybody");

    let signed_in =
        [("MLFLOW_TRACKING_USERNAME", ADMIN_USERNAME), ("MLFLOW_TRACKING_PASSWORD", ADMIN_PASSWORD)];
    let (store, missing, code) = examined(&place, &["--tracking-uri", &url], &signed_in);
    assert_eq!((&store["state"], missing, code), (&json!("works"), Value::Null, 0), "{store}");
    assert_eq!(store["version"], "3.17.2");
    assert_eq!(store["signed_in"], format!("as {ADMIN_USERNAME}"));
    assert!(!store.to_string().contains(ADMIN_PASSWORD));
}

#[test]
fn what_does_not_answer_or_is_something_else_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (store, missing, code) = examined(&Place::new(), &["--tracking-uri", &format!("http://{free}")], &[]);
    assert_eq!((&store["state"], code), (&json!("does not work"), 1));
    assert!(missing.as_str().unwrap().starts_with("nothing listens at that address: "), "{missing}");

    let page = Fault::answer(404, &[("Content-Type", "text/html")], "<html><body>Welcome!</body></html>");
    let proxy = FaultProxy::start(
        MlflowServer::shared().address(),
        vec![Rule::new("*", "*", page).times(usize::MAX)],
    );
    let (store, missing, code) = examined(&Place::new(), &["--tracking-uri", &proxy.url()], &[]);
    let reason = "experiments/search: server said 404 ENDPOINT_NOT_FOUND: Welcome!";
    assert_eq!((&store["reason"], code), (&json!(reason), 1));
    assert!(missing.as_str().unwrap().starts_with("the address is that of another program"), "{missing}");

    let (store, missing, code) = examined(&Place::new(), &[], &[("MLFLOW_HTTP_REQUEST_TIMEOUT", "x")]);
    assert_eq!((&store["state"], code), (&json!("a setting makes no sense"), 1));
    assert_eq!(missing, "MLFLOW_HTTP_REQUEST_TIMEOUT: `x` is no number from 0 to 86400");
}

#[test]
fn a_registry_of_its_own_is_looked_at_too() {
    let url = MlflowServer::shared().url();
    let place = Place::new();
    let report = place.ok(&["doctor", "--registry-uri", &url, "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["mlflow"]["uri"], "sqlite:///mlflow.db");
    let registry = &report["mlflow_registry"];
    assert_eq!((&registry["uri"], &registry["from"]), (&json!(url), &json!("--registry-uri")));
    assert_eq!((&registry["state"], &registry["version"]), (&json!("works"), &json!("3.17.2")));
}
