//! Requests signed with keys of AWS, version 4, for a server behind its API gateway.
//!
//! Signed are the method, the address, the body, the host and those headers that nobody on the way may change. The moment
//! is signed as well, so every attempt gets a signature of its own.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningParams, SigningSettings};
use aws_sigv4::sign::v4;
use mlflow_types::Method;

use super::transport::{HttpBody, HttpRequest};
use crate::artifacts::Digest;
use crate::settings::AwsKeys;
use crate::{BoxError, Error, Result};

/// The service that AWS knows such servers by.
const SERVICE: &str = "execute-api";

/// Adds the signature of a request, as of some seconds after the Unix epoch.
///
/// # Errors
/// [`Error::File`] if the body cannot be read, [`Error::Encode`] if a header cannot be signed.
pub(super) async fn sign(keys: &AwsKeys, request: &mut HttpRequest, seconds: u64) -> Result<()> {
    let digest = digest(&request.body).await?;
    let headers = headers(keys, request, digest, seconds)
        .map_err(|source| Error::Encode { route: request.url.path().to_owned(), source })?;
    request.headers.extend(headers);
    Ok(())
}

fn headers(
    keys: &AwsKeys,
    request: &HttpRequest,
    digest: Digest,
    seconds: u64,
) -> Result<Vec<(String, String)>, BoxError> {
    let token = keys.session_token.as_ref().map(|token| token.expose().to_owned());
    let secret = keys.secret_access_key.expose();
    let identity = Credentials::new(&keys.access_key_id, secret, token, None, "settings").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&keys.region)
        .name(SERVICE)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default())
        .build()?;
    let signed = request.headers.iter().filter(|(name, _)| is_signed(name));
    let signed = signed.map(|(name, value)| (name.as_str(), value.as_str()));
    let body = SignableBody::Precomputed(digest.to_string());
    let signable = SignableRequest::new(verb(request.method), request.url.as_str(), signed, body)?;
    let (instructions, _) = http_request::sign(signable, &SigningParams::from(params))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// What stands between may add or change other headers.
fn is_signed(name: &str) -> bool {
    name == "content-type" || name.starts_with("x-amz-")
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// The digest of a body; that of a file is made piece by piece.
async fn digest(body: &HttpBody) -> Result<Digest> {
    match body {
        HttpBody::Empty => Ok(Digest::of(b"")),
        HttpBody::Bytes(bytes) => Ok(Digest::of(bytes)),
        HttpBody::File { path, offset, length } => {
            let (file, offset, length) = (path.clone(), *offset, *length);
            let digested = tokio::task::spawn_blocking(move || {
                let mut file = std::fs::File::open(file)?;
                std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset))?;
                Digest::of_reader(std::io::Read::take(file, length))
            });
            let digested = digested.await.map_err(std::io::Error::other).flatten();
            digested.map_err(|source| Error::File { path: path.clone(), action: "read", source })
        }
    }
}
