//! The Python process that starts a server and ends it.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::cache_dir;

const SCRIPT: &str = include_str!("keeper.py");

/// What is to be started.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) python: PathBuf,
    pub(crate) command: Vec<String>,
    /// Without one, the keeper makes a temporary folder and removes it.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) variables: Vec<(String, String)>,
}

/// The server ended before it listened.
#[derive(Debug, thiserror::Error)]
#[error("the server did not start:\n{log}")]
pub(crate) struct Failure {
    log: String,
}

impl Failure {
    pub(crate) fn is_port_taken(&self) -> bool {
        self.log.to_lowercase().contains("address already in use") || self.log.contains("Connection in use")
    }
}

/// A hold on a server: it lives at least as long as this.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    /// Of one test: the keeper ends the server when its stdin is closed, and then itself.
    Own(Child),
    /// Of many: the keeper ends the server some time after the last connection.
    Shared { _connection: UnixStream },
}

impl Keeper {
    /// A server for this process only.
    pub(crate) fn start(order: &Order) -> Result<Self, Failure> {
        let mut child = spawn(order, None);
        match first_line(&mut child) {
            Ok(folder) => Ok(Self { folder, hold: Hold::Own(child) }),
            Err(failure) => {
                let _ = child.wait();
                Err(failure)
            }
        }
    }

    /// A server that outlives this process while others hold it; the caller has the lock of the place.
    pub(crate) fn start_shared(order: &Order, place: &Place, port: u16) -> Result<Self, Failure> {
        let mut child = spawn(order, Some(place));
        let folder = match first_line(&mut child) {
            Ok(folder) => folder,
            Err(failure) => {
                let _ = child.wait();
                return Err(failure);
            }
        };
        let note = json!({ "port": port, "folder": folder }).to_string();
        fs::write(place.note(), note).expect("a note beside the socket of the shared server");
        let connection = UnixStream::connect(place.socket()).expect("the socket of the shared server");
        Ok(Self { folder, hold: Hold::Shared { _connection: connection } })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Hold::Own(child) = &mut self.hold {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Its stderr is ours only in a server of one test: what outlives a test must not hold the test's streams.
fn spawn(order: &Order, place: Option<&Place>) -> Child {
    let settings = json!({
        "command": order.command,
        "folder": order.folder,
        "variables": order.variables.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "socket": place.map(Place::socket),
        "lock": place.map(Place::lock_file),
    });
    let mut command = Command::new(&order.python);
    command.args(["-c", SCRIPT]).arg(settings.to_string()).stdout(Stdio::piped());
    // Ctrl-C in the terminal is for the test; the keeper notices that it died.
    command.process_group(0);
    match place {
        Some(_) => command.stdin(Stdio::null()).stderr(Stdio::null()),
        None => command.stdin(Stdio::piped()),
    };
    command.spawn().unwrap_or_else(|error| panic!("{}: did not start: {error}", order.python.display()))
}

fn first_line(child: &mut Child) -> Result<PathBuf, Failure> {
    let mut line = String::new();
    let out = child.stdout.take().expect("the keeper's stdout is a pipe");
    let read = BufReader::new(out).read_line(&mut line);
    match (read, line.trim_end().strip_prefix('!')) {
        (Ok(1..), None) => Ok(PathBuf::from(line.trim_end())),
        (Ok(1..), Some(log)) => {
            Err(Failure { log: serde_json::from_str(log).unwrap_or_else(|_| log.to_owned()) })
        }
        (Ok(0), _) => Err(Failure { log: "its keeper ended without a word".to_owned() }),
        (Err(error), _) => Err(Failure { log: error.to_string() }),
    }
}

/// Where processes find a server that they share: three files in the cache.
#[derive(Debug)]
pub(crate) struct Place {
    stem: PathBuf,
}

impl Place {
    /// Of one environment, whose folder is named after the digest of what is in it.
    pub(crate) fn of(environment: &Path, variant: &str) -> Self {
        let folder = cache_dir().join("servers");
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let digest = environment.file_name().unwrap_or_default().to_string_lossy();
        Self { stem: folder.join(format!("{digest}-{variant}")) }
    }

    fn socket(&self) -> PathBuf {
        self.stem.with_extension("socket")
    }

    fn note(&self) -> PathBuf {
        self.stem.with_extension("json")
    }

    fn lock_file(&self) -> PathBuf {
        self.stem.with_extension("lock")
    }

    /// Waits for others who start or end the server; it goes with the returned file.
    pub(crate) fn lock(&self) -> File {
        let path = self.lock_file();
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        locked.unwrap_or_else(|error| panic!("{}: cannot be locked: {error}", path.display()))
    }

    /// The server that is there already, if one is; the caller has the lock.
    pub(crate) fn join(&self) -> Option<(u16, PathBuf, Keeper)> {
        // A socket whose keeper died refuses.
        let connection = UnixStream::connect(self.socket()).ok()?;
        let (port, folder) = self.read_note().ok()?;
        let keeper = Keeper { folder: folder.clone(), hold: Hold::Shared { _connection: connection } };
        Some((port, folder, keeper))
    }

    fn read_note(&self) -> io::Result<(u16, PathBuf)> {
        #[derive(serde::Deserialize)]
        struct Note {
            port: u16,
            folder: PathBuf,
        }
        let note: Note = serde_json::from_slice(&fs::read(self.note())?)?;
        Ok((note.port, note.folder))
    }
}
