//! What the kinds of URI share: scheme, authority, and the error.

use std::fmt;

use crate::artifacts::{ArtifactPath, InvalidArtifactPath};
use crate::{Error, Result};

/// A URI, cut where RFC 3986 cuts it, and nowhere else: MLflow takes names and paths raw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The whole text.
    pub(super) uri: &'a str,
    /// What stands between `//` and the next `/`; absent without `//`.
    pub(super) authority: Option<&'a str>,
    /// The rest, with its first slash if it has one.
    pub(super) path: &'a str,
}

impl<'a> Parts<'a> {
    /// Cuts the part after `scheme:`.
    pub(super) fn of(uri: &'a str, rest: &'a str) -> Self {
        match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                Self { uri, authority: Some(authority), path }
            }
            None => Self { uri, authority: None, path: rest },
        }
    }

    /// The authority, unless it is empty.
    pub(super) fn authority(&self) -> Option<&'a str> {
        self.authority.filter(|authority| !authority.is_empty())
    }

    /// The path below the root, absent for the root itself. Slashes at its end mean nothing.
    pub(super) fn below_root(&self) -> Result<Option<ArtifactPath>> {
        self.below_root_as(|path| ArtifactPath::try_new(path))
    }

    /// The same, percent-decoded once.
    pub(super) fn decoded_below_root(&self) -> Result<Option<ArtifactPath>> {
        self.below_root_as(ArtifactPath::decode)
    }

    fn below_root_as(
        &self,
        path_of: impl FnOnce(&str) -> Result<ArtifactPath, InvalidArtifactPath>,
    ) -> Result<Option<ArtifactPath>> {
        let path = self.path.trim_end_matches('/');
        match path.strip_prefix('/').unwrap_or(path) {
            "" => Ok(None),
            path => path_of(path).map(Some).map_err(|error| self.bad_path(&error)),
        }
    }

    /// The error for a path in it.
    pub(super) fn bad_path(&self, error: &InvalidArtifactPath) -> Error {
        self.error(format!("its path {}", error.problem))
    }

    /// The error for this URI.
    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        error(self.uri, problem)
    }
}

/// The error for a URI that could not be parsed; what looks like a password or a query is left out.
pub(super) fn error(uri: &str, problem: impl Into<String>) -> Error {
    Error::Uri { uri: redacted(uri), problem: problem.into() }
}

/// A text that may not be a URI at all, without what would be a password or a query if it were one.
fn redacted(uri: &str) -> String {
    let shown: String = uri.chars().take(200).flat_map(char::escape_default_controls).collect();
    let Some((scheme, rest)) = shown.split_once("://") else { return shown };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // What stands before `@` may be a password, but for the profile of `…@databricks`, which is a name.
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) if host != "databricks" => host,
        _ => authority,
    };
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    format!("{scheme}://{authority}{path}")
}

/// Control characters as escapes, so that an error stays one line.
trait EscapeControls {
    fn escape_default_controls(self) -> Vec<char>;
}

impl EscapeControls for char {
    fn escape_default_controls(self) -> Vec<char> {
        if self.is_control() { self.escape_default().collect() } else { vec![self] }
    }
}

/// Splits `scheme:rest`, the scheme in lower case. A text without a scheme has none.
pub(super) fn scheme(uri: &str) -> Option<(String, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let mut characters = scheme.chars();
    let word = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.'));
    word.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The Databricks workspace in `models://profile@databricks/…`: the default one, or that of a profile, or of a secret
/// scope `scope:prefix`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatabricksAuthority {
    profile: Option<String>,
}

impl DatabricksAuthority {
    /// The profile, or `scope:prefix`; none for the default workspace.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The workspace that a tracking or registry URI names: `databricks` and `databricks://PROFILE`, as MLflow writes them.
    pub(super) fn of_store(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("databricks")?;
        match rest.trim_end_matches('/') {
            "" | ":" => Some(Self { profile: None }),
            rest => Some(Self { profile: Some(rest.strip_prefix("://")?.to_owned()) }),
        }
    }

    /// Reads the authority of a `models:`, `runs:` or `dbfs:` URI.
    pub(super) fn parse(parts: &Parts<'_>) -> Result<Option<Self>> {
        let Some(authority) = parts.authority() else { return Ok(None) };
        let profile = match authority.rsplit_once('@') {
            Some((profile, "databricks")) if !profile.is_empty() => Some(profile.to_owned()),
            None if authority == "databricks" => None,
            _ => {
                return Err(parts.error(
                    "after `//` only `databricks` or `PROFILE@databricks` can stand; one slash is meant otherwise",
                ));
            }
        };
        Ok(Some(Self { profile }))
    }
}

impl fmt::Display for DatabricksAuthority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile {
            Some(profile) => write!(formatter, "{profile}@databricks"),
            None => formatter.write_str("databricks"),
        }
    }
}
