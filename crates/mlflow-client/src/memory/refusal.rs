//! Refusals in the server's words.

use mlflow_types::filter::InvalidFilter;
use mlflow_types::keys::{self, KeyProblem};
use mlflow_types::{Endpoint, ErrorCode};

use crate::Error;

/// A refusal that does not know its route yet.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: ErrorCode,
    message: String,
}

/// An answer, or a refusal.
pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// The refusal of a call.
    pub(super) fn of<E: Endpoint>(self, call: &E) -> Error {
        Error::api(call.path(), self.status, self.code, self.message)
    }
}

impl From<InvalidFilter> for Refusal {
    fn from(error: InvalidFilter) -> Self {
        invalid(error.problem)
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal { status: 400, code: ErrorCode::InvalidParameterValue, message: message.into() }
}

pub(super) fn absent(message: impl Into<String>) -> Refusal {
    Refusal { status: 404, code: ErrorCode::ResourceDoesNotExist, message: message.into() }
}

pub(super) fn exists(message: impl Into<String>) -> Refusal {
    Refusal { status: 400, code: ErrorCode::ResourceAlreadyExists, message: message.into() }
}

pub(super) fn failed(code: ErrorCode, message: impl Into<String>) -> Refusal {
    Refusal { status: 500, code, message: message.into() }
}

/// A field that must not be empty.
pub(super) fn required(field: &str, value: &str) -> Answer<()> {
    if value.is_empty() {
        return Err(invalid(format!(
            "Missing value for required parameter '{field}'. See the API docs for more information about request parameters."
        )));
    }
    Ok(())
}

/// A key at a path such as `params[0].key`; `length_name` is what the message about its length calls it.
pub(super) fn key(path: &str, length_name: &str, key: &str) -> Answer<()> {
    let quoted = serde_json::Value::from(key);
    match keys::problem(key) {
        None => Ok(()),
        Some(KeyProblem::Path { normalised }) => Err(invalid(format!(
            "Invalid value {quoted} for parameter '{path}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '{normalised}'"
        ))),
        Some(KeyProblem::TooLong { .. }) => Err(longer(length_name, mlflow_types::limits::KEY_CHARACTERS)),
        Some(_) => Err(invalid(format!(
            "Invalid value {quoted} for parameter '{path}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        ))),
    }
}

/// A text that must not be longer than so many characters.
pub(super) fn length(name: &str, limit: usize, text: &str) -> Answer<()> {
    if text.chars().count() > limit { Err(longer(name, limit)) } else { Ok(()) }
}

fn longer(name: &str, limit: usize) -> Refusal {
    invalid(format!("'{name}' exceeds the maximum length of {limit} characters"))
}
