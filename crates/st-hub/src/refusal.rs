//! What the hub means when it says no.

use crate::error::Error;
use crate::http::{Http, Reply};
use crate::name::ModelName;

/// Longest message of a server that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Whether the same request may be answered otherwise a moment later.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// An answer that is not what was asked for, as an error. The hub says why in a header; of a model that is not there and one
/// that is private it says the same to strangers.
pub(crate) fn refusal(reply: &Reply, name: &ModelName, http: &Http) -> Error {
    let (repository, with_token) = (name.repository().to_owned(), http.has_token());
    let endpoint = http.endpoint();
    let message = message(reply);
    // Python takes a 401 for a model that is not there, unless it is the token that is wrong.
    let is_wrong_token = message.contains("Invalid credentials") || (reply.status == 401 && with_token);
    match (reply.header("x-error-code"), reply.status) {
        (Some("RevisionNotFound"), _) => {
            Error::NoRevision { repository, revision: name.revision().to_owned() }
        }
        (Some("GatedRepo"), _) => Error::Gated { endpoint, repository, with_token },
        (Some("RepoNotFound"), _) | (None, 404) => Error::NotFound { endpoint, repository, with_token },
        (_, status @ (401 | 403)) if is_wrong_token || status == 403 => {
            Error::Refused { url: reply.url.clone(), status, message, with_token }
        }
        (_, 401) => Error::NotFound { endpoint, repository, with_token },
        (_, status) => Error::Status { url: reply.url.clone(), status, message },
    }
}

/// The server's own words, short and on one line.
fn message(reply: &Reply) -> String {
    let words = reply.header("x-error-message").unwrap_or_default();
    let plain = words.chars().filter(|character| !character.is_control());
    let message: String = plain.take(LONGEST_MESSAGE).collect();
    if message.is_empty() { "no reason given".to_owned() } else { message }
}
