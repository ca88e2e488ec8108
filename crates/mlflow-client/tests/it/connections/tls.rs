//! TLS: whose certificates are taken, and ours. The server is Python's, with authorities made for one test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mlflow_client::{Error, Result};
use serde::Deserialize;
use st_testkit::{Environment, PythonScript};

use super::ask;

/// Makes two authorities and certificates of theirs, and serves an experiment that is called as the client's certificate is.
/// It ends with its input.
const SERVER: &str = r#"
import datetime, http.server, ipaddress, json, os, ssl, sys, threading
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
folder = sys.argv[1]
day = datetime.timedelta(days=1)
now = datetime.datetime.now(datetime.timezone.utc)

def write(file, *parts):
    with open(os.path.join(folder, file), "wb") as out:
        out.write(b"".join(parts))

def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)

def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

def certificate(name, issuer=None, hosts=(), ends=day):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, by_key = issuer or (None, key)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(by.subject if by else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * day).not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(hosts)), critical=False)
    return builder.sign(by_key, hashes.SHA256()), key

here = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
ours, other = certificate("ours"), certificate("other")
write("ours.pem", pem(ours[0]))
write("other.pem", pem(other[0]))
write("bundle.pem", pem(other[0]), pem(ours[0]))
for file, (cert, key) in {
    "server": certificate("server", ours, here),
    "elsewhere": certificate("elsewhere", ours, [x509.DNSName("elsewhere.test")]),
    "expired": certificate("expired", ours, here, -day),
    "ann": certificate("ann", ours),
    "eve": certificate("eve", other),
}.items():
    write(file + ".pem", pem(cert), key_pem(key))
    write(file + "-cert.pem", pem(cert))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        peer = self.connection.getpeercert()
        name = peer["subject"][0][0][1] if peer else "nobody"
        experiment = {"experiment_id": "1", "name": name, "artifact_location": "", "lifecycle_stage": "active"}
        body = json.dumps({"experiment": experiment}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        pass

    def finish_request(self, request, address):
        wrapped = self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        try:
            wrapped.do_handshake()
        except ssl.SSLError:
            # To close it with something unread would be a reset, before which the refusal might get lost.
            while os.read(wrapped.fileno(), 65536):
                pass
        else:
            self.RequestHandlerClass(wrapped, address, self)
        finally:
            wrapped.close()

def serve(file, asks_who=False):
    server = Server(("127.0.0.1", 0), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(os.path.join(folder, file + ".pem"))
    if asks_who:
        server.context.verify_mode = ssl.CERT_REQUIRED
        server.context.load_verify_locations(os.path.join(folder, "ours.pem"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "https://127.0.0.1:%d" % server.server_address[1]

places = {"open": serve("server"), "asking": serve("server", True), "elsewhere": serve("elsewhere"), "expired": serve("expired")}
print(json.dumps(places), flush=True)
sys.stdin.read()
"#;

/// The server's addresses.
#[derive(Deserialize)]
struct Places {
    /// Lets everybody in.
    open: String,
    /// Lets in who has a certificate of our authority.
    asking: String,
    /// Has a certificate of another host.
    elsewhere: String,
    /// Has a certificate of yesterday.
    expired: String,
}

struct Server {
    folder: tempfile::TempDir,
    places: Places,
    process: Child,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(Environment::Mlflow.interpreter())
            .args(["-c", SERVER])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { folder, places: serde_json::from_str(&line).unwrap(), process }
    }

    /// Asks a place; a value that ends in `.pem` is a file of the folder.
    async fn ask(&self, place: &str, variables: &[(&str, &str)]) -> Result<String> {
        let file = |value: &str| match Path::new(value).extension() {
            Some(_) => self.folder.path().join(value).display().to_string(),
            None => value.to_owned(),
        };
        let mut all = vec![("MLFLOW_TRACKING_URI", place.to_owned())];
        all.extend(variables.iter().map(|(name, value)| (*name, file(value))));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ask(&all).await
    }

    /// The two sides do not agree: told at once, since another attempt would end the same.
    async fn check_refused(&self, place: &str, variables: &[(&str, &str)]) {
        match self.ask(place, variables).await {
            Err(Error::Unreachable { attempts, .. }) => assert_eq!(attempts, 1, "{variables:?}"),
            other => panic!("{variables:?}: {other:?}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const AUTHORITY: &str = "MLFLOW_TRACKING_SERVER_CERT_PATH";
const INSECURE: &str = "MLFLOW_TRACKING_INSECURE_TLS";
const CLIENT: &str = "MLFLOW_TRACKING_CLIENT_CERT_PATH";

#[tokio::test]
async fn a_server_is_who_its_authority_says() {
    let server = Server::start();
    let Places { open, elsewhere, expired, .. } = &server.places;
    for file in ["ours.pem", "bundle.pem"] {
        assert_eq!(server.ask(open, &[(AUTHORITY, file)]).await.unwrap(), "nobody", "{file}");
    }
    // The system knows nothing of it, and another authority does not vouch for it.
    server.check_refused(open, &[]).await;
    server.check_refused(open, &[(AUTHORITY, "other.pem")]).await;
    for place in [elsewhere, expired] {
        server.check_refused(place, &[(AUTHORITY, "ours.pem")]).await;
    }
}

#[tokio::test]
async fn who_does_not_care_takes_any_server() {
    let server = Server::start();
    let Places { open, elsewhere, expired, .. } = &server.places;
    for place in [open, elsewhere, expired] {
        assert_eq!(server.ask(place, &[(INSECURE, "true")]).await.unwrap(), "nobody");
        server.check_refused(place, &[(INSECURE, "false")]).await;
    }
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_is_told() {
    let server = Server::start();
    let place = &server.places.asking;
    let authority = (AUTHORITY, "ours.pem");
    assert_eq!(server.ask(place, &[authority, (CLIENT, "ann.pem")]).await.unwrap(), "ann");
    assert_eq!(server.ask(place, &[(INSECURE, "true"), (CLIENT, "ann.pem")]).await.unwrap(), "ann");
    server.check_refused(place, &[authority]).await;
    server.check_refused(place, &[authority, (CLIENT, "eve.pem")]).await;
    // Who is asked nothing says nothing.
    let said = server.ask(&server.places.open, &[authority, (CLIENT, "ann.pem")]).await;
    assert_eq!(said.unwrap(), "nobody");
}

#[tokio::test]
async fn files_that_are_no_certificates_are_told_before_anything_is_sent() {
    let server = Server::start();
    let folder = server.folder.path();
    std::fs::write(folder.join("text.pem"), "no certificate").unwrap();
    let place = &server.places.open;
    for (variable, file) in [(AUTHORITY, "absent.pem"), (CLIENT, "absent.pem")] {
        let error = server.ask(place, &[(variable, file)]).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{}: cannot read", folder.join(file).display()));
    }
    for (variable, file) in [(AUTHORITY, "text.pem"), (CLIENT, "text.pem"), (CLIENT, "ann-cert.pem")] {
        let error = server.ask(place, &[(variable, file)]).await.unwrap_err();
        let Error::Setting { setting, .. } = &error else { panic!("{error:?}") };
        assert_eq!(setting, variable, "{file}: {error}");
    }
}

/// Both at once contradict each other, to Python and to us.
#[tokio::test]
async fn insecure_and_an_authority_exclude_each_other() {
    let both = [(INSECURE, "true"), (AUTHORITY, "ours.pem")];
    let error =
        ask(&[&[("MLFLOW_TRACKING_URI", "https://127.0.0.1:1")], &both[..]].concat()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{INSECURE}: not together with {AUTHORITY}"));
    let script = "
import json, mlflow
try:
    mlflow.MlflowClient().get_experiment('0')
    print(json.dumps('no error'))
except mlflow.MlflowException as error:
    print(json.dumps(error.message))
";
    let mut script = PythonScript::new(Environment::Mlflow, script)
        .variable("MLFLOW_TRACKING_URI", "https://127.0.0.1:1")
        .variable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0");
    for (name, value) in both {
        script = script.variable(name, value);
    }
    let said: String = script.run();
    assert!(
        said.contains("'ignore_tls_verification' is true then 'server_cert_path' must not be set"),
        "{said}"
    );
}
