//! What ends a call inside the store, before it is known which route it was and which file.

use std::path::Path;

use mlflow_types::ErrorCode;

use crate::Error;

/// A result inside the store.
pub(super) type Outcome<T> = Result<T, Refusal>;

/// Why a call ends without its answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The store refuses, in MLflow's words.
    Said(ErrorCode, String),
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The database is none that this build may touch.
    Schema(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// `INVALID_PARAMETER_VALUE`
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::Said(ErrorCode::InvalidParameterValue, message.into())
}

/// `RESOURCE_DOES_NOT_EXIST`
pub(super) fn missing(message: impl Into<String>) -> Refusal {
    Refusal::Said(ErrorCode::ResourceDoesNotExist, message.into())
}

/// `RESOURCE_ALREADY_EXISTS`
pub(super) fn exists(message: impl Into<String>) -> Refusal {
    Refusal::Said(ErrorCode::ResourceAlreadyExists, message.into())
}

impl Refusal {
    /// Whether a row like it is there already.
    pub(super) fn is_conflict(error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
    }

    /// The crate's error, once file and route are known.
    pub(super) fn at(self, path: &Path, route: &str) -> Error {
        match self {
            Self::Said(code, message) => Error::api(route, status(&code), code, message),
            Self::Schema(problem) => Error::Database { path: path.to_owned(), problem, source: None },
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Error::api(
                    route,
                    503,
                    ErrorCode::TemporarilyUnavailable,
                    format!("another process has kept {} locked for too long", path.display()),
                ),
                Some(rusqlite::ErrorCode::ConstraintViolation) => {
                    Error::api(route, 400, ErrorCode::BadRequest, error.to_string())
                }
                _ => Error::Database {
                    path: path.to_owned(),
                    problem: format!("{route} failed"),
                    source: Some(Box::new(error)),
                },
            },
        }
    }
}

/// The status that MLflow's server answers a code with.
fn status(code: &ErrorCode) -> u16 {
    match code {
        ErrorCode::BadRequest | ErrorCode::InvalidParameterValue | ErrorCode::ResourceAlreadyExists => 400,
        ErrorCode::ResourceDoesNotExist | ErrorCode::NotFound | ErrorCode::EndpointNotFound => 404,
        ErrorCode::NotImplemented => 501,
        ErrorCode::TemporarilyUnavailable => 503,
        _ => 500,
    }
}
