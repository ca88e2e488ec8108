//! The way back: a download that suffers ends whole or not at all.

use std::time::Duration;

use st_testkit::{Fault, FaultProxy, Moment, Rule};

use super::*;

/// Logs the tiny model past all faults; its URI.
fn logged(place: &Place, test: &str) -> String {
    let name = format!("{test}-{}", std::process::id());
    let logged = log(place, &MlflowServer::shared().url(), &name, &[]);
    assert_eq!(logged.code, 0, "{}", logged.stderr);
    format!("models:/{name}/1")
}

/// Downloads through a proxy with these rules.
fn download(place: &Place, uri: &str, to: &str, rules: Vec<Rule>) -> (Ran, FaultProxy) {
    let proxy = FaultProxy::start(MlflowServer::shared().address(), rules);
    let mut command = place.command(&["models", "download", uri, "-o", to, "--tracking-uri", &proxy.url()]);
    command
        .env("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        .env("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
        .env("MLFLOW_HTTP_REQUEST_TIMEOUT", "1");
    (ran(command.output().unwrap()), proxy)
}

#[test]
fn every_request_may_break_once() {
    let place = Place::new();
    let uri = logged(&place, "way-back");
    let (undisturbed, plain) = download(&place, &uri, "plain", Vec::new());
    assert_eq!(undisturbed.code, 0, "{}", undisturbed.stderr);
    let faults = [
        ("reset", Fault::Reset(Moment::BeforeAnswer)),
        ("within", Fault::Reset(Moment::InAnswer(10))),
        ("cut", Fault::Truncate(10)),
        ("more", Fault::ClaimLength(1 << 24)),
        ("busy", Fault::answer(503, &[("Retry-After", "0")], "")),
        ("gateway", Fault::answer(504, &[], "")),
    ];
    for (word, fault) in faults {
        for (nth, request) in plain.requests().iter().enumerate() {
            let to = format!("{word}-{nth}");
            let rule = Rule::new("*", "*", fault.clone()).from_nth(nth + 1);
            let (ran, _) = download(&place, &uri, &to, vec![rule]);
            let context = format!("{word} at {} {}: {}", request.method, request.path, ran.stderr);
            if word == "more" && ran.code != 0 {
                // Which of the two lengths is wrong, nobody knows.
                assert!(ran.stderr.contains("the listing says"), "{context}");
                assert!(!place.path(&to).exists(), "{context}");
                continue;
            }
            assert_eq!(ran.code, 0, "{context}");
            check_digests(&place.path(&to), &context);
        }
    }
}

/// What already came is not fetched a second time.
#[test]
fn a_file_that_breaks_off_goes_on_where_it_was() {
    let place = Place::new();
    let uri = logged(&place, "resumed");
    let weights = "*/model.safetensors";
    let rules = vec![Rule::new("GET", weights, Fault::Reset(Moment::InAnswer(40_000)))];
    let (ran, proxy) = download(&place, &uri, "copy", rules);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    check_digests(&place.path("copy"), "resumed");
    let asked = proxy.requests_to("GET", weights);
    assert_eq!(asked.len(), 2);
}

#[test]
fn a_file_that_stands_still_is_asked_for_again() {
    let place = Place::new();
    let uri = logged(&place, "still");
    let still = Fault::Drip { bytes: 1, pause: Duration::from_secs(3) };
    let (ran, proxy) = download(&place, &uri, "copy", vec![Rule::new("GET", "*/model.safetensors", still)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    proxy.assert_rules_met();
    check_digests(&place.path("copy"), "after standing still");
}

/// One byte of the weights is another one: nothing of it is kept, and the next load is right.
#[test]
fn a_changed_byte_is_no_model() {
    let place = Place::new();
    let uri = logged(&place, "changed");
    let flip = || vec![Rule::new("GET", "*/model.safetensors", Fault::FlipByte(5000))];
    let (ran, _) = download(&place, &uri, "copy", flip());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("model.safetensors"), "{}", ran.stderr);
    assert_eq!(place.names(), Vec::<String>::new());

    let encode =
        |proxy: &FaultProxy| place.run(&["encode", "-m", &uri, "--tracking-uri", &proxy.url(), "a text"]);
    let proxy = FaultProxy::start(MlflowServer::shared().address(), flip());
    let first = encode(&proxy);
    assert_eq!((first.code, first.stdout.as_str()), (2, ""), "{}", first.stderr);
    let second = encode(&proxy);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(second.stdout, place.ok(&["encode", "-m", "TINY", "a text"]));
}
