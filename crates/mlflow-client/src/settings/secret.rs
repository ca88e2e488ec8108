//! What must not be printed, and addresses that can be.

use std::fmt;

/// A password, a token or a key. It has no `Debug` and no `Display`; [`expose`](Self::expose) is the one door.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "what cannot be printed cannot be printed by accident")]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The URI of a store, as the user gave it. `Display` and `Debug` leave out user, password, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUri(String);

impl StoreUri {
    /// Wraps a URI; whoever opens the store looks into it.
    pub fn new(uri: impl Into<String>) -> Self {
        Self(uri.into())
    }

    /// The URI with everything in it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for StoreUri {
    fn from(uri: T) -> Self {
        Self::new(uri)
    }
}

impl fmt::Display for StoreUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for StoreUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", redacted(&self.0))
    }
}

/// A URI without user, password, query and fragment. What has no authority (a path, `models:/…`) stays as it is.
pub fn redacted(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A password may hold `/`, `?` or `#` where the user did not encode it: nothing before the last `@` is shown.
    let (authority, path) = match rest.rsplit_once('@') {
        Some((_, after)) => after.split_at(after.find('/').unwrap_or(after.len())),
        None => (authority, path),
    };
    let shown = format!("{authority}{path}");
    let end = shown.find(['?', '#']).unwrap_or(shown.len());
    format!("{scheme}://{}", shown.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, shown: &str) {
        let uri = StoreUri::from(uri);
        assert_eq!(uri.to_string(), shown);
        assert_eq!(format!("{uri:?}"), format!("{shown:?}"));
    }

    #[test]
    fn addresses_are_shown_without_secrets() {
        check("https://ann:s3cret@mlflow.test/x?token=t", "https://mlflow.test/x");
        check("https://ann:s3/cr?et@mlflow.test:8080/x#t", "https://mlflow.test:8080/x");
        check("https://token@mlflow.test", "https://mlflow.test");
        check("http://127.0.0.1:5000?key=1", "http://127.0.0.1:5000");
        check("postgresql://u:p@db/mlflow", "postgresql://db/mlflow");
        check("sqlite:///mlflow.db", "sqlite:///mlflow.db");
        check("databricks://profile", "databricks://profile");
        check("models:/name@champion", "models:/name@champion");
        check("./mlruns", "./mlruns");
    }
}
