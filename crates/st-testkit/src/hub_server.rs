//! A stand-in for the hub of models on loopback: as much of its protocol as a download needs.
//!
//! Small files are served by the hub itself, large ones by a second server on another port, as the real hub sends those to
//! its storage: the answer redirects there, and says the digest and the size in `X-Linked-ETag` and `X-Linked-Size`. Every
//! request is written down. Either may speak TLS; then the hub is `localhost`, and so another host than its storage. What networks and servers do wrong is the business of a [`FaultProxy`](crate::FaultProxy) before
//! it, or of the methods of [`HubModel`] that make it lie.

mod answer;
mod model;

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub use self::model::{Gate, HubModel};
use crate::certificates::Certificates;

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
    url: String,
    shared: Arc<Shared>,
    accepting: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The address of the storage.
    storage: String,
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
        Self::serve(None, None)
    }

    /// A hub that is `https://localhost`, with its storage at `https://127.0.0.1`.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn with_tls(certificates: &Certificates) -> Self {
        let tls = Some(certificates.server());
        Self::serve(tls.clone(), tls)
    }

    /// A hub that is `https://localhost`, and sends whoever wants a large file to `http://127.0.0.1`.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn with_storage_in_the_open(certificates: &Certificates) -> Self {
        Self::serve(Some(certificates.server()), None)
    }

    fn serve(hub_tls: Option<Arc<ServerConfig>>, storage_tls: Option<Arc<ServerConfig>>) -> Self {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let (hub, storage) = (listen(), listen());
        let address = |listener: &TcpListener| listener.local_addr().expect("a listener has an address");
        let (hub_address, storage_address) = (address(&hub), address(&storage));
        let url = match hub_tls {
            Some(_) => format!("https://localhost:{}", hub_address.port()),
            None => format!("http://{hub_address}"),
        };
        let scheme = if storage_tls.is_some() { "https" } else { "http" };
        let shared = Shared { storage: format!("{scheme}://{storage_address}"), ..Shared::default() };
        let shared = Arc::new(shared);
        let accepting =
            [(hub, hub_tls, false), (storage, storage_tls, true)].map(|(listener, tls, storage)| {
                let place = Place { tls, is_storage: storage, shared: Arc::clone(&shared) };
                thread::spawn(move || place.accept(&listener))
            });
        Self { address: hub_address, storage: storage_address, url, shared, accepting: accepting.into() }
    }

    /// Puts a model there, or another one in its place.
    pub fn add(&self, repository: &str, model: HubModel) {
        lock(&self.shared.models).insert(repository.to_owned(), model);
    }

    /// For `HF_ENDPOINT`.
    pub fn url(&self) -> String {
        self.url.clone()
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

/// One of the two servers.
#[derive(Clone)]
struct Place {
    tls: Option<Arc<ServerConfig>>,
    is_storage: bool,
    shared: Arc<Shared>,
}

impl Place {
    fn accept(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.shared.stopping.load(Ordering::Acquire) {
                return;
            }
            let (Ok(stream), place) = (stream, self.clone()) else { continue };
            // A client that goes away is no failure of the server.
            thread::spawn(move || place.serve(stream));
        }
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let Some(tls) = &self.tls else { return self.answer(stream) };
        let connection = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        self.answer(StreamOwned::new(connection, stream))
    }

    /// One request a connection.
    fn answer(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let Some(request) = read(&mut stream, self.is_storage)? else { return Ok(()) };
        lock(&self.shared.requests).push(request.clone());
        let answer = {
            let models = lock(&self.shared.models);
            if self.is_storage {
                answer::storage(&models, &request)
            } else {
                answer::hub(&models, &request, &self.shared.storage)
            }
        };
        let (mut head, body) = answer.to_wire(request.method == "HEAD");
        head.push_str("Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        stream.flush()
    }
}

fn read(stream: impl Read, to_storage: bool) -> io::Result<Option<HubRequest>> {
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
