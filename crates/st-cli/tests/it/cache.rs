//! Fetched models are kept: downloaded once, whole whatever happens, and only as long as there is room.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use mlflow_client::{Client, Settings};
use serde_json::Value;
use st_testkit::{Fault, FaultProxy, Hook, MlflowServer, Moment, Rule, tiny_model_dir};

use crate::support::{Place, ran};

const FILES: &str = "/api/2.0/mlflow-artifacts/*";

/// Logs a model of the tests past all faults; its URI.
fn logged(place: &Place, test: &str, model: &str) -> String {
    let name = format!("cache-{test}-{}", std::process::id());
    let model = tiny_model_dir(model);
    place.ok(&[
        "log",
        "-m",
        model.to_str().unwrap(),
        "--register",
        &name,
        "--tracking-uri",
        &MlflowServer::shared().url(),
    ]);
    format!("models:/{name}/1")
}

/// Deletes a registered model and all its versions.
fn delete(name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap();
    runtime.block_on(client.registered_models().delete(&name.parse().unwrap())).unwrap();
}

fn proxy(rules: Vec<Rule>) -> FaultProxy {
    FaultProxy::start(MlflowServer::shared().address(), rules)
}

fn encode(place: &Place, uri: &str, proxy: &FaultProxy) -> Command {
    let mut command = place.command(&["encode", "-m", uri, "--tracking-uri", &proxy.url(), "a text"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What is in the cache: the ends of the names, without the keys.
fn kinds(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.models()).unwrap().map(|entry| entry.unwrap().file_name());
    let kind = |name: String| name.split_once('.').map_or_else(String::new, |(_, kind)| kind.to_owned());
    let mut kinds: Vec<String> = entries.map(|name| kind(name.into_string().unwrap())).collect();
    kinds.sort();
    kinds
}

fn pruned(place: &Place, args: &[&str]) -> Value {
    let pruned = place.ok(&[&["models", "prune", "--json"], args].concat());
    serde_json::from_str(&pruned).unwrap()
}

#[test]
fn a_second_load_downloads_nothing() {
    let place = Place::new();
    let uri = logged(&place, "second", "mean-normalize");
    let proxy = proxy(Vec::new());
    let first = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let asked = proxy.requests_to("GET", FILES).len();
    assert!(asked > 10, "{asked}");
    let again = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!((again.code, again.stdout), (0, first.stdout), "{}", again.stderr);
    assert_eq!(proxy.requests_to("GET", FILES).len(), asked);
}

#[test]
fn a_second_load_asks_only_what_the_name_means_today() {
    let place = Place::new();
    let uri = logged(&place, "one-request", "mean-normalize");
    let proxy = proxy(Vec::new());
    let first = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let requests = proxy.requests().len();
    let again = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!((again.code, again.stdout), (0, first.stdout), "{}", again.stderr);
    let asked: Vec<String> =
        proxy.requests().into_iter().skip(requests).map(|request| request.path).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("/api/2.0/mlflow/model-versions/get?"), "{asked:?}");
}

/// The registry counts from 1 again, and what was kept of the first is not taken for the second.
#[test]
fn a_model_that_is_registered_anew_is_another() {
    let place = Place::new();
    let uri = logged(&place, "anew", "mean-normalize");
    let proxy = proxy(Vec::new());
    let first = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(first.code, 0, "{}", first.stderr);
    delete(uri.trim_start_matches("models:/").trim_end_matches("/1"));
    let gone = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(gone.code, 2, "{}", gone.stderr);
    assert_eq!(logged(&place, "anew", "cls"), uri);
    let second = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_ne!(second.stdout, first.stdout);
}

#[test]
fn of_two_processes_one_downloads() {
    let place = Place::new();
    let uri = logged(&place, "two", "mean-normalize");
    let slow = Fault::Drip { bytes: 1000, pause: Duration::from_millis(10) };
    let proxy = proxy(vec![Rule::new("GET", "*/model.safetensors", slow).times(2)]);
    let children: Vec<Child> = (0..3).map(|_| encode(&place, &uri, &proxy).spawn().unwrap()).collect();
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(proxy.requests_to("GET", "*/model.safetensors").len(), 1);
}

/// The process is killed when the server answers its nth request, for each n.
#[test]
fn a_process_that_is_killed_leaves_no_half_model() {
    let place = Place::new();
    let uri = logged(&place, "killed", "mean-normalize");
    // A model belongs to the address that it came from, so all goes through one.
    let proxy = proxy(Vec::new());
    let expected = ran(encode(&place, &uri, &proxy).output().unwrap());
    assert_eq!(expected.code, 0, "{}", expected.stderr);
    let requests = proxy.requests().len();
    for nth in 1..=requests {
        pruned(&place, &["--all"]);
        let victim: Arc<Mutex<Option<Child>>> = Arc::default();
        let (to_kill, killed) = (Arc::clone(&victim), mpsc::channel());
        let hook = Hook::new(move || {
            // Before it is told that there is a victim, it waits.
            to_kill.lock().unwrap().as_mut().unwrap().kill().unwrap();
            killed.0.send(()).unwrap();
        });
        let fault = Fault::Call(Moment::InAnswer(50), hook);
        proxy.set_rules(vec![Rule::new("GET", "*", fault).from_nth(nth)]);
        {
            let mut victim = victim.lock().unwrap();
            *victim = Some(encode(&place, &uri, &proxy).spawn().unwrap());
        }
        killed.1.recv().unwrap();
        victim.lock().unwrap().take().unwrap().wait().unwrap();
        let again = ran(encode(&place, &uri, &proxy).output().unwrap());
        assert_eq!((again.code, &again.stdout), (0, &expected.stdout), "{nth}: {}", again.stderr);
        let mut kinds = kinds(&place);
        kinds.retain(|kind| kind != "verified");
        assert_eq!(kinds, ["", "key", "lock"], "{nth}");
    }
}

#[test]
fn a_limit_is_kept_after_each_download() {
    let place = Place::new();
    let (one, other) = (logged(&place, "limit-a", "mean-normalize"), logged(&place, "limit-b", "cls"));
    let proxy = proxy(Vec::new());
    let load = |uri: &str, limit: &str| {
        ran(encode(&place, uri, &proxy).env("ST_CACHE_LIMIT", limit).output().unwrap())
    };
    for uri in [&one, &other] {
        assert_eq!(load(uri, "1GB").code, 0);
    }
    assert_eq!(pruned(&place, &["--dry-run"])["kept_models"], 2);
    pruned(&place, &["--all"]);
    for uri in [&one, &other] {
        assert_eq!(load(uri, "1kB").code, 0);
    }
    assert_eq!(pruned(&place, &["--dry-run"])["kept_models"], 1);
    let wrong = load(&one, "much");
    assert_eq!(wrong.code, 2);
    let problem = "error: cannot understand ST_CACHE_LIMIT: unknown unit `much`; known are kB, MB, GB, TB\n";
    assert_eq!(wrong.stderr, problem);
}

#[test]
fn pruning_shows_what_goes_and_then_it_goes() {
    let place = Place::new();
    assert_eq!(pruned(&place, &[])["kept_models"], 0);
    let uri = logged(&place, "prune", "mean-normalize");
    let proxy = proxy(Vec::new());
    assert_eq!(ran(encode(&place, &uri, &proxy).output().unwrap()).code, 0);
    assert_eq!(pruned(&place, &["--older-than", "1"])["removed_models"], 0);
    let would = pruned(&place, &["--all", "--dry-run"]);
    assert_eq!((&would["removed_models"], &would["dry_run"]), (&Value::from(1), &Value::from(true)));
    assert!(kinds(&place).contains(&String::new()));
    let shown = place.ok(&["models", "prune", "--all", "--dry-run"]);
    assert!(shown.contains("would go"), "{shown}");
    // What a killed process left is of no model.
    fs::create_dir(place.models().join("0a1b.draft")).unwrap();
    fs::write(place.models().join("0a1b.draft/half"), "half").unwrap();
    let gone = pruned(&place, &["--keep", "0"]);
    assert_eq!(gone["removed_models"], 1);
    assert_eq!(gone["freed_bytes"].as_u64().unwrap(), would["freed_bytes"].as_u64().unwrap() + 4);
    assert_eq!(kinds(&place), [""; 0]);
}
