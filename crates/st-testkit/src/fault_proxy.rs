//! A reverse proxy on loopback that does wrong what networks and servers do wrong.
//!
//! It stands before a real server, hands requests on, and makes those suffer that a [`Rule`] names: resets, answers
//! that the server never gave, bodies that are cut, changed or slow, wrong lengths. It writes every request down, so
//! that a test can say what was sent twice and which header went where. Bodies of any length go through in constant
//! memory; HTTP/1.1 without TLS only.

mod exchange;
mod message;
mod record;
mod rule;

use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use self::exchange::{After, Exchange};
use self::message::Head;
use self::record::Record;
pub use self::record::SeenRequest;
pub use self::rule::{Fault, Hook, Moment, Rule};

/// The proxy; it stops taking connections when dropped.
///
/// ```no_run
/// use st_testkit::{Fault, FaultProxy, MlflowServer, Moment, Rule};
///
/// let server = MlflowServer::shared();
/// let proxy = FaultProxy::start(server.address(), vec![
///     Rule::new("POST", "*/runs/log-batch", Fault::answer(429, &[("Retry-After", "1")], "")).times(2),
///     Rule::new("POST", "*/runs/create", Fault::Reset(Moment::BeforeAnswer)),
/// ]);
/// // … a client of `proxy.url()` …
/// proxy.assert_rules_met();
/// assert_eq!(proxy.requests_to("POST", "*/runs/create").len(), 1);
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    rules: Mutex<Vec<Rule>>,
    record: Record,
    stopping: AtomicBool,
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every rule counts the request; the first whose turn it is says what happens.
    fn fault_for(&self, head: &Head) -> Option<Fault> {
        let mut faults = Vec::new();
        for rule in self.rules().iter_mut() {
            faults.extend(rule.turn(head.word(0), head.word(1)).cloned());
        }
        faults.into_iter().next()
    }
}

impl FaultProxy {
    /// Stands before the server at this address.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    #[must_use]
    #[track_caller]
    pub fn start(server: SocketAddr, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("the port that was bound");
        let (record, stopping) = (Record::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { server, rules: Mutex::new(rules), record, stopping });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Other rules from the next request on; they count from zero.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        *self.shared.rules() = rules;
    }

    /// Every request so far, in the order in which their heads arrived.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.record.requests().clone()
    }

    /// Those of [`requests`](Self::requests) that match; `method` and `path` as in [`Rule::new`].
    pub fn requests_to(&self, method: &str, path: &str) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|seen| rule::is_match(method, path, &seen.method, &seen.path));
        requests
    }

    /// Panics when a rule still waits for a request: the client sent less than the test is about.
    ///
    /// # Panics
    ///
    /// With the rules and what they wait for.
    #[track_caller]
    pub fn assert_rules_met(&self) {
        let rules = self.shared.rules();
        let waiting: Vec<&Rule> = rules.iter().filter(|rule| rule.outstanding() > 0).collect();
        assert!(waiting.is_empty(), "rules that still wait for a request: {waiting:#?}");
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // Wakes the listener, which then sees that it is to stop.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || serve(client, &shared));
    }
}

/// One connection of a client, request after request.
fn serve(client: TcpStream, shared: &Shared) {
    let mut client = BufReader::new(client);
    while let Ok(Some(request)) = Head::read(&mut client) {
        let entry = shared.record.enter(&request);
        let fault = shared.fault_for(&request);
        let exchange = Exchange { client: &mut client, request, fault, entry };
        match exchange.run(shared.server) {
            Ok(After::Keep) => {}
            Ok(After::Close) => return,
            // A server that broke off is a connection that breaks off.
            Ok(After::Reset) | Err(_) => return reset(client.get_ref()),
        }
    }
}

/// Closing it now sends RST instead of FIN.
fn reset(client: &TcpStream) {
    // A client that is gone already needs no reset.
    let _ = SockRef::from(client).set_linger(Some(Duration::ZERO));
}
