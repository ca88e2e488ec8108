//! Variables of MLflow that say where a log goes.

use serde_json::{Value, json};

use crate::support::{Place, Ran, ran};

fn run_with(place: &Place, variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = place.command(args);
    ran(command.envs(variables.iter().copied()).output().unwrap())
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

const LOG: [&str; 5] = ["log", "-m", "TINY", "--no-certificate", "--json"];

fn log(place: &Place, variables: &[(&str, &str)], more: &[&str]) -> Ran {
    run_with(place, variables, &[&LOG[..], more].concat())
}

fn runs(place: &Place) -> usize {
    let listed: Value = serde_json::from_str(&place.ok(&["runs", "list", "--json"])).unwrap();
    listed.as_array().unwrap().len()
}

#[test]
fn the_run_of_the_environment_is_gone_on_with() {
    let place = Place::new();
    let first =
        json(&log(&place, &[], &["--experiment", "mine", "--run-name", "first", "--metric", "loss=0.5"]));
    let run = first["run"].as_str().unwrap();
    // The experiments of the environment are for runs that are started.
    let variables = [("MLFLOW_RUN_ID", run), ("MLFLOW_EXPERIMENT_NAME", "other")];
    assert_eq!(json(&log(&place, &variables, &[]))["run"], run);
    let named = log(&place, &variables, &["--run-name", "second", "--metric", "loss=0.25"]);
    assert_eq!(json(&named)["run"], run);
    let note = format!("note: MLFLOW_RUN_ID: going on with run {run}; none is started as second\n");
    assert_eq!(named.stderr, note);
    assert_eq!(runs(&place), 1);
    let shown: Value = serde_json::from_str(&place.ok(&["runs", "show", run, "--json"])).unwrap();
    assert_eq!(shown["outputs"]["model_outputs"].as_array().unwrap().len(), 3, "{shown}");
    assert_eq!((&shown["info"]["status"], &shown["info"]["run_name"]), (&json!("FINISHED"), &json!("first")));
    let experiments = place.ok(&["experiments", "list"]);
    assert!(!experiments.contains("other"), "{experiments}");

    let other = log(&place, &variables, &["--experiment-id", "0"]);
    let expected = format!(
        "error: MLFLOW_RUN_ID names the run {run}, which is in experiment {} and not in 0",
        shown["info"]["experiment_id"].as_str().unwrap()
    );
    assert_eq!((other.code, other.stderr.lines().next()), (2, Some(expected.as_str())));
    let typed = json(&log(&place, &[("MLFLOW_RUN_ID", "0a1b")], &["--run-id", run]));
    assert_eq!(typed["run"], run, "what was typed wins");
}

#[test]
fn experiments_that_contradict_each_other_are_refused() {
    let place = Place::new();
    json(&log(&place, &[], &["--experiment", "mine"]));
    let variables = [("MLFLOW_EXPERIMENT_NAME", "mine"), ("MLFLOW_EXPERIMENT_ID", "0")];
    let refused = log(&place, &variables, &[]);
    let first = refused.stderr.lines().next().unwrap_or_default();
    let expected =
        "error: MLFLOW_EXPERIMENT_ID is 0, but MLFLOW_EXPERIMENT_NAME names `mine`, which is experiment ";
    assert_eq!(refused.code, 2);
    assert!(first.starts_with(expected), "{first}");
    let default = [("MLFLOW_EXPERIMENT_NAME", "Default"), ("MLFLOW_EXPERIMENT_ID", "0")];
    json(&log(&place, &default, &[]));
    json(&log(&place, &variables, &["--experiment", "mine"]));
}

#[test]
fn a_run_measures_its_machine_if_the_environment_says_so() {
    let place = Place::new();
    let measured = |variables: &[(&str, &str)]| {
        let logged = json(&log(&place, variables, &["--run-name", "measured"]));
        let shown = place.ok(&["runs", "show", logged["run"].as_str().unwrap(), "--json"]);
        shown.contains("system/")
    };
    let interval = ("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.01");
    assert!(measured(&[("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true"), interval]));
    assert!(!measured(&[interval]));
}
