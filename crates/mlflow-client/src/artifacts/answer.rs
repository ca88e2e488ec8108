//! What answers of an artifact server mean.

use mlflow_types::Method;
use url::Url;

use super::ArtifactPath;
use super::local::not_found;
use super::store::{ArtifactRead, ReadStart};
use crate::rest::{HttpBody, HttpRequest, HttpResponse, refusal};
use crate::{Error, Result};

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
pub(super) async fn file(
    route: &str,
    path: &ArtifactPath,
    mut response: HttpResponse,
) -> Result<ArtifactRead> {
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
            let refusal = refusal(route, &mut response).await;
            return Err(if refusal.is_not_found() { refusal } else { not_found(path) });
        }
        _ => return Err(refusal(route, &mut response).await),
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

/// That a call was accepted; of the answer nothing is needed.
pub(super) async fn accepted(route: &str, mut response: HttpResponse) -> Result<HttpResponse> {
    if (200..300).contains(&response.status) {
        Ok(response)
    } else {
        Err(refusal(route, &mut response).await)
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
