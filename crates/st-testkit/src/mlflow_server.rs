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
    /// More arguments for `mlflow server`; `{folder}` becomes the server's folder.
    pub arguments: Vec<String>,
    /// More environment variables; `{folder}` becomes the server's folder.
    pub variables: Vec<(String, String)>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { release: Environment::Mlflow, auth: false, arguments: Vec::new(), variables: Vec::new() }
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
        let words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port, "--workers", "1"];
        let stores = ["--backend-store-uri", "sqlite:///{folder}/mlflow.db", "--artifacts-destination"];
        let app: &[&str] = if self.auth { &["--app-name", "basic-auth"] } else { &[] };
        let words = words.iter().chain(&stores).chain(&["{folder}/artifacts"]).chain(app);
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
    /// Of a server of one test only; the keeper removes the folder of a shared one.
    own_folder: Option<TempDir>,
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
        let own = tempfile::tempdir().expect("a temporary folder");
        let folder = own.path().to_path_buf();
        let (port, keeper) = on_a_free_port(|port| Keeper::start(&order(options, port, Some(&folder))));
        wait_for_health(port);
        Self {
            options: options.clone(),
            port,
            folder,
            own_folder: Some(own),
            keeper: Mutex::new(Some(keeper)),
        }
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
        Self { options: options.clone(), port, folder, own_folder: None, keeper: Mutex::new(Some(keeper)) }
    }

    /// `http://127.0.0.1:PORT`, the tracking URI.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        loopback(self.port)
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
        assert!(self.own_folder.is_some(), "a shared server is not one test's to kill");
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
    let answer = health(port).unwrap_or_else(|error| panic!("port {port}: no answer from /health: {error}"));
    assert!(answer.contains(" 200 "), "port {port}: /health answered {answer}");
}

fn health(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(loopback(port))?;
    write!(stream, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
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
