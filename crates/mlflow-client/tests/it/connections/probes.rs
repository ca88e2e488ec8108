//! Probes on idle connections, as the system itself shows them.

use std::fs;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use super::ask;
use crate::attacks::{Hostile, reply};

/// Hundredths of a second until the first probe on the connection from this address; nothing if there will be none.
fn until_probe(client: SocketAddr) -> Option<u64> {
    const RESENDING: &str = "01";
    const PROBING: &str = "02";
    let port = format!(":{:04X}", client.port());
    loop {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines.find(|line| line.get(1).is_some_and(|local| local.ends_with(&port))).unwrap();
        let (timer, when) = line[5].split_once(':').unwrap();
        match timer {
            // What was sent has not been acknowledged yet, and that clock stands before the other.
            RESENDING => std::thread::sleep(Duration::from_millis(5)),
            PROBING => return Some(u64::from_str_radix(when, 16).unwrap()),
            _ => return None,
        }
    }
}

/// The wait until the first probe on a connection that these variables ask for.
async fn probe(variables: &[(&str, &str)]) -> Option<u64> {
    let (told, found) = mpsc::channel();
    let server = Hostile::start(move |_, stream| {
        told.send(until_probe(stream.peer_addr().unwrap())).unwrap();
        reply(stream, "404 Not Found", "", "");
    });
    let url = server.url();
    let variables = [&[("MLFLOW_TRACKING_URI", url.as_str())], variables].concat();
    assert!(ask(&variables).await.is_err());
    found.recv().unwrap()
}

#[tokio::test]
async fn idle_connections_are_probed_as_often_as_is_said() {
    let usual = probe(&[]).await.unwrap();
    assert!(usual <= 30 * 100, "{usual}");
    // So long that no pause of this test comes near it.
    let seldom = probe(&[("MLFLOW_HTTP_TCP_KEEPALIVE_IDLE", "7000")]).await.unwrap();
    assert!((6000 * 100..=7000 * 100).contains(&seldom), "{seldom}");
    assert_eq!(probe(&[("MLFLOW_HTTP_TCP_KEEPALIVE", "false")]).await, None);
}
