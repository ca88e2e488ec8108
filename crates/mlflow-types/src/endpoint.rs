//! A call is a value: route, verb, answer, and whether it may be repeated.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::SecretText;

/// One call of MLflow's REST protocol.
///
/// The value itself serialises to the body of the request, or to its query string when the verb is [`Method::Get`].
pub trait Endpoint: Serialize + fmt::Debug + Send + Sync {
    /// What a successful answer holds.
    type Response: DeserializeOwned + Send;
    /// The verb.
    const METHOD: Method;
    /// The route below the prefix of [`Api`], with placeholders in braces: `logged-models/{model_id}`.
    const PATH: &'static str;
    /// Which prefix the route is under.
    const API: Api = Api::Mlflow;
    /// Whether the call may be sent again when nobody knows whether the first one arrived.
    const REPEAT: Repeat = Repeat::of(Self::METHOD);

    /// The route with its placeholders filled in; each inserted part is percent-encoded.
    fn path(&self) -> Cow<'static, str> {
        Cow::Borrowed(Self::PATH)
    }

    /// Whether the call keeps to MLflow's names and limits, so that a mistake is found before anything is sent.
    ///
    /// # Errors
    /// [`InvalidCall`] names the field and what is wrong with it.
    fn check(&self) -> Result<(), InvalidCall> {
        Ok(())
    }

    /// What the call carries that must be in no message and no trace, though a server may quote the call back.
    fn secrets(&self) -> Vec<&SecretText> {
        Vec::new()
    }
}

/// HTTP's verbs, as far as MLflow uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads; its fields are the query string.
    Get,
    /// Creates or does.
    Post,
    /// Writes a whole artifact.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The verb in capital letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The prefix of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `/api/2.0/mlflow/`
    Mlflow,
    /// `/api/3.0/mlflow/`
    Mlflow3,
    /// `/api/2.0/mlflow-artifacts/`
    Artifacts,
    /// `/ajax-api/2.0/mlflow/`: what only the server's own pages ask for.
    Pages,
    /// `/`: health and version.
    Root,
}

impl Api {
    /// The prefix, without its first slash.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Mlflow => "api/2.0/mlflow/",
            Self::Mlflow3 => "api/3.0/mlflow/",
            Self::Artifacts => "api/2.0/mlflow-artifacts/",
            Self::Pages => "ajax-api/2.0/mlflow/",
            Self::Root => "",
        }
    }
}

/// Whether a call may be sent again when nobody knows whether the first one arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Sent twice, it leaves the server as sent once.
    Freely,
    /// Sent twice, it could leave two things; it is repeated only after a look has shown that the first one left none.
    AfterLooking,
}

impl Repeat {
    /// What holds unless a call says otherwise: reads and whole writes may be repeated.
    const fn of(method: Method) -> Self {
        match method {
            Method::Get | Method::Put | Method::Patch | Method::Delete => Self::Freely,
            Method::Post => Self::AfterLooking,
        }
    }
}

/// An answer that holds nothing of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// A call that the server would refuse, or would silently cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: `{field}` {problem}")]
pub struct InvalidCall {
    /// The route of the call.
    pub path: &'static str,
    /// The field.
    pub field: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: String,
}

/// States a route: `route!(GetRun: Get "runs/get" -> GetRunResponse)`, with `, Freely` when a POST may be repeated, and
/// with `, {model_id}` for each placeholder of the path, which is the field of that name. Another prefix than MLflow's usual
/// one stands after the verb: `Get Mlflow3 "server-info"`.
macro_rules! route {
    ($call:ty: $method:ident $($api:ident)? $path:literal -> $response:ty $(, $repeat:ident)? $(, {$field:ident})* ) => {
        impl $crate::Endpoint for $call {
            type Response = $response;
            const METHOD: $crate::Method = $crate::Method::$method;
            const PATH: &'static str = $path;
            $(const API: $crate::Api = $crate::Api::$api;)?
            $(const REPEAT: $crate::Repeat = $crate::Repeat::$repeat;)?

            fn path(&self) -> std::borrow::Cow<'static, str> {
                let parts: &[(&str, &str)] = &[$((concat!("{", stringify!($field), "}"), self.$field.as_ref())),*];
                $crate::endpoint::filled(Self::PATH, parts)
            }
        }
    };
}
pub(crate) use route;

/// A route with its placeholders replaced.
pub(crate) fn filled(path: &'static str, parts: &[(&str, &str)]) -> Cow<'static, str> {
    parts.iter().fold(Cow::Borrowed(path), |path, (placeholder, part)| {
        path.replace(placeholder, &encoded(part)).into()
    })
}

/// A part of a route, percent-encoded: what is no letter, digit, `-`, `_` or `~` could otherwise end the part, or be `..`.
pub(crate) fn encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for &byte in part.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    encoded.extend(
                        char::from_digit(u32::from(digit), 16).map(|digit| digit.to_ascii_uppercase()),
                    );
                }
            }
        }
    }
    encoded
}
