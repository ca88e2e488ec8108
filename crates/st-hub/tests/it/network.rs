//! Networks that break, and servers that are busy.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use st_hub::{Error, HubEvent, HubSettings};
use st_testkit::{Fault, FaultProxy, Moment, Rule};

use crate::support::{NAME, WEIGHTS, World, model};

/// The small files come through the proxy; of the large ones the redirection only.
const CONFIG: &str = "*/config_sentence_transformers.json";

#[test]
fn a_body_that_breaks_off_is_asked_for_from_where_it_ended() {
    let world = World::new();
    let rules = vec![
        Rule::new("GET", CONFIG, Fault::Truncate(100)),
        Rule::new("GET", CONFIG, Fault::Reset(Moment::InAnswer(50))).from_nth(2),
    ];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let settings = world.settings_with(|settings| settings.endpoint = proxy.url());
    let snapshot = world.get_with(settings, NAME).unwrap();
    proxy.assert_rules_met();
    let ranges: Vec<_> = proxy
        .requests_to("GET", CONFIG)
        .iter()
        .map(|request| request.header("range").map(str::to_owned))
        .collect();
    assert_eq!(ranges.len(), 3);
    assert_eq!(ranges[..2], [None, Some("bytes=100-".to_owned())]);
    // What a reset leaves in the buffers of the system is not the test's to say.
    assert!(ranges[2].as_deref().is_some_and(|range| range >= "bytes=100-"), "{ranges:?}");
    assert!(snapshot.folder.join("config_sentence_transformers.json").is_file());
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn what_another_process_left_is_gone_on_with() {
    let world = World::new();
    let digest = leave_part_of_the_weights(&world, 50_000, |_| {});
    let (outcome, events) = world.events(world.settings());
    outcome.unwrap();
    let requests = world.server.requests();
    let ranges: Vec<_> =
        requests.iter().filter(|request| request.to_storage).map(|request| &request.range).collect();
    assert_eq!(ranges, [&Some("bytes=50000-".to_owned())]);
    assert!(events.contains(&HubEvent::Received { bytes: 50_000 }), "{events:?}");
    assert!(world.path("blobs").join(digest).is_file());
}

#[test]
fn a_part_that_is_damaged_is_thrown_away_and_all_is_fetched() {
    let world = World::new();
    leave_part_of_the_weights(&world, 50_000, |bytes| bytes[7] ^= 1);
    world.get(NAME).unwrap();
    assert_eq!(world.fetched_from_storage(), 2);
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn a_part_that_is_longer_than_the_file_is_no_part() {
    let world = World::new();
    leave_part_of_the_weights(&world, 50_000, |bytes| bytes.resize(1 << 20, 0));
    world.get(NAME).unwrap();
    assert_eq!(world.fetched_from_storage(), 1);
}

/// Puts the first bytes of the weights where an attempt that died left them.
fn leave_part_of_the_weights(world: &World, length: usize, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let folder = world.get(NAME).unwrap().folder;
    let bytes = fs::read(folder.join(WEIGHTS)).unwrap();
    let blob = fs::canonicalize(folder.join(WEIGHTS)).unwrap();
    let mut part = bytes[..length].to_vec();
    change(&mut part);
    fs::write(blob.with_added_extension("incomplete"), part).unwrap();
    fs::remove_file(&blob).unwrap();
    world.server.forget();
    blob.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_busy_hub_is_asked_again() {
    let world = World::new();
    let rules = vec![
        Rule::new("GET", "/api/*", Fault::answer(503, &[], "")).times(2),
        Rule::new("GET", CONFIG, Fault::answer(429, &[], "")).times(2),
    ];
    let proxy = FaultProxy::start(world.server.address(), rules);
    world.get_with(world.settings_with(|settings| settings.endpoint = proxy.url()), NAME).unwrap();
    proxy.assert_rules_met();
}

#[test]
fn a_hub_that_stays_busy_is_left_alone() {
    let world = World::new();
    let rules = vec![Rule::new("GET", "/api/*", Fault::answer(500, &[], "")).times(usize::MAX)];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let settings = world.settings_with(|settings| settings.endpoint = proxy.url());
    let error = world.get_with(settings, NAME).unwrap_err();
    assert!(matches!(error, Error::Status { status: 500, .. }), "{error}");
    assert_eq!(proxy.requests().len(), 3);
}

#[test]
fn a_hub_that_says_nothing_is_not_waited_for() {
    let world = World::new();
    let still = Fault::Drip { bytes: 1, pause: Duration::from_secs(2) };
    let proxy =
        FaultProxy::start(world.server.address(), vec![Rule::new("GET", CONFIG, still).times(usize::MAX)]);
    let settings = world.settings_with(|settings| {
        settings.endpoint = proxy.url();
        settings.download_timeout = Duration::from_millis(200);
    });
    let error = world.get_with(settings, NAME).unwrap_err();
    let Error::Transport { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "not a byte in 0.2 s");
}

#[test]
fn where_nobody_listens_one_attempt_is_enough() {
    let world = World::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = world.settings_with(|settings| settings.endpoint = format!("http://{free}"));
    let error = world.get_with(settings.clone(), NAME).unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 1, .. }), "{error}");
    // What the cache has needs no hub.
    world.get(NAME).unwrap();
    assert!(!world.get_with(settings, NAME).unwrap().fetched);
}

#[test]
fn a_proxy_stands_between_unless_the_host_is_an_exception() {
    let world = World::new();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        line
    });
    let variables = |except: &'static str| {
        move |name: &str| match name {
            "HTTP_PROXY" => Some(format!("http://{address}").into()),
            "NO_PROXY" => Some(except.into()),
            _ => None,
        }
    };
    let through = |except: &'static str, endpoint: &str| {
        let proxies = HubSettings::from_env(variables(except)).unwrap().proxies;
        world.settings_with(|settings| {
            (settings.proxies, settings.endpoint) = (proxies, endpoint.to_owned());
        })
    };
    let error = world.get_with(through("", "http://hub.invalid"), NAME).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let line = asked.join().unwrap();
    assert!(line.starts_with(&format!("GET http://hub.invalid/api/models/{NAME}/revision/main?")), "{line}");
    // Nobody listens at the proxy any more.
    world.get_with(through("127.0.0.1", &world.server.url()), NAME).unwrap();
}

#[test]
fn without_a_network_nothing_is_asked() {
    let world = World::new();
    let offline = world.settings_with(|settings| settings.offline = true);
    let error = world.get_with(offline.clone(), NAME).unwrap_err();
    let expected = format!("{NAME} is not in {}, and the network is switched off", world.cache().display());
    assert_eq!((error.to_string(), world.server.requests().len()), (expected, 0));
    world.get(NAME).unwrap();
    world.server.forget();
    assert_eq!(world.get_with(offline.clone(), NAME).unwrap().commit, model().commit());
    let error = world.get_with(offline, &format!("{NAME}@v2")).unwrap_err();
    assert!(error.is_offline(), "{error}");
    assert!(
        world
            .refresh_with(world.settings_with(|settings| settings.offline = true), NAME)
            .unwrap_err()
            .is_offline()
    );
    assert_eq!(world.server.requests(), []);
}
