//! Object stores over TLS, with a certificate of an authority that nobody knows.
//!
//! Python's client of S3 believes what `AWS_CA_BUNDLE` names, and MLflow's of `wasbs:` what it believes of the tracking
//! server; so do we. Whoever is not believed is asked once, and learns nothing.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlflow_client::Error;
use st_testkit::Certificates;

use super::{Place, settings};

/// Stands before a server and counts who comes.
struct Door {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Door {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(server).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn text(certificates: &Certificates) -> String {
    certificates.authority().display().to_string()
}

async fn check_refused(variables: &[(&str, &str)], uri: &str, door: &Door) {
    let before = door.connections();
    let place = Place::of_settings(&settings(variables), &format!("{uri}/a"));
    let error = place.store.list(None).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { attempts: 1, after_sending: false, .. }), "{error:?}");
    let said = crate::attacks::chain(&error);
    assert!(said.starts_with(&format!("{uri}: ")) && said.contains("certificate"), "{said}");
    assert_eq!(door.connections() - before, 1);
}

async fn check_taken(variables: &[(&str, &str)], uri: &str) {
    let place = Place::of_settings(&settings(variables), &format!("{uri}/a"));
    place.write("x/y", b"over TLS").await;
    assert_eq!(place.text("x/y").await, "over TLS");
    assert_eq!(place.list(None).await, ["x/"]);
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn s3_is_believed_on_the_word_of_aws_ca_bundle() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let server = st_testkit::S3Server::with_tls(&certificates, "bucket");
    let door = Door::before(server.address());
    let (endpoint, authority, other) =
        (format!("https://{}", door.address), text(&certificates), text(&others));
    let keys = [
        ("MLFLOW_S3_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "not-checked"),
    ];
    let with = |name, value| [keys.as_slice(), &[(name, value)]].concat();
    check_refused(&keys, "s3://bucket", &door).await;
    check_refused(&with("AWS_CA_BUNDLE", &other), "s3://bucket", &door).await;
    // What the tracking server is believed on says nothing of S3, to Python either.
    check_refused(&with("MLFLOW_TRACKING_SERVER_CERT_PATH", &authority), "s3://bucket", &door).await;
    check_taken(&with("AWS_CA_BUNDLE", &authority), "s3://bucket").await;
    check_taken(&with("MLFLOW_S3_IGNORE_TLS", "true"), "s3://bucket").await;
}

#[cfg(feature = "s3")]
#[test]
fn a_bundle_that_is_none_is_told_by_its_own_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.pem");
    let open = |name: &str| {
        let file = file.display().to_string();
        let settings = settings(&[
            ("MLFLOW_S3_ENDPOINT_URL", "https://127.0.0.1:1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "not-checked"),
            (name, &file),
        ]);
        let client = mlflow_client::Client::connect(&settings).unwrap();
        client.artifacts().open(&"s3://bucket".parse().unwrap()).map(drop).unwrap_err().to_string()
    };
    assert_eq!(open("AWS_CA_BUNDLE"), format!("{}: cannot read", file.display()));
    std::fs::write(&file, "no certificate").unwrap();
    assert_eq!(open("AWS_CA_BUNDLE"), format!("AWS_CA_BUNDLE: {} holds no certificate", file.display()));
}

#[cfg(feature = "azure")]
#[tokio::test]
#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]
async fn wasbs_is_believed_as_the_tracking_server_is() {
    use st_testkit::AzureServer;
    let certificates = Certificates::make();
    let server = AzureServer::with_tls(&certificates, "container");
    let door = Door::before(server.address());
    let endpoint = format!("https://{}/{}", door.address, AzureServer::ACCOUNT);
    let (connection, authority) =
        (AzureServer::connection_string_of(&endpoint, AzureServer::KEY), text(&certificates));
    let key = ("AZURE_STORAGE_CONNECTION_STRING", connection.as_str());
    let wasbs = "wasbs://container@ann.blob.core.windows.net";
    check_refused(&[key], wasbs, &door).await;
    check_taken(&[key, ("MLFLOW_TRACKING_SERVER_CERT_PATH", &authority)], wasbs).await;
    check_taken(&[key, ("MLFLOW_TRACKING_INSECURE_TLS", "true")], wasbs).await;
    // MLflow leaves that one to Azure's library.
    let abfss = "abfss://container@ann.dfs.core.windows.net";
    check_refused(&[key, ("MLFLOW_TRACKING_SERVER_CERT_PATH", &authority)], abfss, &door).await;
}
