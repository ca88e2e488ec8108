//! What went wrong, in our words: the library's own name addresses, and do not tell a refusal from a broken line.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use mlflow_types::ErrorCode;
use object_store::client::{HttpError, HttpErrorKind};

use crate::artifacts::ArtifactPath;
use crate::{Error, Result};

/// An error of ours on its way through the library.
struct Carried(Mutex<Option<Error>>);

/// Hands an error of ours to the library, which is not to try again: we did.
pub(super) fn carry(error: Error) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, Carried(Mutex::new(Some(error))))
}

/// Takes the error of ours out of the library's, or else makes one of what it says at its root.
pub(super) fn error(location: &str, error: object_store::Error) -> Error {
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    loop {
        let carried = cause.downcast_ref::<Carried>();
        if let Some(error) =
            carried.and_then(|carried| carried.0.lock().unwrap_or_else(PoisonError::into_inner).take())
        {
            return error;
        }
        match cause.source() {
            Some(source) => cause = source,
            None => break,
        }
    }
    let said = cause.to_string();
    match &error {
        object_store::Error::NotFound { .. } => {
            Error::api(location, 404, ErrorCode::ResourceDoesNotExist, said)
        }
        _ => Error::Decode { route: location.to_owned(), source: said.into() },
    }
}

/// A file that is not there is told in the same words everywhere; that a bucket is not there is something else.
pub(super) fn about(path: &ArtifactPath, error: Error) -> Error {
    match error {
        Error::Api(api)
            if api.status == 404 && !["ucket", "ontainer"].iter().any(|word| api.message.contains(word)) =>
        {
            Error::api(api.route, 404, ErrorCode::ResourceDoesNotExist, format!("No such artifact: '{path}'"))
        }
        error => error,
    }
}

/// A refusal of an object store: XML with a code and a message.
pub(super) fn refused(location: &str, status: u16, words: &str) -> Error {
    let code = element(words, "Code");
    // Azure's adds lines of its own.
    let text = element(words, "Message").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = match (code, text) {
        (Some(code), Some(text)) => format!("{code}: {text}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => words.trim().chars().take(2000).collect(),
    };
    Error::api(location, status, code_of(status, code), message)
}

fn code_of(status: u16, code: Option<&str>) -> ErrorCode {
    match (status, code) {
        (_, Some("NoSuchKey" | "NoSuchBucket" | "BlobNotFound" | "ContainerNotFound")) | (404, _) => {
            ErrorCode::ResourceDoesNotExist
        }
        (401, _)
        | (
            _,
            Some(
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "AuthenticationFailed",
            ),
        ) => ErrorCode::Unauthenticated,
        (403, _) => ErrorCode::PermissionDenied,
        (400, _) => ErrorCode::BadRequest,
        (429, _) => ErrorCode::RequestLimitExceeded,
        (503, _) => ErrorCode::TemporarilyUnavailable,
        (status, _) => ErrorCode::Other(format!("HTTP_{status}")),
    }
}

/// The text of the first element of a name; these answers do not nest.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}

/// A setting without which nothing can be asked for.
pub(super) fn setting<T>(setting: &str, problem: impl Into<String>) -> Result<T> {
    Err(Error::Setting { setting: setting.to_owned(), problem: problem.into() })
}

impl fmt::Display for Carried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the request failed")
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Carried")
    }
}

impl std::error::Error for Carried {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, words: &str, expected: &str) {
        assert_eq!(
            refused("s3://bucket", status, words).to_string(),
            format!("s3://bucket: server said {expected}")
        );
    }

    #[test]
    fn refusals_are_told_in_the_stores_words() {
        check(
            404,
            "<?xml?><Error><Code>NoSuchBucket</Code><Message>It is not there</Message></Error>",
            "404 RESOURCE_DOES_NOT_EXIST: NoSuchBucket: It is not there",
        );
        check(
            403,
            "<Error><Code>SignatureDoesNotMatch</Code></Error>",
            "403 UNAUTHENTICATED: SignatureDoesNotMatch",
        );
        check(
            403,
            "<Error><Code>AuthenticationFailed</Code><Message>Not you.\nRequestId:1\nTime:2</Message></Error>",
            "403 UNAUTHENTICATED: AuthenticationFailed: Not you. RequestId:1 Time:2",
        );
        check(403, "<Error><Code>AccessDenied</Code></Error>", "403 PERMISSION_DENIED: AccessDenied");
        check(502, " no gateway\n", "502 HTTP_502: no gateway");
    }

    #[test]
    fn an_error_of_ours_comes_out_as_it_went_in() {
        let source = Box::new(carry(refused("gs://bucket", 403, "no")));
        let outer = object_store::Error::Generic { store: "GCS", source };
        assert_eq!(error("x", outer).to_string(), "gs://bucket: server said 403 PERMISSION_DENIED: no");
    }
}
