//! Each fault, as a client sees it.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use st_testkit::{Fault, FaultProxy, Hook, Moment, Rule};

use crate::http::{Answer, BODY, Client, Server};

fn get(proxy: &FaultProxy, path: &str) -> std::io::Result<Answer> {
    Client::to(proxy.address()).send(&format!("GET {path} HTTP/1.1"), b"")
}

/// One rule for `path`, one GET.
#[track_caller]
fn suffer(path: &str, fault: Fault) -> (std::io::Result<Answer>, usize) {
    let server = Server::start();
    let proxy = FaultProxy::start(server.address, vec![Rule::new("GET", path, fault)]);
    let answer = get(&proxy, path);
    proxy.assert_rules_met();
    (answer, server.requests())
}

#[test]
fn without_rules_nothing_changes() {
    let server = Server::start();
    let proxy = FaultProxy::start(server.address, Vec::new());
    let mut client = Client::to(proxy.address());
    for path in ["/length", "/chunked?x=1", "/length"] {
        let answer = client.send(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer t"), b"").unwrap();
        assert_eq!(answer.status, "HTTP/1.1 200 OK");
        assert!(answer.body == *BODY, "{path}: {} bytes", answer.body.len());
    }
    let answer = client.send("POST /echo HTTP/1.1", &BODY).unwrap();
    assert_eq!(answer.body, b"200000");
    assert!(answer.headers.contains("X-Server: 1"));

    let seen = proxy.requests();
    let short: Vec<_> =
        seen.iter().map(|seen| (&*seen.method, &*seen.path, seen.body_length, seen.status)).collect();
    assert_eq!(
        short,
        [
            ("GET", "/length", 0, Some(200)),
            ("GET", "/chunked?x=1", 0, Some(200)),
            ("GET", "/length", 0, Some(200)),
            ("POST", "/echo", 200_000, Some(200)),
        ]
    );
    assert_eq!(seen[0].header("authorization"), Some("Bearer t"));
    assert_eq!(seen[3].header("authorization"), None);
    assert_eq!(proxy.requests_to("GET", "/chunked").len(), 1);
    assert_eq!(server.requests(), 4);
}

#[test]
fn a_chunked_request_arrives_chunked() {
    // This server reads bodies with a length only, so that what stands there is the proxy's head and nothing more.
    let server = Server::start();
    let proxy = FaultProxy::start(server.address, Vec::new());
    let mut client = Client::to(proxy.address());
    client
        .write(b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        .unwrap();
    assert_eq!(client.read().unwrap().status, "HTTP/1.1 200 OK");
    assert_eq!(proxy.requests()[0].body_length, 5);
}

#[test]
fn a_reset_says_whether_the_server_heard_of_the_request() {
    let cases = [
        (Moment::BeforeRequest, 0, "/length"),
        (Moment::BeforeAnswer, 1, "/length"),
        (Moment::InAnswer(100_000), 1, "/length"),
        (Moment::InAnswer(100_000), 1, "/chunked"),
    ];
    for (moment, requests, path) in cases {
        let (answer, arrived) = suffer(path, Fault::Reset(moment));
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::ConnectionReset, "{moment:?}");
        assert_eq!(arrived, requests, "{moment:?}");
    }
}

#[test]
fn an_upload_breaks_off_in_its_middle() {
    let server = Server::start();
    let fault = Fault::Reset(Moment::InRequest(70_000));
    let proxy = FaultProxy::start(server.address, vec![Rule::new("PUT", "*", fault)]);
    let error = Client::to(proxy.address()).send("PUT /file HTTP/1.1", &BODY).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
    assert_eq!((proxy.requests()[0].body_length, server.requests()), (70_000, 0));
}

#[test]
fn answers_come_as_often_as_said_and_from_the_nth_on() {
    let server = Server::start();
    let fault = Fault::answer(429, &[("Retry-After", "7")], "slow down");
    let proxy =
        FaultProxy::start(server.address, vec![Rule::new("POST", "/echo", fault).from_nth(2).times(2)]);
    let mut client = Client::to(proxy.address());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = client.send("POST /echo HTTP/1.1", b"body").unwrap();
        if answer.status.contains("429") {
            assert!(answer.headers.contains("Retry-After: 7"), "{}", answer.headers);
            assert_eq!(answer.body, b"slow down");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, ["HTTP/1.1 200 OK", "HTTP/1.1 429 Fault", "HTTP/1.1 429 Fault", "HTTP/1.1 200 OK"]);
    let reached: Vec<bool> = proxy.requests().iter().map(|seen| seen.reached_server).collect();
    assert_eq!((reached, server.requests()), (vec![true, false, false, true], 2));
    proxy.assert_rules_met();
}

#[test]
fn a_body_is_cut_in_an_orderly_way() {
    let (answer, _) = suffer("/length", Fault::Truncate(100_000));
    let answer = answer.unwrap();
    assert!(answer.headers.contains("Content-Length: 200000"));
    assert!(answer.body == BODY[..100_000], "{} bytes", answer.body.len());
    let (answer, _) = suffer("/chunked", Fault::Truncate(100_000));
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_length_is_a_lie() {
    for (path, claimed) in [("/length", 300_000), ("/chunked", 300_000)] {
        let answer = suffer(path, Fault::ClaimLength(claimed)).0.unwrap();
        assert!(answer.headers.contains("Content-Length: 300000"), "{}", answer.headers);
        assert!(answer.body == *BODY, "{path}: {} bytes", answer.body.len());
    }
    let answer = suffer("/length", Fault::ClaimLength(10)).0.unwrap();
    assert_eq!(answer.body, BODY[..10]);
}

#[test]
fn one_byte_is_another() {
    for at in [0, 65_536, 199_999] {
        let answer = suffer("/length", Fault::FlipByte(at as u64)).0.unwrap();
        let changed: Vec<usize> =
            (0..BODY.len()).filter(|&place| answer.body[place] != BODY[place]).collect();
        assert_eq!(changed, [at]);
    }
}

#[test]
fn a_slow_body_is_whole() {
    let drip = Fault::Drip { bytes: 50_000, pause: Duration::from_millis(1) };
    assert!(suffer("/length", drip.clone()).0.unwrap().body == *BODY);
    assert!(suffer("/chunked", drip).0.unwrap().body == *BODY);
}

#[test]
fn a_hook_is_called_at_its_moment() {
    for moment in
        [Moment::BeforeRequest, Moment::InRequest(0), Moment::BeforeAnswer, Moment::InAnswer(u64::MAX)]
    {
        let (calls, called) = mpsc::channel();
        let hook = Hook::new(move || calls.send(()).unwrap_or_default());
        let (answer, arrived) = suffer("/length", Fault::Call(moment, hook));
        assert!(answer.unwrap().body == *BODY);
        // Behind its last byte the client has the whole answer before the hook is called: so the test waits. When the
        // last hook is gone the channel ends, and what was never called is known.
        assert_eq!((called.iter().count(), arrived), (1, 1), "{moment:?}");
    }
}

#[test]
fn a_server_that_is_gone_is_a_bad_gateway() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = FaultProxy::start(gone, Vec::new());
    assert_eq!(get(&proxy, "/").unwrap().status, "HTTP/1.1 502 Fault");
    assert!(!proxy.requests()[0].reached_server);
}

#[test]
#[should_panic(expected = "rules that still wait for a request")]
fn a_rule_that_was_not_needed_fails_the_test() {
    let proxy = FaultProxy::start(Server::start().address, vec![Rule::new("GET", "/", Fault::Truncate(0))]);
    proxy.assert_rules_met();
}
