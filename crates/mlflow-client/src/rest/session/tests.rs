//! Patience, headers and redirects, on a server and a clock that do as they are told.

use super::super::scripted::{Hands, Script, Turn};
use super::*;

/// A session with the server of a script, and the clock that it waits by.
fn session(script: &Arc<Script>, settings: &HttpSettings) -> (Session, Arc<Hands>) {
    let clock = Arc::new(Hands::default());
    let address = Url::parse("https://mlflow.test/prefix").unwrap();
    let session = Session::new(Arc::clone(script) as _, address)
        .with_clock(Arc::clone(&clock) as _)
        .with_http(settings)
        .with_identity(Identity::Bearer(crate::settings::Secret::new("t0ken")));
    (session, clock)
}

fn request(session: &Session, method: Method) -> HttpRequest {
    HttpRequest::new(method, session.url(Api::Mlflow, "x").unwrap())
}

/// What a script comes to, and the waits in between.
async fn outcome(
    policy: RetryPolicy,
    repeat: Repeat,
    turns: impl IntoIterator<Item = Turn>,
) -> (Result<u16, String>, Vec<f64>) {
    let script = Script::new(turns);
    let settings = HttpSettings { retry: policy, ..HttpSettings::default() };
    let (session, clock) = session(&script, &settings);
    let answer = session.execute("x", request(&session, Method::Post), repeat).await;
    script.assert_done();
    (answer.map(|response| response.status).map_err(|error| error.to_string()), clock.waits())
}

#[tokio::test]
async fn policy_and_permission_decide_what_is_sent_again() {
    let busy = |status| Turn::status(status).with("retry-after", "0");
    // Freely, and after a look.
    let cases = [
        (Turn::status(408), true, true),
        (Turn::status(429), true, true),
        (busy(429), true, true),
        (busy(503), true, true),
        (Turn::status(500), true, false),
        (Turn::status(502), true, false),
        (Turn::status(503), true, false),
        (Turn::status(504), true, false),
        (Turn::broken(false), true, true),
        (Turn::broken(true), true, false),
        (Turn::Broken { after_sending: false, lasting: true }, false, false),
        // Nobody answers better the second time.
        (Turn::status(400), false, false),
        (Turn::status(401), false, false),
        (Turn::status(403), false, false),
        (Turn::status(404), false, false),
        (Turn::status(409), false, false),
        (busy(413), false, false),
        (Turn::status(501), false, false),
        (Turn::status(505), false, false),
    ];
    for (turn, freely, after_looking) in cases {
        for (repeat, again) in [(Repeat::Freely, freely), (Repeat::AfterLooking, after_looking)] {
            let turns = [Some(turn.clone()), again.then(|| Turn::status(200))].into_iter().flatten();
            let (answer, _) = outcome(RetryPolicy::default(), repeat, turns).await;
            assert_eq!(answer == Ok(200), again, "{turn:?} {repeat:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn waits_grow_as_in_python_up_to_the_longest() {
    let (answer, waits) = outcome(RetryPolicy::default(), Repeat::Freely, vec![Turn::status(503); 8]).await;
    assert_eq!((answer, waits), (Ok(503), vec![0.0, 4.5, 8.5, 16.5, 32.5, 64.5, 120.0]));

    let policy =
        RetryPolicy { max_retries: 3, backoff_factor: 0.5, backoff_jitter: 0.0, ..RetryPolicy::default() };
    let (answer, waits) = outcome(policy, Repeat::Freely, vec![Turn::broken(true); 4]).await;
    let told = "x: no answer after 4 attempts in 3.0 s";
    assert_eq!((answer, waits), (Err(told.to_owned()), vec![0.0, 1.0, 2.0]));

    let policy = RetryPolicy { max_retries: 0, ..RetryPolicy::default() };
    assert_eq!(outcome(policy, Repeat::Freely, [Turn::status(503)]).await, (Ok(503), Vec::new()));
}

#[tokio::test]
async fn no_attempt_begins_when_the_time_is_over() {
    let policy = RetryPolicy { max_retries: 10, ..RetryPolicy::default() };
    let (_, waits) = outcome(policy.clone(), Repeat::Freely, vec![Turn::status(503); 8]).await;
    assert!(waits.iter().sum::<f64>() < 300.0 && waits.len() == 7, "{waits:?}");
    // What the server asks for counts as well.
    let busy = Turn::status(429).with("retry-after", "100");
    let (answer, waits) = outcome(policy, Repeat::Freely, vec![busy; 3]).await;
    assert_eq!((answer, waits), (Ok(429), vec![100.0, 100.0]));
    let policy = RetryPolicy { total_time: Duration::from_secs(1), ..RetryPolicy::default() };
    let (_, waits) = outcome(policy, Repeat::Freely, vec![Turn::status(503); 2]).await;
    assert_eq!(waits, [0.0]);
}

async fn check_pause(value: &str, respect_retry_after: bool, expected: [f64; 2]) {
    let policy = RetryPolicy { respect_retry_after, ..RetryPolicy::default() };
    let busy = Turn::status(429).with("retry-after", value);
    let (answer, waits) =
        outcome(policy, Repeat::AfterLooking, [busy.clone(), busy, Turn::status(200)]).await;
    assert_eq!((answer, waits), (Ok(200), expected.to_vec()), "{value}");
}

#[tokio::test]
async fn a_server_says_when_to_come_back() {
    // Without its word the waits would be none and 4.5 seconds.
    check_pause("7", true, [7.0, 7.0]).await;
    check_pause(" 7 ", true, [7.0, 7.0]).await;
    check_pause("0", true, [0.0, 0.0]).await;
    // A moment, half a minute after the first answer: by the second one it has passed.
    check_pause("Tue, 14 Nov 2023 22:13:50 GMT", true, [30.0, 0.0]).await;
    check_pause("Tue, 14 Nov 2023 22:13:19 GMT", true, [0.0, 0.0]).await;
    // The longest wait is the policy's.
    check_pause("3600", true, [120.0, 120.0]).await;
    check_pause("Wed, 15 Nov 2023 22:13:20 GMT", true, [120.0, 120.0]).await;
    for nonsense in ["soon", "-1", "1.5", "", "Tue, 99 Nov 2023 22:13:50 GMT"] {
        check_pause(nonsense, true, [0.0, 4.5]).await;
    }
    check_pause("7", false, [0.0, 4.5]).await;
}

#[tokio::test]
async fn an_error_tells_what_it_cost_and_whether_the_call_may_have_run() {
    for (turns, attempts, ran) in [
        (vec![Turn::broken(false); 8], 8, false),
        (vec![Turn::broken(false), Turn::broken(true)], 2, true),
        (vec![Turn::status(429), Turn::broken(true)], 2, true),
    ] {
        let script = Script::new(turns);
        let (session, clock) = session(&script, &HttpSettings::default());
        let error = session
            .execute("x", request(&session, Method::Post), Repeat::AfterLooking)
            .await
            .expect_err("it fails for good");
        script.assert_done();
        let Error::Unreachable { attempts: told, elapsed, after_sending, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!((told, after_sending, elapsed), (attempts, ran, clock.elapsed()));
    }
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let script = Script::new(vec![Turn::status(200); 2]);
    let (session, _) = session(&script, &HttpSettings::default());
    session.execute("x", request(&session, Method::Get), Repeat::Freely).await.unwrap();
    let mut own = request(&session, Method::Get);
    own.headers.push(("user-agent".into(), "mine".into()));
    session.execute("x", own, Repeat::Freely).await.unwrap();
    let agent = format!("mlflow-client-rust/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(script.headers("user-agent"), [Some(agent), Some("mine".to_owned())]);
    assert_eq!(
        script.headers("x-mlflow-client-version"),
        [Some("3.17.2".to_owned()), Some("3.17.2".to_owned())]
    );
    assert_eq!(script.headers("authorization"), vec![Some("Bearer t0ken".to_owned()); 2]);
    assert_eq!(script.seen()[0].url.as_str(), "https://mlflow.test/prefix/api/2.0/mlflow/x");
}

#[tokio::test]
async fn the_workspace_is_named_but_where_workspaces_are_made() {
    let script = Script::new(vec![Turn::status(200); 5]);
    let (session, _) = session(&script, &HttpSettings::default());
    let named = session.clone().with_workspace(Some("team-a".to_owned()));
    for (session, api, path) in [
        (&named, Api::Mlflow, "runs/get"),
        (&named, Api::Artifacts, "artifacts/x"),
        (&named, Api::Mlflow3, "workspaces/team-b"),
        (&named, Api::Mlflow3, "workspaces"),
        (&session, Api::Mlflow, "runs/get"),
    ] {
        let request = HttpRequest::new(Method::Get, session.url(api, path).unwrap());
        session.execute("x", request, Repeat::Freely).await.unwrap();
    }
    let team = Some("team-a".to_owned());
    assert_eq!(script.headers("x-mlflow-workspace"), [team.clone(), team, None, None, None]);
}

fn to(status: u16, location: &str) -> Turn {
    Turn::status(status).with("location", location)
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_with_credentials() {
    for (method, statuses) in [
        (Method::Get, &[301, 302, 303, 307, 308][..]),
        (Method::Post, &[307, 308]),
        (Method::Put, &[307, 308]),
    ] {
        for &status in statuses {
            for location in [
                "/other/y?z=1",
                "https://mlflow.test/other/y?z=1",
                "https://ann:pw@mlflow.test:443/other/y?z=1",
            ] {
                let script = Script::new([to(status, location), Turn::saying("there")]);
                let (session, clock) = session(&script, &HttpSettings::default());
                let mut sent = request(&session, method);
                sent.body = super::super::HttpBody::Bytes("{}".into());
                let mut answer = session.execute("x", sent, Repeat::AfterLooking).await.unwrap();
                assert_eq!(answer.bytes(100).await.unwrap(), "there");
                let seen = script.seen().clone();
                assert_eq!(seen[1].url.as_str(), "https://mlflow.test/other/y?z=1");
                assert_eq!((seen[1].method, seen[1].body.length()), (method, 2), "{status}");
                assert_eq!(script.headers("authorization"), vec![Some("Bearer t0ken".to_owned()); 2]);
                assert!(clock.waits().is_empty(), "a redirect is no failure");
            }
        }
    }
}

async fn check_not_followed(
    settings: &HttpSettings,
    method: Method,
    turn: Turn,
    location: &str,
    problem: &str,
) {
    let script = Script::new([turn]);
    let (session, _) = session(&script, settings);
    let error = session
        .execute("x", request(&session, method), Repeat::Freely)
        .await
        .expect_err("a redirect that leads nowhere");
    assert_eq!(script.count(), 1, "nothing is sent there");
    let Error::Redirect { route, location: told, problem: why } = error else { panic!("{error:?}") };
    assert_eq!((route.as_str(), told.as_str(), why.as_str()), ("x", location, problem));
}

#[tokio::test]
async fn other_redirects_are_told_and_not_followed() {
    let default = HttpSettings::default();
    let elsewhere = "which is another origin: nothing is sent there";
    for location in [
        "https://evil.test/x",
        "http://mlflow.test/x",
        "https://mlflow.test:8443/x",
        "https://sub.mlflow.test/x",
    ] {
        check_not_followed(&default, Method::Get, to(307, location), location, elsewhere).await;
    }
    check_not_followed(&default, Method::Get, to(307, "//evil.test/x"), "https://evil.test/x", elsewhere)
        .await;
    check_not_followed(
        &default,
        Method::Get,
        to(302, "https://evil.test/?token=t0ken"),
        "https://evil.test/",
        elsewhere,
    )
    .await;
    for status in [301, 302, 303] {
        let problem = format!("with {status}, which drops what was sent");
        let there = "https://mlflow.test/y";
        check_not_followed(&default, Method::Post, to(status, "/y"), there, &problem).await;
    }
    let strict = HttpSettings { allow_redirects: false, ..HttpSettings::default() };
    let problem = "and MLFLOW_ALLOW_HTTP_REDIRECTS is false";
    check_not_followed(&strict, Method::Get, to(307, "/y"), "https://mlflow.test/y", problem).await;
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let script = Script::new(vec![to(307, "/y"); 11]);
    let (session, _) = session(&script, &HttpSettings::default());
    let error =
        session.execute("x", request(&session, Method::Get), Repeat::Freely).await.expect_err("a circle");
    script.assert_done();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
}

/// An artifact's own address elsewhere, such as a part's: our credentials are no business of that place.
#[tokio::test]
async fn credentials_go_to_the_session_s_own_origin_only() {
    let script = Script::new(vec![Turn::status(200); 2]);
    let (session, _) = session(&script, &HttpSettings::default());
    for address in ["https://bucket.test/part", "http://mlflow.test/part"] {
        let request = HttpRequest::new(Method::Put, Url::parse(address).unwrap());
        session.execute("part", request, Repeat::Freely).await.unwrap();
    }
    assert_eq!(script.headers("authorization"), [None, None]);
}

#[tokio::test]
async fn the_server_s_clock_is_learnt_from_its_answers() {
    let script =
        Script::new([Turn::status(200).with("date", "Tue, 14 Nov 2023 22:14:20 GMT"), Turn::status(200)]);
    let (session, _) = session(&script, &HttpSettings::default());
    assert_eq!(session.server_time(), 1_700_000_000_000);
    for _ in 0..2 {
        session.execute("x", request(&session, Method::Get), Repeat::Freely).await.unwrap();
        assert_eq!(session.server_time(), 1_700_000_060_000, "a minute ahead, and it stays so");
    }
}
