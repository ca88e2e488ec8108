//! What can go wrong, one variant for each thing that a caller could do differently.

use std::path::PathBuf;
use std::time::Duration;

use mlflow_types::{ErrorCode, InvalidCall, InvalidName};

/// A failure of another library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server, or the embedded store in its place, refused.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The call breaks one of MLflow's limits; nothing was sent.
    #[error(transparent)]
    InvalidCall(#[from] InvalidCall),
    /// A name breaks MLflow's rules.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// No answer came. `after_sending` tells whether the server may have seen the call.
    #[error("{route}: no answer after {attempts} attempt{} in {}", plural(*.attempts), seconds(*.elapsed))]
    Unreachable {
        /// The route.
        route: String,
        /// How often it was tried.
        attempts: u32,
        /// How long that took.
        elapsed: Duration,
        /// Whether the server may have seen the call.
        after_sending: bool,
        /// The last failure.
        #[source]
        source: BoxError,
    },
    /// The server sent us elsewhere, and we do not go there.
    #[error("{route}: the server sends us to {location}, {problem}")]
    Redirect {
        /// The route.
        route: String,
        /// Where to, without secrets.
        location: String,
        /// Why not, as the end of a sentence.
        problem: String,
    },
    /// The call cannot be written as a request; nothing was sent.
    #[error("{route}: cannot be written as a request")]
    Encode {
        /// The route.
        route: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// The answer was a success, but not what the route promises.
    #[error("{route}: unreadable answer")]
    Decode {
        /// The route.
        route: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// A setting makes no sense.
    #[error("{setting}: {problem}")]
    Setting {
        /// Its name, as the user knows it.
        setting: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// A URI cannot be understood, or is of a kind that this build does not serve.
    #[error("{uri}: {problem}")]
    Uri {
        /// The URI, without its secrets.
        uri: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// The embedded database cannot be used.
    #[error("{}: {problem}", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What is wrong, as the end of a sentence.
        problem: String,
        /// The database's own failure, if it was one.
        #[source]
        source: Option<BoxError>,
    },
    /// A local file could not be read or written.
    #[error("{}: cannot {action}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: `read`, `write`, `rename`, …
        action: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// What a run logged could not be accepted, or could not be sent.
    #[error("run {run}: {problem}")]
    Logging {
        /// The run.
        run: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
        /// Why, if the store said so.
        #[source]
        source: Option<BoxError>,
    },
    /// What arrived is not what was promised: its length or digest differs.
    #[error("{artifact}: {problem}")]
    Damaged {
        /// The artifact, as a URI without secrets or as a path.
        artifact: String,
        /// What differs, as the end of a sentence.
        problem: String,
    },
}

/// What a server said when it refused, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{route}: server said {status} {code}: {message}{}", after(*.attempts, *.elapsed))]
pub struct ApiError {
    /// The route.
    pub route: String,
    /// HTTP's status; the embedded store gives the one that a server would.
    pub status: u16,
    /// MLflow's word.
    pub code: ErrorCode,
    /// The message. Of a text or HTML body, its text.
    pub message: String,
    /// How often it was asked.
    pub attempts: u32,
    /// How long that took, waits included.
    pub elapsed: Duration,
}

impl Error {
    /// A refusal in a server's words.
    pub fn api(route: impl Into<String>, status: u16, code: ErrorCode, message: impl Into<String>) -> Self {
        let (route, message) = (route.into(), message.into());
        Self::Api(Box::new(ApiError { route, status, code, message, attempts: 1, elapsed: Duration::ZERO }))
    }

    /// The server's refusal, if it is one.
    pub fn as_api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// Whether there is no such thing. A missing alias is one, though MLflow calls it an invalid parameter.
    pub fn is_not_found(&self) -> bool {
        self.as_api().is_some_and(|error| match error.code {
            ErrorCode::ResourceDoesNotExist | ErrorCode::NotFound => true,
            ErrorCode::InvalidParameterValue => {
                error.message.starts_with("Registered model alias ") && error.message.ends_with(" not found.")
            }
            _ => false,
        })
    }

    /// Whether there is one already.
    pub fn is_already_exists(&self) -> bool {
        self.as_api().is_some_and(|error| {
            matches!(error.code, ErrorCode::ResourceAlreadyExists | ErrorCode::AlreadyExists)
        })
    }

    /// Whether the server does not know the route: it is older than the call, or not MLflow at all.
    pub fn is_unknown_route(&self) -> bool {
        self.as_api().is_some_and(|error| {
            matches!(error.code, ErrorCode::EndpointNotFound)
                || (matches!(error.status, 404 | 405) && !self.is_not_found())
        })
    }

    /// Whether whoever was asked has nothing of the kind: a store that is no server, or a server that does not know the route.
    pub fn is_unsupported(&self) -> bool {
        self.is_unknown_route()
            || self.as_api().is_some_and(|error| matches!(error.code, ErrorCode::NotImplemented))
    }

    /// Whether credentials are missing, wrong or not enough.
    pub fn is_denied(&self) -> bool {
        self.as_api().is_some_and(|error| matches!(error.status, 401 | 403))
    }
}

fn after(attempts: u32, elapsed: Duration) -> String {
    if attempts > 1 { format!(" (after {attempts} attempts in {})", seconds(elapsed)) } else { String::new() }
}

fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
