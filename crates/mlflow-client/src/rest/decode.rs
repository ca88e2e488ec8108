//! An answer becomes what the call promised, or the server's words.

use mlflow_types::ErrorCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::transport::HttpResponse;
use crate::{BoxError, Error, Result};

/// Bytes of the longest JSON body that is read: a page of 50,000 runs with all they hold stays far below.
pub(super) const LONGEST_BODY: usize = 256 << 20;
/// Characters of a server's words that are kept.
const LONGEST_WORDS: usize = 1000;
/// Bytes of a refusal that are read: what a server says when it refuses is short, or not worth waiting for.
pub(crate) const LONGEST_REFUSAL: usize = 64 << 10;

/// What the call promised.
///
/// # Errors
/// [`Error::Api`] when the server refused, [`Error::Decode`] when it answered something else.
pub(super) async fn answer<T: DeserializeOwned>(route: &str, mut response: HttpResponse) -> Result<T> {
    if !(200..300).contains(&response.status) {
        return Err(refusal(route, &mut response).await);
    }
    let decode = |source: BoxError| Error::Decode { route: route.to_owned(), source };
    let body = response.bytes(LONGEST_BODY).await.map_err(|error| decode(error.source))?;
    // Some routes answer nothing where others answer an empty object.
    let text: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { &body };
    serde_json::from_slice(text).map_err(|error| {
        let html = looks_like_html(&String::from_utf8_lossy(text.get(..200).unwrap_or(text)));
        decode(if html { html_words(text).into() } else { error.into() })
    })
}

fn html_words(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body.get(..LONGEST_REFUSAL).unwrap_or(body));
    format!("it is a page for people, not JSON: {}", capped(&without_tags(&body)))
}

/// The server's refusal.
pub(crate) async fn refusal(route: &str, response: &mut HttpResponse) -> Error {
    let body = response.beginning(LONGEST_REFUSAL).await;
    let (code, message) = words(response.status, &body);
    Error::api(route, response.status, code, message)
}

/// A refusal's code and message: of MLflow's JSON, of another JSON, of a page, of text.
fn words(status: u16, body: &[u8]) -> (ErrorCode, String) {
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        let field = |name: &str| fields.get(name).and_then(Value::as_str);
        let code = field("error_code").filter(|word| !word.is_empty());
        let said = field("message").or_else(|| field("detail")).or_else(|| field("error"));
        let whole = || capped(&Value::Object(fields.clone()).to_string());
        return (
            code.map_or_else(|| code_of(status), |word| ErrorCode::from(capped(word))),
            said.map_or_else(whole, capped),
        );
    }
    let text = String::from_utf8_lossy(body);
    let readable = if looks_like_html(&text) { without_tags(&text) } else { joined(&text) };
    let message = if readable.is_empty() { "(no words)".to_owned() } else { capped(&readable) };
    (code_of(status), message)
}

/// MLflow's word for a status that came without one.
fn code_of(status: u16) -> ErrorCode {
    match status {
        400 | 411 | 413 | 414 | 415 | 422 => ErrorCode::BadRequest,
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::PermissionDenied,
        // MLflow says in JSON when a thing does not exist; whoever answers otherwise does not know the route.
        404 | 405 => ErrorCode::EndpointNotFound,
        409 => ErrorCode::ResourceConflict,
        429 => ErrorCode::RequestLimitExceeded,
        499 => ErrorCode::Cancelled,
        501 => ErrorCode::NotImplemented,
        502 | 503 => ErrorCode::TemporarilyUnavailable,
        408 | 504 => ErrorCode::DeadlineExceeded,
        500.. => ErrorCode::InternalError,
        _ => ErrorCode::Other(format!("HTTP_{status}")),
    }
}

fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start().get(..14).unwrap_or_else(|| text.trim_start()).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

/// The text of a page: without tags, and without what stands in `head` (but the title), `script` and `style`.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        text.push_str(rest.get(..start).unwrap_or_default());
        text.push(' ');
        let tag = rest.get(start..).unwrap_or_default();
        let name: String = tag.chars().skip(1).take_while(char::is_ascii_alphabetic).collect();
        let end = match name.to_ascii_lowercase().as_str() {
            "script" => after(tag, "</script>"),
            "style" => after(tag, "</style>"),
            _ => after(tag, ">"),
        };
        rest = tag.get(end..).unwrap_or_default();
    }
    text.push_str(rest);
    let entities =
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    joined(&entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character)))
}

/// Where a piece that ends with `end` is over; nothing is left of one that does not end.
fn after(text: &str, end: &str) -> usize {
    text.to_ascii_lowercase().find(end).map_or(text.len(), |at| at + end.len())
}

/// Words with one space between them, and nothing that a terminal would take as an order.
fn joined(text: &str) -> String {
    let plain = text.replace(|character: char| character.is_control(), " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Not too much of a text, without what a terminal would take as an order; line ends stay.
fn capped(text: &str) -> String {
    let text = text.replace(|character: char| character.is_control() && character != '\n', " ");
    if text.chars().count() <= LONGEST_WORDS {
        return text;
    }
    text.chars().take(LONGEST_WORDS).chain(['…']).collect()
}
