//! A text that travels in a call and must not be printed.

use std::fmt;

use serde::Serialize;

/// A password or a key in a call. It is serialised as it is; `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_travels_and_is_not_printed() {
        let secret = SecretText::new("correct horse");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[secret] Some(\n    [secret],\n)");
        assert_eq!(serde_json::to_string(&secret).expect("a text"), r#""correct horse""#);
        assert_eq!(secret.expose(), "correct horse");
    }
}
