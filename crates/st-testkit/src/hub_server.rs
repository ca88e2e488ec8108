//! A stand-in for the hub of models on loopback: as much of its protocol as a download needs.
//!
//! Small files are served by the hub itself, large ones by a second server on another port, as the real hub sends those to
//! its storage: the answer redirects there, and says the digest and the size in `X-Linked-ETag` and `X-Linked-Size`. Every
//! request is written down. What networks and servers do wrong is the business of a [`FaultProxy`](crate::FaultProxy) before
//! it, or of the methods of [`HubModel`] that make it lie.

mod answer;
mod model;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use self::model::{Gate, HubModel};

/// The two servers; they stop taking connections when dropped.
///
/// ```no_run
/// use st_testkit::{HubModel, HubServer, tiny_model_dir};
///
/// let hub = HubServer::start();
/// hub.add("org/tiny", HubModel::of_folder(&tiny_model_dir("mean")));
/// // … a client with HF_ENDPOINT={hub.url()} …
/// assert!(hub.requests().is_empty());
/// ```
#[derive(Debug)]
pub struct HubServer {
    address: SocketAddr,
    storage: SocketAddr,
    shared: Arc<Shared>,
    accepting: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    models: Mutex<HashMap<String, HubModel>>,
    requests: Mutex<Vec<HubRequest>>,
    stopping: AtomicBool,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubRequest {
    /// Such as `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Range`.
    pub range: Option<String>,
    /// Whether it came to the storage and not to the hub.
    pub to_storage: bool,
}

impl HubServer {
    /// A hub without models.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start() -> Self {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let (hub, storage) = (listen(), listen());
        let address = |listener: &TcpListener| listener.local_addr().expect("a listener has an address");
        let (hub_address, storage_address) = (address(&hub), address(&storage));
        let shared = Arc::new(Shared::default());
        let accepting = [(hub, None), (storage, Some(()))].map(|(listener, storage)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared, storage.is_some(), storage_address))
        });
        Self { address: hub_address, storage: storage_address, shared, accepting: accepting.into() }
    }

    /// Puts a model there, or another one in its place.
    pub fn add(&self, repository: &str, model: HubModel) {
        lock(&self.shared.models).insert(repository.to_owned(), model);
    }

    /// For `HF_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the hub listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came since the start, in the order in which it came.
    pub fn requests(&self) -> Vec<HubRequest> {
        lock(&self.shared.requests).clone()
    }

    /// Forgets what came.
    pub fn forget(&self) {
        lock(&self.shared.requests).clear();
    }
}

impl Drop for HubServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        for address in [self.address, self.storage] {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(address);
        }
        for thread in self.accepting.drain(..) {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, to_storage: bool, storage: SocketAddr) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let (Ok(stream), shared) = (stream, Arc::clone(shared)) else { continue };
        // A client that goes away is no failure of the server.
        thread::spawn(move || serve(&stream, &shared, to_storage, storage));
    }
}

/// One request a connection.
fn serve(stream: &TcpStream, shared: &Shared, to_storage: bool, storage: SocketAddr) -> std::io::Result<()> {
    let Some(request) = read(stream, to_storage)? else { return Ok(()) };
    lock(&shared.requests).push(request.clone());
    let answer = {
        let models = lock(&shared.models);
        if to_storage { answer::storage(&models, &request) } else { answer::hub(&models, &request, storage) }
    };
    let (mut head, body) = answer.to_wire(request.method == "HEAD");
    head.push_str("Connection: close\r\n\r\n");
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

fn read(stream: &TcpStream, to_storage: bool) -> std::io::Result<Option<HubRequest>> {
    let mut lines = BufReader::new(stream).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut request = HubRequest { method, path, authorization: None, range: None, to_storage };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = Some(value.trim().to_owned()),
            "range" => request.range = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Ok(Some(request))
}
