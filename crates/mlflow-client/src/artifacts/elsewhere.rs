//! Ways to hosts that are not the server: as nobody, with nobody's credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use url::Url;

use super::{ArtifactSettings, hosts};
use crate::rest::{HttpRequest, HttpResponse, HttpTransport, Session, Transport, TransportError};
use crate::settings::{HttpSettings, Tls, Verify};
use crate::{Error, Result};

/// A way to the web, for addresses that the user names.
pub(super) fn web(settings: &ArtifactSettings) -> Result<Session> {
    let tls = Tls { client_certificate: None, ..settings.http.tls.clone() };
    let http = HttpSettings { tls, ..settings.http.clone() };
    session(Arc::new(Web(HttpTransport::new(&http)?)), &http)
}

/// A way to the object store behind a server, for addresses that `server` gives. Its certificate is checked as S3's.
pub(super) fn object_store(server: &Url, settings: &ArtifactSettings) -> Result<Session> {
    let verify = match &settings.s3.authorities {
        _ if settings.s3.ignore_tls => Verify::Nothing,
        Some(path) => Verify::Authorities(path.clone()),
        None => Verify::System,
    };
    let http = HttpSettings { tls: Tls { verify, client_certificate: None }, ..settings.http.clone() };
    let transport = BehindServer {
        known: HttpTransport::new(&http)?,
        unknown: HttpTransport::guarded(&http, hosts::is_public)?,
        server: server.clone(),
        allowed: settings.allowed_hosts.clone(),
        has_answered: AtomicBool::new(false),
    };
    session(Arc::new(transport), &http)
}

/// An address that a server may send us to, with what we have of a file or for the rest of one: its own, one that the user
/// has allowed, or one that may be an object store of the whole world. A user in it would be a credential of somebody.
pub(super) fn store_address(url: &str, server: &Url, settings: &ArtifactSettings) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let nameless = url.username().is_empty() && url.password().is_none();
    let may_be = is_known(&url, server, &settings.allowed_hosts) || hosts::looks_public(&url);
    (web && nameless && may_be).then_some(url)
}

fn is_known(url: &Url, server: &Url, allowed: &[String]) -> bool {
    url.origin() == server.origin() || hosts::is_among(url, allowed)
}

fn session(transport: Arc<dyn Transport>, settings: &HttpSettings) -> Result<Session> {
    // No credentials belong to the session, so it needs no address to keep them to.
    let nowhere = Url::parse("https://nowhere.invalid")
        .map_err(|error| Error::Uri { uri: String::new(), problem: error.to_string() })?;
    Ok(Session::new(transport, nowhere).with_http(settings))
}

/// What is meant for a server of MLflow is nobody else's business.
fn nameless(request: &HttpRequest) -> HttpRequest {
    let mut request = request.clone();
    request.headers.retain(|(name, _)| !name.starts_with("x-mlflow-"));
    request
}

#[derive(Debug)]
struct Web(HttpTransport);

#[async_trait]
impl Transport for Web {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.0.send(&nameless(request)).await
    }
}

/// What a name stands for is looked at when it is connected to, so that no name leads where an address may not. Behind an
/// HTTP proxy it is that which looks names up.
#[derive(Debug)]
struct BehindServer {
    known: HttpTransport,
    unknown: HttpTransport,
    server: Url,
    allowed: Vec<String>,
    has_answered: AtomicBool,
}

#[async_trait]
impl Transport for BehindServer {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let is_known = is_known(&request.url, &self.server, &self.allowed);
        let transport = if is_known { &self.known } else { &self.unknown };
        let sent = transport.send(&nameless(request)).await;
        if sent.is_ok() {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        // A store in the server's own network never answers us. That is no outage to wait out, for there is another way.
        let has_answered = self.has_answered.load(Ordering::Relaxed);
        sent.map_err(|error| TransportError {
            lasting: error.lasting || !(has_answered || error.after_sending),
            ..error
        })
    }
}

#[cfg(test)]
mod tests {
    use mlflow_types::{Method, Repeat};

    use super::*;

    #[track_caller]
    fn check(url: &str, expected: bool) {
        let server: Url = "http://mlflow.test:5000/prefix".parse().unwrap();
        let settings = ArtifactSettings::default().with_allowed_host("minio:9000");
        assert_eq!(store_address(url, &server, &settings).is_some(), expected, "{url}");
    }

    #[test]
    fn a_server_sends_us_to_stores_only() {
        check("https://bucket.s3.amazonaws.com/a?X-Amz-Signature=1", true);
        check("http://mlflow.test:5000/a", true);
        check("http://minio:9000/a", true);
        check("http://minio:9001/a", false);
        check("http://mlflow.test:5001/a", false);
        check("http://bucket.s3.amazonaws.com/a", false);
        check("https://10.0.0.5/a", false);
        check("https://169.254.169.254/latest", false);
        check("https://ann:secret@bucket.s3.amazonaws.com/a", false);
        check("http://ann@minio:9000/a", false);
        check("file:///etc/passwd", false);
        check("ftp://minio:9000/a", false);
        check("bucket/a", false);
        check("", false);
    }

    /// The name itself would be refused before; here it stands for any that somebody makes lead home.
    #[tokio::test]
    async fn a_name_that_leads_home_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url: Url =
            format!("http://localhost:{}/a", listener.local_addr().unwrap().port()).parse().unwrap();
        let server = "https://mlflow.test".parse().unwrap();
        let request = HttpRequest::new(Method::Put, url.clone());
        let mut settings = ArtifactSettings::default();
        let guarded = object_store(&server, &settings).unwrap();
        let error = guarded.execute("a part", request.clone(), Repeat::Freely).await.unwrap_err();
        let Error::Unreachable { attempts: 1, after_sending: false, source, .. } = &error else {
            panic!("{error:?}");
        };
        let mut causes = source.to_string();
        let mut cause = source.source();
        while let Some(next) = cause {
            causes = next.to_string();
            cause = next.source();
        }
        assert_eq!(causes, "localhost stands for no address that may be asked");
        assert!(listener.accept().is_err(), "somebody connected");

        // The same name, where the user allows it.
        settings.allowed_hosts.push(format!("localhost:{}", url.port().unwrap()));
        let allowed = object_store(&server, &settings).unwrap();
        let asked =
            tokio::spawn(async move { allowed.execute("a part", request, Repeat::AfterLooking).await });
        listener.set_nonblocking(false).unwrap();
        tokio::task::spawn_blocking(move || listener.accept()).await.unwrap().unwrap();
        assert!(asked.await.unwrap().is_err());
    }
}
