//! What answers of an artifact server mean.

use futures::StreamExt;
use mlflow_types::{ErrorCode, Method};
use serde::Deserialize;
use url::Url;

use super::ArtifactPath;
use super::local::not_found;
use super::store::{ArtifactRead, ReadStart};
use crate::rest::{HttpBody, HttpRequest, HttpResponse};
use crate::{Error, Result};

/// A listing or a refusal may have as many bytes; a hundred thousand names have a tenth of it.
const LONGEST_ANSWER: usize = 64 << 20;

/// A request without body.
pub(super) fn get(url: Url) -> HttpRequest {
    HttpRequest { method: Method::Get, url, headers: Vec::new(), body: HttpBody::Empty }
}

/// A request for the bytes of a file, from somewhere in it on.
pub(super) fn get_file(url: Url, start: &ReadStart) -> HttpRequest {
    let mut request = get(url);
    // A compressed body would have another length than the file.
    request.headers.push(("accept-encoding".to_owned(), "identity".to_owned()));
    if start.offset > 0 {
        request.headers.push(("range".to_owned(), format!("bytes={}-", start.offset)));
        if let Some(tag) = &start.tag {
            request.headers.push(("if-range".to_owned(), tag.clone()));
        }
    }
    request
}

/// The file in the answer to [`get_file`].
pub(super) async fn file(route: &str, path: &ArtifactPath, response: HttpResponse) -> Result<ArtifactRead> {
    let length = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
    let (offset, length) = match response.status {
        200 => (0, length(response.header("content-length"))),
        206 => {
            let range = response.header("content-range").and_then(content_range);
            let Some((offset, length)) = range else {
                let problem = "a part of a file comes without saying which";
                return Err(Error::Damaged {
                    artifact: format!("{route}/{path}"),
                    problem: problem.to_owned(),
                });
            };
            (offset, length)
        }
        404 => {
            let refusal = refused(route, response).await;
            return Err(if refusal.is_not_found() { refusal } else { not_found(path) });
        }
        _ => return Err(refused(route, response).await),
    };
    // A weak tag does not promise equal bytes.
    let tag = response.header("etag").filter(|tag| !tag.starts_with("W/")).map(str::to_owned);
    Ok(ArtifactRead { offset, length, tag, body: response.body })
}

/// `bytes 5-9/10`: the first byte and, where it is known, the length of the whole.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, length) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let first = range.split_once('-')?.0.parse().ok()?;
    Some((first, length.parse().ok()))
}

/// The value in an answer of JSON.
pub(super) async fn json<T: for<'de> Deserialize<'de>>(route: &str, response: HttpResponse) -> Result<T> {
    if !(200..300).contains(&response.status) {
        return Err(refused(route, response).await);
    }
    let decode = |source| Error::Decode { route: route.to_owned(), source };
    let body = body(response).await.map_err(decode)?;
    serde_json::from_slice(&body).map_err(|error| decode(error.into()))
}

/// That a call was accepted; of the answer nothing is needed.
pub(super) async fn accepted(route: &str, response: HttpResponse) -> Result<HttpResponse> {
    if (200..300).contains(&response.status) { Ok(response) } else { Err(refused(route, response).await) }
}

async fn body(mut response: HttpResponse) -> Result<Vec<u8>, crate::BoxError> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > LONGEST_ANSWER {
            return Err(format!("the answer is longer than {LONGEST_ANSWER} bytes").into());
        }
    }
    Ok(bytes)
}

/// MLflow's refusals are JSON; those of what stands before it are text or HTML.
#[derive(Deserialize)]
struct Refusal {
    error_code: String,
    #[serde(default)]
    message: String,
}

async fn refused(route: &str, response: HttpResponse) -> Error {
    let status = response.status;
    let body = body(response).await.unwrap_or_default();
    let (code, message) = match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => (ErrorCode::from(refusal.error_code), refusal.message),
        Err(_) => (code_of(status), String::from_utf8_lossy(&body).trim().to_owned()),
    };
    Error::api(route, status, code, message.chars().take(2000).collect::<String>())
}

fn code_of(status: u16) -> ErrorCode {
    match status {
        400 => ErrorCode::BadRequest,
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::PermissionDenied,
        404 => ErrorCode::EndpointNotFound,
        429 => ErrorCode::RequestLimitExceeded,
        501 => ErrorCode::NotImplemented,
        503 => ErrorCode::TemporarilyUnavailable,
        504 => ErrorCode::DeadlineExceeded,
        status => ErrorCode::Other(format!("HTTP_{status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for text in ["", "bytes", "bytes x-9/10", "items 5-9/10", "bytes */10"] {
            assert_eq!(content_range(text), None);
        }
    }
}
