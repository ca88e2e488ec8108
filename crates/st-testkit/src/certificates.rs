//! An authority that nobody knows, and a certificate of it for this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::python::{Environment, PythonScript};

/// Made anew each time, so that no key lies about in a repository and no certificate runs out.
const MAKE: &str = r#"
import datetime, ipaddress, json
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

def certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(issuer_key, hashes.SHA256())

def write(path, *parts):
    with open(path, "wb") as file:
        file.write(b"".join(parts))

pem = serialization.Encoding.PEM
authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
authority = certificate("authority of a test", authority_key, "authority of a test", authority_key,
                        x509.BasicConstraints(ca=True, path_length=0))
names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
server = certificate("server of a test", key, "authority of a test", authority_key,
                     x509.BasicConstraints(ca=False, path_length=None), names,
                     x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]))
write("authority.pem", authority.public_bytes(pem))
write("certificate.pem", server.public_bytes(pem))
write("key.pem", key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
print(json.dumps(None))
"#;

/// Three PEM files, good for a day; they are removed when this is dropped.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes an authority, and a certificate for `127.0.0.1` and `localhost` that it vouches for.
    ///
    /// # Panics
    ///
    /// If the Python environment is missing; the message names the command that makes it.
    #[must_use]
    #[track_caller]
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        PythonScript::new(Environment::Mlflow, MAKE).folder(folder.path()).run::<()>();
        Self { folder }
    }

    /// The authority's certificate: whoever is to believe the server reads it.
    pub fn authority(&self) -> PathBuf {
        self.file("authority.pem")
    }

    /// The server's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.file("certificate.pem")
    }

    /// The key of the server's certificate.
    pub(crate) fn key(&self) -> PathBuf {
        self.file("key.pem")
    }

    /// What a server of this process shows and proves.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let certificate = CertificateDer::from_pem_file(self.certificate()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(self.key()).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key);
        Arc::new(config.expect("a key that fits"))
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
