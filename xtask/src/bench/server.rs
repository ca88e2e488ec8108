//! A real `mlflow server` on loopback, as users start it, for as long as something is measured.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::python::{self, Environment};

/// How often it is asked whether it answers, every tenth of a second.
const PATIENCE: u32 = 600;

/// A server that ends when this is dropped, with all its workers.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts one that keeps everything in a folder, and waits until it answers.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let shown = folder.display();
        let mut command = Command::new(python::interpreter(Environment::Mlflow)?);
        command
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{shown}/mlflow.db")])
            .args(["--artifacts-destination", &format!("{shown}/artifacts")])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().context("mlflow server did not start")?;
        let mut server = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        for _ in 0..PATIENCE {
            if server.is_well() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("mlflow server ended instead of listening ({status})");
            }
            sleep(Duration::from_millis(100));
        }
        bail!("mlflow server does not answer on {}", server.address)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn is_well(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address)?;
            write!(stream, "GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.contains(" 200 "))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The workers are in its group; without the group they would stay.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}
