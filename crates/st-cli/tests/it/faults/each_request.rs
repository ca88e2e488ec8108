//! The same fault at the first request, the second, and so on to the last.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use futures::TryStreamExt;
use mlflow_client::types::metrics::Metric;
use mlflow_client::types::runs::{Run, RunStatus, SearchRuns};
use st_testkit::{Fault, FaultProxy, Moment, Rule};

use super::*;

/// What a log may come to when something fails for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The fault passes, so the model is there.
    Logged,
    /// Also an error that says so; what is declared ready is whole all the same.
    LoggedOrTold,
}

/// Breaks the nth request of a log, for each n, so many times in a row.
#[track_caller]
fn broken_at_each_request(test: &str, fault: &Fault, times: usize, outcome: Outcome) {
    at_each_request(test, fault, times, &|_| Vec::new(), &|place, server, name, logged, context| {
        check_outcome(place, server, name, logged, outcome, context);
    });
}

/// The same for a log with a run of its own. The fault passes, so each thing is there once, the run is over, and it has each
/// value once.
#[track_caller]
fn broken_in_a_run(test: &str, fault: &Fault) {
    let args = |name: &str| {
        let args = [
            "--run-name",
            name,
            "--metric",
            "spearman=0.81",
            "--metric",
            "loss=0.5",
            "--param",
            "pooling=mean",
        ];
        args.map(str::to_owned).to_vec()
    };
    at_each_request(test, fault, 1, &args, &|place, server, name, logged, context| {
        check_outcome(place, server, name, logged, Outcome::Logged, context);
        check_run(server, name, context);
    });
}

type Check<'a> = &'a dyn Fn(&Place, &MlflowServer, &str, &Ran, &str);

#[track_caller]
fn at_each_request(
    test: &str,
    fault: &Fault,
    times: usize,
    more: &dyn Fn(&str) -> Vec<String>,
    check: Check<'_>,
) {
    let server = MlflowServer::shared();
    // The server is shared, with an earlier run of this test too.
    let test = format!("{test}-{}", std::process::id());
    let place = Place::new();
    let log = |proxy: &FaultProxy, name: &str| {
        let more = more(name);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        log_with(&place, &proxy.url(), name, &[], &more)
    };
    let plain = FaultProxy::start(server.address(), Vec::new());
    let undisturbed = log(&plain, &format!("{test}-plain"));
    assert_eq!(undisturbed.code, 0, "{}", undisturbed.stderr);
    let requests = plain.requests();
    assert!(requests.len() > 20, "a log has a request for each file: {}", requests.len());
    for (nth, request) in requests.iter().enumerate() {
        let name = format!("{test}-{nth}");
        let rule = Rule::new("*", "*", fault.clone()).from_nth(nth + 1).times(times);
        let proxy = FaultProxy::start(server.address(), vec![rule]);
        let logged = log(&proxy, &name);
        let context = format!("{} {}: {}{}", request.method, request.path, logged.stdout, logged.stderr);
        check(&place, server, &name, &logged, &context);
    }
}

/// One run of this name, over, with one model and each param and value once.
#[track_caller]
fn check_run(server: &MlflowServer, name: &str, context: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (runs, values) = runtime.block_on(async {
        let client = Client::connect(&Settings::for_tracking_uri(server.url())).unwrap();
        let search = SearchRuns {
            experiment_ids: vec!["0".parse().unwrap()],
            filter: Some(format!("run_name = '{name}'")),
            ..SearchRuns::default()
        };
        let runs: Vec<Run> = client.runs().search(search).try_collect().await.unwrap();
        let mut values = Vec::new();
        for key in ["spearman", "loss"] {
            let Some(run) = runs.first() else { continue };
            let history: Vec<Metric> =
                client.runs().metric_history(&run.info.run_id, key).try_collect().await.unwrap();
            values.push(history.iter().map(|metric| metric.value).collect::<Vec<_>>());
        }
        (runs, values)
    });
    let [run] = runs.as_slice() else { panic!("{} runs: {context}", runs.len()) };
    assert_eq!(run.info.status, RunStatus::Finished, "{context}");
    assert_eq!(values, [[0.81], [0.5]], "{context}");
    let params: Vec<(&str, &str)> =
        run.data.params.iter().map(|param| (param.key.as_str(), param.value.as_str())).collect();
    assert_eq!(params, [("pooling", "mean")], "{context}");
    assert_eq!(run.outputs.model_outputs.len(), 1, "{context}");
}

#[track_caller]
fn check_outcome(
    place: &Place,
    server: &MlflowServer,
    name: &str,
    logged: &Ran,
    outcome: Outcome,
    context: &str,
) {
    let (models, versions) = there(server, name);
    assert!(models.len() <= 1 && versions <= 1, "{models:?} {versions} {context}");
    let ready = models.first().filter(|(_, status)| *status == LoggedModelStatus::Ready);
    if let Some((uri, _)) = ready.filter(|_| logged.code != 0) {
        check_whole(place, server, uri, context);
    }
    if outcome == Outcome::Logged || logged.code == 0 {
        assert_eq!((logged.code, ready.is_some(), versions), (0, true, 1), "{context}");
        check_whole(place, server, &format!("models:/{name}/1"), context);
        return;
    }
    assert_eq!(logged.code, 2, "{context}");
    assert!(
        logged.stderr.lines().any(|line| line.starts_with("error: ")) && logged.stderr.len() < 4000,
        "{context}"
    );
    assert!(ready.is_some() || versions == 0, "a version of what is not ready: {context}");
}

#[test]
fn reset_before_the_server_has_it() {
    let fault = Fault::Reset(Moment::BeforeRequest);
    broken_at_each_request("reset-before", &fault, 1, Outcome::Logged);
}

#[test]
fn reset_when_the_server_has_done_it() {
    broken_at_each_request("reset-after", &Fault::Reset(Moment::BeforeAnswer), 1, Outcome::Logged);
}

#[test]
fn a_run_of_its_own_and_reset_before_the_server_has_it() {
    broken_in_a_run("run-before", &Fault::Reset(Moment::BeforeRequest));
}

#[test]
fn a_run_of_its_own_and_reset_when_the_server_has_done_it() {
    broken_in_a_run("run-after", &Fault::Reset(Moment::BeforeAnswer));
}

#[test]
fn reset_within_what_is_sent() {
    broken_at_each_request("reset-within", &Fault::Reset(Moment::InRequest(20)), 1, Outcome::Logged);
}

#[test]
fn too_many_requests() {
    let fault = Fault::answer(429, &[("Retry-After", "0")], "");
    broken_at_each_request("too-many", &fault, 1, Outcome::Logged);
}

/// Three in a row; whether the call ran, nobody knows.
#[test]
fn a_burst_of_500() {
    broken_at_each_request("burst-500", &Fault::answer(500, &[], "Oops"), 3, Outcome::LoggedOrTold);
}

#[test]
fn a_gateway_that_gives_up() {
    let fault = Fault::answer(504, &[], "<html><h1>504 Gateway Time-out</h1></html>");
    broken_at_each_request("gateway", &fault, 2, Outcome::LoggedOrTold);
}

#[test]
fn an_answer_that_breaks_off() {
    broken_at_each_request("broken-off", &Fault::Truncate(1), 1, Outcome::Logged);
}

#[test]
fn an_answer_shorter_than_it_claims() {
    broken_at_each_request("claims-more", &Fault::ClaimLength(1 << 20), 1, Outcome::Logged);
}

#[test]
fn an_answer_longer_than_it_claims() {
    broken_at_each_request("claims-less", &Fault::ClaimLength(1), 1, Outcome::LoggedOrTold);
}

#[test]
fn an_answer_in_drops() {
    let fault = Fault::Drip { bytes: 40, pause: Duration::from_millis(5) };
    broken_at_each_request("drops", &fault, usize::MAX, Outcome::Logged);
}

/// Nothing is sent there, whoever asks for it.
#[test]
fn a_redirect_to_another_origin() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("http://{}/", elsewhere.local_addr().unwrap());
    let fault = Fault::answer(307, &[("Location", &location)], "");
    broken_at_each_request("redirect", &fault, usize::MAX, Outcome::LoggedOrTold);
    assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
