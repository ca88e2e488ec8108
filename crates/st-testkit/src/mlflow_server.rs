//! A real MLflow server on loopback, for tests.
//!
//! It comes from the Python environment that `cargo xtask setup` makes, keeps its runs in `SQLite` and its artifacts in
//! a folder of its own, and ends with the test that asked for it, even if that is killed: a small Python process
//! (`keeper.py`) notices. To start takes about five seconds, so tests that get along with each other's experiments
//! share one: [`MlflowServer::shared`] is the same server for every test process that runs meanwhile, because
//! cargo-nextest gives each test a process.

pub(crate) mod keeper;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use tempfile::TempDir;

use self::keeper::{Failure, Keeper, Order};
use crate::python::Environment;

/// The administrator of a server with [`ServerOptions::with_auth`].
pub const ADMIN_USERNAME: &str = "admin";

/// The password of [`ADMIN_USERNAME`].
pub const ADMIN_PASSWORD: &str = "correct horse battery";

/// How often a port may be somebody else's by the time that the server binds it.
const TRIES: usize = 3;

/// Which server to start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// [`Environment::Mlflow`] or [`Environment::Mlflow2`].
    pub release: Environment,
    /// Users and passwords (`--app-name basic-auth`).
    pub auth: bool,
    /// As a person starts it who wants to see what is in a folder: `mlflow ui`, there, and nothing said of stores.
    pub ui_of: Option<PathBuf>,
    /// More arguments for `mlflow server`; `{folder}` becomes the server's folder.
    pub arguments: Vec<String>,
    /// More environment variables; `{folder}` becomes the server's folder.
    pub variables: Vec<(String, String)>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let (arguments, variables) = (Vec::new(), Vec::new());
        Self { release: Environment::Mlflow, auth: false, ui_of: None, arguments, variables }
    }
}

impl ServerOptions {
    /// MLflow 2.22 instead of 3.17.2.
    #[must_use]
    pub fn with_release(mut self, release: Environment) -> Self {
        self.release = release;
        self
    }

    /// Asks for the password of [`ADMIN_USERNAME`] or of a user that the test makes.
    #[must_use]
    pub fn with_auth(mut self) -> Self {
        self.auth = true;
        self
    }

    /// `mlflow ui` in a folder whose `mlflow.db` and `mlruns` somebody else wrote.
    #[must_use]
    pub fn with_ui_of(mut self, folder: &Path) -> Self {
        self.ui_of = Some(folder.to_path_buf());
        self
    }

    /// One more argument for `mlflow server`; `{folder}` becomes the server's folder.
    #[must_use]
    pub fn with_argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// One more environment variable; `{folder}` becomes the server's folder.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, port: u16) -> Vec<String> {
        let python = self.release.interpreter().display().to_string();
        let port = port.to_string();
        let command = if self.ui_of.is_some() { "ui" } else { "server" };
        let words = ["-m", "mlflow", command, "--host", "127.0.0.1", "--port", &port, "--workers", "1"];
        let stores = ["--backend-store-uri", "sqlite:///{folder}/mlflow.db"];
        let stores = [&stores[..], &["--artifacts-destination", "{folder}/artifacts"]].concat();
        let stores = if self.ui_of.is_some() { Vec::new() } else { stores };
        let app: &[&str] = if self.auth { &["--app-name", "basic-auth"] } else { &[] };
        let words = words.iter().chain(&stores).chain(app);
        let words = words.map(|word| (*word).to_owned());
        [python].into_iter().chain(words).chain(self.arguments.iter().cloned()).collect()
    }

    fn variables(&self) -> Vec<(String, String)> {
        // What starts beside the server costs time and is not asked for by a client.
        let mut all =
            vec![("MLFLOW_DISABLE_TELEMETRY", "true"), ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")];
        all.extend([("PYTHONDONTWRITEBYTECODE", "1"), ("GIT_PYTHON_REFRESH", "quiet")]);
        if self.auth {
            all.extend([("MLFLOW_FLASK_SERVER_SECRET_KEY", "only for tests")]);
            all.extend([("MLFLOW_AUTH_ADMIN_USERNAME", ADMIN_USERNAME)]);
            all.extend([("MLFLOW_AUTH_ADMIN_PASSWORD", ADMIN_PASSWORD)]);
        }
        let own = all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.variables.iter().cloned()).collect()
    }
}

/// A server that answers; it ends when this is dropped, or with the process.
#[derive(Debug)]
pub struct MlflowServer {
    options: ServerOptions,
    port: u16,
    folder: PathBuf,
    /// Of a server that made one; the keeper removes the folder of a shared one.
    _own_folder: Option<TempDir>,
    is_shared: bool,
    keeper: Mutex<Option<Keeper>>,
}

impl MlflowServer {
    /// Starts a server for one test: with runs and models that nobody else sees.
    ///
    /// # Panics
    ///
    /// If the Python environment is missing (the message names the command that makes it), or if the server ends
    /// instead of listening (the message holds its log).
    #[must_use]
    #[track_caller]
    pub fn start(options: &ServerOptions) -> Self {
        let own_folder = options.ui_of.is_none().then(|| tempfile::tempdir().expect("a temporary folder"));
        let folder = own_folder.as_ref().map(TempDir::path).or(options.ui_of.as_deref());
        let folder = folder.expect("one of the two").to_path_buf();
        let (port, keeper) = on_a_free_port(|port| Keeper::start(&order(options, port, Some(&folder))));
        wait_for_health(port);
        let (options, keeper) = (options.clone(), Mutex::new(Some(keeper)));
        Self { options, port, folder, _own_folder: own_folder, is_shared: false, keeper }
    }

    /// The plain server of MLflow 3.17.2 that all tests share: their experiments and models need names of their own.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared() -> &'static Self {
        static SERVER: LazyLock<MlflowServer> =
            LazyLock::new(|| MlflowServer::join("plain", &ServerOptions::default()));
        &SERVER
    }

    /// As [`shared`](Self::shared), with users and passwords.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared_with_auth() -> &'static Self {
        static SERVER: LazyLock<MlflowServer> =
            LazyLock::new(|| MlflowServer::join("auth", &ServerOptions::default().with_auth()));
        &SERVER
    }

    /// As [`shared`](Self::shared), for webhooks: it calls addresses of this machine, once each.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared_with_webhooks() -> &'static Self {
        static SERVER: LazyLock<MlflowServer> = LazyLock::new(|| {
            let options = ServerOptions::default()
                .with_variable("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http,https")
                .with_variable("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")
                .with_variable("MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES", "0")
                // Thirty-two bytes in base64.
                .with_variable("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", &format!("{}=", "A".repeat(43)));
            MlflowServer::join("webhooks", &options)
        });
        &SERVER
    }

    /// As [`shared`](Self::shared), of MLflow 2.22.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared_2() -> &'static Self {
        static SERVER: LazyLock<MlflowServer> = LazyLock::new(|| {
            MlflowServer::join("plain", &ServerOptions::default().with_release(Environment::Mlflow2))
        });
        &SERVER
    }

    /// The server that another process started, or else a new one for this and others to come.
    #[track_caller]
    fn join(variant: &str, options: &ServerOptions) -> Self {
        let place = keeper::Place::of(&options.release.folder(), variant);
        let _lock = place.lock();
        let (port, folder, keeper) = place.join().unwrap_or_else(|| {
            let (port, keeper) = on_a_free_port(|port| {
                let order = order(options, port, None);
                Keeper::start_shared(&order, &place, port)
            });
            (port, keeper.folder().to_path_buf(), keeper)
        });
        wait_for_health(port);
        let (options, keeper) = (options.clone(), Mutex::new(Some(keeper)));
        Self { options, port, folder, _own_folder: None, is_shared: true, keeper }
    }

    /// `http://127.0.0.1:PORT`, the tracking URI.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        loopback(self.port)
    }

    /// What a browser gets that asks for a page, a path with its query.
    ///
    /// # Panics
    ///
    /// If there is no answer of HTTP.
    #[track_caller]
    pub fn get(&self, path: &str) -> Page {
        get(self.port, path).unwrap_or_else(|error| panic!("port {}: {path}: {error}", self.port))
    }

    /// The folder of the server: `mlflow.db`, `artifacts` and `server.log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server wrote so far; one line a request.
    ///
    /// # Panics
    ///
    /// If the log cannot be read.
    #[track_caller]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("server.log")).expect("the log of the server");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Kills the server as `kill -9` does and waits until it is gone; connections to it are reset or refused.
    ///
    /// # Panics
    ///
    /// If other tests use the server as well.
    #[track_caller]
    pub fn kill(&self) {
        assert!(!self.is_shared, "a shared server is not one test's to kill");
        drop(self.keeper().take());
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and with what it had stored.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), or if other tests use the server as well.
    #[track_caller]
    pub fn start_again(&self) {
        self.kill();
        let order = order(&self.options, self.port, Some(&self.folder));
        let keeper = Keeper::start(&order).unwrap_or_else(|failure| panic!("{failure}"));
        *self.keeper() = Some(keeper);
        wait_for_health(self.port);
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order(options: &ServerOptions, port: u16, folder: Option<&Path>) -> Order {
    Order {
        python: options.release.interpreter(),
        command: options.command(port),
        folder: folder.map(Path::to_path_buf),
        variables: options.variables(),
    }
}

/// Between choosing a port and binding it, somebody else may take it.
#[track_caller]
pub(crate) fn on_a_free_port(start: impl Fn(u16) -> Result<Keeper, Failure>) -> (u16, Keeper) {
    let mut failures = String::new();
    for _ in 0..TRIES {
        let port = free_port();
        match start(port) {
            Ok(keeper) => return (port, keeper),
            Err(failure) if failure.is_port_taken() => {
                let _ = writeln!(failures, "{failure}");
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    panic!("{TRIES} ports were taken by others:\n{failures}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(loopback(0)).expect("a port on loopback");
    listener.local_addr().expect("the port that was bound").port()
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A server that listens may not answer yet; the connection waits until it does.
#[track_caller]
fn wait_for_health(port: u16) {
    let page = get(port, "/health").unwrap_or_else(|error| panic!("port {port}: /health: {error}"));
    assert_eq!(page.status, 200, "port {port}: /health: {page:?}");
}

/// An answer of a server.
#[derive(Clone, Debug)]
pub struct Page {
    /// Such as 200.
    pub status: u16,
    /// Such as `text/html; charset=utf-8`; empty if it is not said.
    pub content_type: String,
    /// What follows the headers.
    pub body: Vec<u8>,
}

impl Page {
    /// The body, of JSON.
    ///
    /// # Panics
    ///
    /// If it is none, or not what was expected.
    #[track_caller]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// In the older HTTP, whose bodies end with the connection.
fn get(port: u16, path: &str) -> io::Result<Page> {
    let mut stream = TcpStream::connect(loopback(port))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&answer[..end.unwrap_or_default()]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (Some(end), Some(status)) = (end, status) else {
        return Err(io::Error::other(format!("no answer of HTTP: {}", String::from_utf8_lossy(&answer))));
    };
    let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let content_type = headers.filter(|(name, _)| is_type(name)).map(|(_, value)| value.to_owned()).next();
    Ok(Page { status, content_type: content_type.unwrap_or_default(), body: answer.split_off(end + 4) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_in_where_the_server_learns_of_it() {
        let options = ServerOptions::default().with_auth().with_variable("MLFLOW_X", "{folder}/x");
        assert!(options.variables().contains(&("MLFLOW_X".into(), "{folder}/x".into())));
        assert!(options.variables().contains(&("MLFLOW_AUTH_ADMIN_PASSWORD".into(), ADMIN_PASSWORD.into())));
        // MLflow refuses shorter ones.
        assert!(ADMIN_PASSWORD.len() >= 12);
    }
}
