//! Runs: what `st log` starts, how a signal ends it, and what is sent after all.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use mlflow_client::artifacts::UploadOptions;
use mlflow_client::types::logged_models::{LoggedModelStatus, SearchLoggedModels};
use mlflow_client::types::runs::{Run, RunStatus, SearchRuns};
use mlflow_client::{Client, Settings};
use serde_json::{Value, json};
use st_testkit::{Fault, FaultProxy, Hook, MlflowServer, Moment, Rule};

use crate::support::{Place, Ran, ran};

/// A request that the proxy holds until this is dropped.
struct Gate {
    reached: Receiver<()>,
    _open: Sender<()>,
}

impl Gate {
    fn before(method: &str, path: &str) -> (Self, Rule) {
        let (reach, reached) = channel();
        let (open, opened) = channel::<()>();
        let (reach, opened) = (Mutex::new(reach), Mutex::new(opened));
        let hook = Hook::new(move || {
            // Nobody listens any more if the test has gone on.
            let _ = reach.lock().unwrap().send(());
            let _ = opened.lock().unwrap().recv();
        });
        (Self { reached, _open: open }, Rule::new(method, path, Fault::Call(Moment::BeforeRequest, hook)))
    }

    fn wait(&self) {
        self.reached.recv().unwrap();
    }
}

/// Starts to log the tiny model to a run, both of one name, with a metric and a param.
fn begin(place: &Place, uri: &str, name: &str) -> Child {
    let args = ["log", "-m", "TINY", "--name", name, "--run-name", name, "--metric", "spearman=0.81"];
    place
        .command(&[&args[..], &["--param", "pooling=mean", "--tracking-uri", uri]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

/// What the server has under a name.
fn there(name: &str) -> (Vec<LoggedModelStatus>, Vec<Run>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap();
        let experiment_ids = vec!["0".parse().unwrap()];
        let models = SearchLoggedModels {
            experiment_ids: experiment_ids.clone(),
            filter: Some(format!("name = '{name}'")),
            ..SearchLoggedModels::default()
        };
        let models = client.tracking().search_logged_models(&models).await.unwrap().models;
        let runs = SearchRuns {
            experiment_ids,
            filter: Some(format!("run_name = '{name}'")),
            ..SearchRuns::default()
        };
        let runs = client.tracking().search_runs(&runs).await.unwrap().runs;
        (models.into_iter().map(|model| model.info.status).collect(), runs)
    })
}

fn name(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

#[test]
fn a_log_with_a_run_leaves_both_complete() {
    let (place, name) = (Place::new(), name("complete"));
    let done = end(begin(&place, &MlflowServer::shared().url(), &name));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let (models, runs) = there(&name);
    assert_eq!(models, [LoggedModelStatus::Ready]);
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!(run.info.status, RunStatus::Finished);
    assert_eq!(run.outputs.model_outputs.len(), 1);
    assert_eq!((run.data.metrics[0].key.as_str(), run.data.metrics[0].value), ("spearman", 0.81));
    assert_eq!((run.data.params[0].key.as_str(), run.data.params[0].value.as_str()), ("pooling", "mean"));
    let spool = place.ok(&["runs", "replay", "--list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&spool).unwrap()["waiting"], json!([]));
}

#[track_caller]
fn check_signal(sent: &str) {
    let (place, name) = (Place::new(), name(&format!("interrupted{sent}")));
    let (gate, rule) = Gate::before("PUT", "*/mlflow-artifacts/artifacts/*");
    let proxy = FaultProxy::start(MlflowServer::shared().address(), vec![rule]);
    let child = begin(&place, &proxy.url(), &name);
    gate.wait();
    signal(&child, sent);
    let ended = end(child);
    let (models, runs) = there(&name);
    assert_eq!(models, [LoggedModelStatus::UploadFailed]);
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!(run.info.status, RunStatus::Killed);
    assert!(run.info.end_time.is_some());
    assert_eq!(run.data.metrics.len(), 1, "what was logged before stays");
    let model = &run.outputs.model_outputs[0].model_id;
    let folder = st_testkit::tiny_model_dir(crate::support::TINY);
    let expected = format!(
        "note: stopping; another Ctrl-C leaves at once\n\
         error: cannot log {}\n  \
         caused by: model {model} was not logged completely and is marked LOGGED_MODEL_UPLOAD_FAILED\n  \
         caused by: the log was stopped\n",
        folder.display()
    );
    assert_eq!((ended.code, ended.stderr), (130, expected));
}

#[test]
fn an_interrupted_log_leaves_a_failed_model_and_a_killed_run() {
    check_signal("-INT");
    check_signal("-TERM");
}

#[test]
fn a_second_signal_leaves_at_once() {
    let (place, name) = (Place::new(), name("twice"));
    let (upload, first) = Gate::before("PUT", "*/mlflow-artifacts/artifacts/*");
    let (finalize, second) = Gate::before("PATCH", "*/mlflow/logged-models/*");
    let proxy = FaultProxy::start(MlflowServer::shared().address(), vec![first, second]);
    let child = begin(&place, &proxy.url(), &name);
    upload.wait();
    signal(&child, "-INT");
    finalize.wait();
    signal(&child, "-INT");
    let ended = end(child);
    assert_eq!(ended.code, 130);
    assert_eq!(ended.stderr, "note: stopping; another Ctrl-C leaves at once\n");
    assert_eq!(there(&name).0, [LoggedModelStatus::Pending], "nobody has told the server");
}

#[test]
fn a_log_that_is_stopped_at_the_registry_has_logged() {
    let (place, name) = (Place::new(), name("registry"));
    let (gate, rule) = Gate::before("POST", "*/registered-models/create");
    let proxy = FaultProxy::start(MlflowServer::shared().address(), vec![rule]);
    let url = proxy.url();
    let args = ["log", "-m", "TINY", "--name", &name, "--register", &name, "--tracking-uri", &url];
    let child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    gate.wait();
    signal(&child, "-INT");
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""));
    assert_eq!(there(&name).0, [LoggedModelStatus::Ready]);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let cause = "is logged; the log was stopped while it was being registered";
    assert!(lines[2].starts_with("  caused by: models:/m-") && lines[2].ends_with(cause), "{lines:?}");
    assert!(lines[3].starts_with("hint: `st models register -m models:/m-"), "{lines:?}");
}

/// Without the answer nobody knows the model; whoever waits for it is not waited for.
#[test]
fn a_log_that_is_stopped_at_the_creation_waits_some_seconds() {
    let (place, name) = (Place::new(), name("creation"));
    let (gate, rule) = Gate::before("POST", "*/mlflow/logged-models");
    let proxy = FaultProxy::start(MlflowServer::shared().address(), vec![rule]);
    let child = begin(&place, &proxy.url(), &name);
    gate.wait();
    signal(&child, "-INT");
    let ended = end(child);
    assert_eq!(ended.code, 130);
    assert_eq!(ended.stderr.lines().last(), Some("  caused by: the log was stopped"));
    let (models, runs) = there(&name);
    assert_eq!((models.len(), runs[0].info.status), (0, RunStatus::Killed));
}

#[test]
fn on_mlflow_2_a_run_holds_the_model() {
    let (place, name, url) = (Place::new(), name("two"), MlflowServer::shared_2().url());
    let alone = place.run(&["log", "-m", "TINY", "--tracking-uri", &url]);
    let hint = "hint: `--run-name NAME` starts one, and `--run-id ID` takes one that is there";
    assert_eq!((alone.code, alone.stderr.lines().last()), (2, Some(hint)), "{}", alone.stderr);
    let done = end(begin(&place, &url, &name));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let uri = done.stdout.lines().find_map(|line| line.strip_prefix("logged ")).unwrap().trim();
    assert!(uri.starts_with("runs:/"), "{uri}");
    let of_folder = place.ok(&["encode", "-m", "TINY", "one"]);
    assert_eq!(place.ok(&["encode", "-m", uri, "one", "--tracking-uri", &url]), of_folder);
}

/// What a version was made from.
fn source(place: &Place, url: &str, name: &str, version: &str) -> String {
    let shown = place.ok(&["models", "show", name, "--json", "--tracking-uri", url]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let mut versions = shown["model_versions"].as_array().unwrap().iter();
    let found = versions.find(|found| found["version"] == version).unwrap_or_else(|| panic!("{shown}"));
    found["source"].as_str().unwrap().to_owned()
}

#[test]
fn on_mlflow_2_a_version_is_the_folder_among_the_files_of_the_run() {
    let (place, name, url) = (Place::new(), name("registered-two"), MlflowServer::shared_2().url());
    let args = ["log", "-m", "TINY", "--run-name", &name, "--register", &name, "--alias", "champion"];
    place.ok(&[&args[..], &["--tracking-uri", &url]].concat());
    let source = source(&place, &url, &name, "1");
    assert!(source.ends_with("/artifacts/model"), "{source}");
    let of_folder = place.ok(&["encode", "-m", "TINY", "one"]);
    for uri in [format!("models:/{name}@champion"), format!("models:/{name}/1")] {
        assert_eq!(place.ok(&["encode", "-m", &uri, "one", "--tracking-uri", &url]), of_folder, "{uri}");
    }
}

/// Puts a folder among the files of a run, as clients of MLflow 2 do.
fn upload(folder: &std::path::Path, run_id: &str, path: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&Settings::for_tracking_uri(MlflowServer::shared().url())).unwrap();
        let run = client.runs().get(&run_id.parse().unwrap()).await.unwrap();
        let place = format!("{}/{path}", run.info.artifact_uri).parse().unwrap();
        client.artifacts().upload(folder, &place, &UploadOptions::default()).await.unwrap();
    });
}

/// As Python: the model of the largest step, until the files of the run itself have one at this place.
#[test]
fn what_a_run_made_becomes_a_version() {
    let (place, name, url) = (Place::new(), name("made"), MlflowServer::shared().url());
    let log = |more: &[&str]| -> Value {
        let args =
            ["log", "-m", "TINY", "--name", "tiny", "--no-certificate", "--json", "--tracking-uri", &url];
        serde_json::from_str(&place.ok(&[&args[..], more].concat())).unwrap()
    };
    let register =
        |uri: &str| place.run(&["models", "register", "-m", uri, "--name", &name, "--tracking-uri", &url]);
    let first = log(&["--run-name", &name]);
    let run = first["run"].as_str().unwrap();
    let largest = log(&["--run-id", run, "--step", "7"]);
    log(&["--run-id", run, "--step", "3"]);
    let uri = format!("runs:/{run}/tiny");
    let registered = register(&uri);
    assert_eq!(registered.code, 0, "{}", registered.stderr);
    assert_eq!(source(&place, &url, &name, "1"), largest["logged"].as_str().unwrap());

    place.ok(&["save", "-m", "TINY", "-o", "saved"]);
    upload(&place.path("saved"), run, "tiny");
    let registered = register(&uri);
    assert_eq!(registered.code, 0, "{}", registered.stderr);
    let version = format!("models:/{name}/2");
    assert!(source(&place, &url, &name, "2").ends_with(&format!("{run}/artifacts/tiny")));
    let of_folder = place.ok(&["encode", "-m", "TINY", "one"]);
    assert_eq!(place.ok(&["encode", "-m", &version, "one", "--tracking-uri", &url]), of_folder);

    for (uri, problem) in [
        (
            format!("{version}/model.sentence_transformer"),
            "this is a part of a model, and only a whole model becomes a version",
        ),
        (
            format!("{uri}/model.sentence_transformer"),
            "the run has no `MLmodel` there, and has made no logged model of that name",
        ),
        (format!("runs:/{run}"), "the run has no `MLmodel` there, and has made no logged model of that name"),
    ] {
        let refused = register(&uri);
        let expected = format!("error: cannot register {uri}\n  caused by: {uri}: {problem}\n");
        assert_eq!((refused.code, refused.stderr), (2, expected));
    }
}

/// A log whose process is killed while its first batch is on the way.
fn killed(place: &Place, proxy: &FaultProxy, name: &str) -> String {
    let (gate, rule) = Gate::before("POST", "*/runs/log-batch");
    proxy.set_rules(vec![rule]);
    let child = begin(place, &proxy.url(), name);
    gate.wait();
    signal(&child, "-KILL");
    end(child);
    proxy.set_rules(Vec::new());
    there(name).1[0].info.run_id.to_string()
}

#[test]
fn what_a_killed_process_left_is_listed_and_sent_once() {
    let (place, name) = (Place::new(), name("killed"));
    let proxy = FaultProxy::start(MlflowServer::shared().address(), Vec::new());
    let run_id = killed(&place, &proxy, &name);
    let url = proxy.url();

    let listed = place.run(&["runs", "replay", "--list"]);
    let expected = format!("run{:31}waiting  process  store\n{run_id}  2        killed   {url}\n", "");
    assert_eq!((listed.code, listed.stdout, listed.stderr.as_str()), (1, expected, ""));

    let elsewhere = place.run(&["runs", "replay", "--tracking-uri", "http://127.0.0.1:9"]);
    assert_eq!((elsewhere.code, elsewhere.stdout.as_str()), (1, ""));
    let spool = place.state().join("mlflow-sentence-transformers/spool");
    let expected = format!(
        "note: nothing waits for http://127.0.0.1:9 in {}\n\
         stays: run {run_id}: 2 for another store; `st runs replay --tracking-uri {url}` sends it\n",
        spool.display()
    );
    assert_eq!(elsewhere.stderr, expected);

    let sent = place.run(&["runs", "replay", "--tracking-uri", &url]);
    let expected =
        format!("run{:31}sent  waiting  refused  ended\n{run_id}  2     0        0        as failed\n", "");
    assert_eq!((sent.code, sent.stdout, sent.stderr.as_str()), (0, expected, ""));
    let run = &there(&name).1[0];
    assert_eq!(run.info.status, RunStatus::Failed);
    assert_eq!((run.data.metrics.len(), run.data.params.len()), (1, 1));

    let again = place.run(&["runs", "replay", "--tracking-uri", &url]);
    assert_eq!(again.code, 0);
    assert_eq!(again.stderr, format!("note: nothing waits for {url} in {}\n", spool.display()));
}

#[test]
fn what_cannot_be_sent_stays_and_says_why() {
    let (place, name) = (Place::new(), name("away"));
    let proxy = FaultProxy::start(MlflowServer::shared().address(), Vec::new());
    let run_id = killed(&place, &proxy, &name);
    let url = proxy.url();
    proxy.set_rules(vec![Rule::new("POST", "*/runs/log-batch", Fault::answer(401, &[], "who are you"))]);
    let ran = place.run(&["runs", "replay", "--tracking-uri", &url, "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["replayed"][0]["run_id"], run_id);
    assert_eq!(report["replayed"][0]["waiting"], 2);
    let problem = "runs/log-batch: server said 401 UNAUTHENTICATED: who are you";
    assert_eq!(report["replayed"][0]["problem"], problem);
    let sent = place.run(&["runs", "replay", "--tracking-uri", &url]);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
}

#[test]
fn a_server_that_is_away_is_told_once_for_all_files() {
    let (place, name) = (Place::new(), name("gone"));
    let proxy = FaultProxy::start(MlflowServer::shared().address(), Vec::new());
    killed(&place, &proxy, &name);
    let url = proxy.url();
    drop(proxy);
    let mut command = place.command(&["runs", "replay", "--tracking-uri", &url]);
    let ran = ran(command.env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0").output().unwrap());
    let spool = place.state().join("mlflow-sentence-transformers/spool");
    let expected = format!("error: nothing could be sent: 2 entries stay in {}", spool.display());
    assert_eq!((ran.code, ran.stderr.lines().next()), (2, Some(expected.as_str())));
    let hint = ran.stderr.lines().last().unwrap_or_default();
    assert!(hint.starts_with("hint: nothing listens at that address"), "{}", ran.stderr);
}

#[test]
fn runs_can_be_looked_at_from_all_sides() {
    let place = Place::new();
    let json = |args: &[&str]| -> Value { serde_json::from_str(&place.ok(args)).unwrap() };
    let log = |name: &str, value: &str, more: &[&str]| -> String {
        let metric = format!("loss={value}");
        let args = ["log", "-m", "TINY", "--name", "tiny", "--experiment", "looks", "--run-name", name];
        let logged = json(&[&args[..], &["--metric", &metric, "--json"], more].concat());
        logged["run"].as_str().unwrap().to_owned()
    };
    let good = log("good", "0.25", &["--metric", "accuracy=nan"]);
    let bad = log("bad", "0.5", &[]);

    let ids = |more: &[&str]| -> Vec<String> {
        let runs = json(&[&["runs", "list", "--experiment", "looks", "--json"], more].concat());
        let id = |run: &Value| run["info"]["run_id"].as_str().unwrap().to_owned();
        runs.as_array().unwrap().iter().map(id).collect()
    };
    assert_eq!(ids(&[]), [bad.clone(), good.clone()], "the newest first");
    assert_eq!(ids(&["--order-by", "metrics.loss ASC"]), [good.clone(), bad.clone()]);
    assert_eq!(ids(&["--filter", "metrics.loss < 0.3"]), std::slice::from_ref(&good));
    assert_eq!(ids(&["--limit", "1"]), std::slice::from_ref(&bad));
    let listed = place.ok(&["runs", "list"]);
    assert!(listed.starts_with(&format!("run{:31}name  status    metrics", "")), "{listed}");
    assert!(listed.contains(&format!("{bad}  bad   finished  loss 0.5000")), "{listed}");

    let shown = place.ok(&["runs", "show", &good]);
    assert!(shown.contains("\nmetrics\n  accuracy  NaN\n  loss      0.25\n\ntags\n"), "{shown}");

    let history = json(&["runs", "show", &good, "--metric", "loss", "--metric", "accuracy", "--json"]);
    assert_eq!((&history[0]["key"], &history[0]["value"]), (&json!("loss"), &json!(0.25)));
    assert_eq!((&history[1]["key"], &history[1]["value"]), (&json!("accuracy"), &json!("NaN")));
    let shown = place.ok(&["runs", "show", &good, "--metric", "loss"]);
    assert!(shown.starts_with("metric  step  value  time (UTC)"), "{shown}");
    let none = place.run(&["runs", "show", &good, "--metric", "no"]);
    assert_eq!((none.code, none.stderr), (1, format!("note: run {good} has no metric no\n")));

    let files = json(&["runs", "artifacts", "list", &good, "tiny", "--json"]);
    let paths: Vec<&str> =
        files.as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"MLmodel") && paths.contains(&"model.sentence_transformer"), "{paths:?}");
    place.ok(&["runs", "artifacts", "download", &good, "tiny/MLmodel", "-o", "one"]);
    assert!(place.read("one/MLmodel").contains(&good));
    let nothing = place.run(&["runs", "artifacts", "list", &bad, "nothing"]);
    assert_eq!((nothing.code, nothing.stderr), (0, format!("note: runs:/{bad}/nothing has nothing in it\n")));

    let experiments = json(&["experiments", "list", "--filter", "name LIKE 'lo%'", "--json"]);
    assert_eq!(experiments[0]["name"], "looks");
    assert_eq!(experiments.as_array().unwrap().len(), 1);
    assert!(place.ok(&["experiments", "list"]).starts_with("experiment  name     updated (UTC)"));
}
