//! The server's words for what went wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// The server's word for what went wrong. A word that is not known is kept as it came.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// Another word.
            Other(String),
        }

        impl ErrorCode {
            /// The word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for ErrorCode {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word),
                }
            }
        }
    };
}

error_codes! {
    /// The call makes no sense.
    BadRequest = "BAD_REQUEST",
    /// A value of the call is wrong; also a missing alias.
    InvalidParameterValue = "INVALID_PARAMETER_VALUE",
    /// There is one already.
    ResourceAlreadyExists = "RESOURCE_ALREADY_EXISTS",
    /// There is no such thing.
    ResourceDoesNotExist = "RESOURCE_DOES_NOT_EXIST",
    /// There is no such thing.
    NotFound = "NOT_FOUND",
    /// There is no such route.
    EndpointNotFound = "ENDPOINT_NOT_FOUND",
    /// Nobody logged in.
    Unauthenticated = "UNAUTHENTICATED",
    /// Who logged in is nobody here.
    CustomerUnauthorized = "CUSTOMER_UNAUTHORIZED",
    /// Who logged in may not.
    PermissionDenied = "PERMISSION_DENIED",
    /// There is one already.
    AlreadyExists = "ALREADY_EXISTS",
    /// Something else came in between.
    Aborted = "ABORTED",
    /// Something else came in between.
    ResourceConflict = "RESOURCE_CONFLICT",
    /// Too many calls.
    RequestLimitExceeded = "REQUEST_LIMIT_EXCEEDED",
    /// Too much of something.
    ResourceExhausted = "RESOURCE_EXHAUSTED",
    /// The client gave up.
    Cancelled = "CANCELLED",
    /// The server failed.
    InternalError = "INTERNAL_ERROR",
    /// The thing is not in a state for that.
    InvalidState = "INVALID_STATE",
    /// The server lost something.
    DataLoss = "DATA_LOSS",
    /// The server cannot do that.
    NotImplemented = "NOT_IMPLEMENTED",
    /// Not now.
    TemporarilyUnavailable = "TEMPORARILY_UNAVAILABLE",
    /// It took too long.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
}

impl From<ErrorCode> for String {
    fn from(code: ErrorCode) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
