//! A server that speaks Azure's blob storage on loopback, for tests: Azurite, Microsoft's own emulator, which checks
//! signatures.
//!
//! It keeps containers in memory, of the one account `ann`. Azurite needs Node.js, which not every machine has: its tests
//! are marked as ignored, and `cargo xtask test` runs them where it is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::certificates::Certificates;
use crate::mlflow_server::keeper::{Keeper, Order, Place};
use crate::mlflow_server::{loopback, on_a_free_port};
use crate::python::{Environment, PythonScript};
use crate::{cache_dir, fixtures_dir};

/// Makes a container where only TLS is spoken.
const MAKE_CONTAINER: &str = r"
import json, sys
from azure.storage.blob import BlobServiceClient
BlobServiceClient.from_connection_string(sys.argv[1], connection_verify=sys.argv[2]).create_container(sys.argv[3])
print(json.dumps(None))
";

/// A server that answers; it ends with those who use it.
#[derive(Debug)]
pub struct AzureServer {
    port: u16,
    scheme: &'static str,
    _keeper: Keeper,
}

impl AzureServer {
    /// The account.
    pub const ACCOUNT: &'static str = "ann";

    /// Its key: words in base64.
    pub const KEY: &'static str = "b25seSBmb3IgdGVzdHMsIGFuZCBrbm93biB0byBhbGw=";

    /// A signature that [`KEY`](Self::KEY) made for everything in the account, good until 2099. It has a `+` and a `/`.
    pub const SIGNATURE: &'static str = "sv=2023-11-03&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A03Z&spr=https%2Chttp&sig=LGua2eDFpkb23ooZJB8Z9%2B6HO5byLBYbSI%2F%2F%2BgtSvCs%3D";

    /// As [`SIGNATURE`](Self::SIGNATURE), and good until 2001.
    pub const EXPIRED_SIGNATURE: &'static str = "sv=2023-11-03&ss=b&srt=sco&sp=rwdlac&se=2001-01-01T00%3A00%3A00Z&spr=https%2Chttp&sig=oDs9X%2Fc%2B2lRUoM55ggEoZXlmiDHgfq8d7MMT%2Bf8kPCA%3D";

    /// The server that all tests share: their containers need names of their own.
    ///
    /// # Panics
    ///
    /// If Azurite is not installed (the message names the command that installs it), or if the server ends instead of
    /// listening (the message holds its log).
    pub fn shared() -> &'static Self {
        static SERVER: LazyLock<AzureServer> = LazyLock::new(|| {
            let place = Place::of(&folder(), "azure");
            let _lock = place.lock();
            if let Some((port, _, keeper)) = place.join() {
                return AzureServer { port, scheme: "http", _keeper: keeper };
            }
            let (port, keeper) =
                on_a_free_port(|port| Keeper::start_shared(&order(port, None), &place, port));
            AzureServer { port, scheme: "http", _keeper: keeper }
        });
        &SERVER
    }

    /// A server of one test that speaks TLS, and has one container.
    ///
    /// # Panics
    ///
    /// As [`shared`](Self::shared).
    #[must_use]
    #[track_caller]
    pub fn with_tls(certificates: &Certificates, container: &str) -> Self {
        let (port, keeper) = on_a_free_port(|port| Keeper::start(&order(port, Some(certificates))));
        let server = Self { port, scheme: "https", _keeper: keeper };
        PythonScript::new(Environment::Mlflow, MAKE_CONTAINER)
            .argument(server.connection_string())
            .argument(certificates.authority())
            .argument(container)
            .run::<()>();
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        loopback(self.port)
    }

    /// The endpoint of the account: `http://127.0.0.1:PORT/ann`.
    pub fn endpoint(&self) -> String {
        format!("{}://{}/{}", self.scheme, self.address(), Self::ACCOUNT)
    }

    /// What `AZURE_STORAGE_CONNECTION_STRING` says of it.
    pub fn connection_string(&self) -> String {
        Self::connection_string_of(&self.endpoint(), Self::KEY)
    }

    /// As [`connection_string`](Self::connection_string), of another address or key.
    pub fn connection_string_of(endpoint: &str, key: &str) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName={};AccountKey={key};BlobEndpoint={endpoint};",
            Self::ACCOUNT
        )
    }

    /// Makes a container.
    ///
    /// # Panics
    ///
    /// If the server does not make it.
    #[track_caller]
    pub fn make_container(&self, name: &str) {
        let mut stream = TcpStream::connect(self.address()).expect("the server listens");
        let request = format!(
            "PUT /{}/{name}?restype=container&{} HTTP/1.1\r\nHost: {}\r\nx-ms-version: 2023-11-03\r\nContent-Length: \
             0\r\nConnection: close\r\n\r\n",
            Self::ACCOUNT,
            Self::SIGNATURE,
            self.address()
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains(" 201 "), "{answer}");
    }
}

/// Where `cargo xtask setup` put Azurite: the folder whose mark holds the lock of this checkout.
#[track_caller]
fn folder() -> PathBuf {
    let lock = fixtures_dir().join("azurite/package-lock.json");
    let text = fs::read_to_string(&lock)
        .unwrap_or_else(|error| panic!("{}: cannot be read: {error}", lock.display()));
    let parent = cache_dir().join("node");
    let mut folders = fs::read_dir(&parent).into_iter().flatten().flatten().map(|entry| entry.path());
    folders
        .find(|folder| fs::read_to_string(folder.join("complete")).is_ok_and(|mark| mark == text))
        .unwrap_or_else(|| {
            panic!("{}: no Azurite; `cargo xtask setup` installs it where Node.js is", parent.display())
        })
}

fn order(port: u16, certificates: Option<&Certificates>) -> Order {
    let program = folder().join("node_modules/azurite/dist/src/blob/main.js").display().to_string();
    let port = port.to_string();
    let words = ["node", &program, "--blobHost", "127.0.0.1", "--blobPort", &port, "--inMemoryPersistence"];
    let mut command = words.map(str::to_owned).to_vec();
    // Python's client asks for a version of the interface that is younger than the server.
    command.push("--skipApiVersionCheck".to_owned());
    if let Some(certificates) = certificates {
        command.extend(["--cert".to_owned(), certificates.certificate().display().to_string()]);
        command.extend(["--key".to_owned(), certificates.key().display().to_string()]);
    }
    let accounts = format!("{}:{}", AzureServer::ACCOUNT, AzureServer::KEY);
    let variables = vec![("AZURITE_ACCOUNTS".to_owned(), accounts)];
    Order { python: Environment::Mlflow.interpreter(), command, folder: None, variables }
}
