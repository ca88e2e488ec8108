//! Identifiers and names, checked once.
//!
//! The rules are the server's own (`mlflow.utils.validation`, MLflow 3.17). An identifier that passed can stand in a
//! route, a file name and a query without being looked at again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is no such name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind}: {rule}")]
pub struct InvalidName {
    /// What it should have been.
    pub kind: &'static str,
    /// What was given, cut to 80 characters.
    pub text: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks a text.
            ///
            /// # Errors
            /// [`InvalidName`] with the rule that it breaks.
            pub fn try_new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidName { kind: $kind, text: text.chars().take(80).collect(), rule: $rule })
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::try_new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::try_new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// An experiment's identifier: `"0"`, or what the server made up.
    ExperimentId, "experiment id", "1 to 64 letters, digits, `_` or `-`, the first a letter or digit",
    |text| identifier(text, 64)
);
name!(
    /// A run's identifier, usually 32 hexadecimal digits.
    RunId, "run id", "1 to 256 letters, digits, `_` or `-`, the first a letter or digit",
    |text| identifier(text, 256)
);
name!(
    /// A logged model's identifier: `m-` and 32 hexadecimal digits.
    ModelId, "model id", "1 to 256 letters, digits, `_` or `-`, the first a letter or digit",
    |text| identifier(text, 256)
);
name!(
    /// The name of a logged model within its experiment; it may occur more than once.
    LoggedModelName, "logged model name", "not empty, without any of / : . % \" '",
    |text| !text.is_empty() && !text.contains(['/', ':', '.', '%', '"', '\''])
);
name!(
    /// The name of a registered model.
    RegisteredModelName, "registered model name", "not empty, without / and :, not `.`, and not beginning with `..`",
    |text| !text.trim().is_empty() && !text.contains(['/', ':', '\0']) && is_plain_path(text)
);
name!(
    /// An alias of a model version, such as `champion`.
    ModelAlias, "model alias", "1 to 255 word characters or `-`, neither `latest` nor `v` and a number",
    alias
);
name!(
    /// A webhook's identifier, usually a UUID.
    WebhookId, "webhook id", "1 to 256 letters, digits, `_` or `-`, the first a letter or digit",
    |text| identifier(text, 256)
);
name!(
    /// The name of a webhook; it may occur more than once.
    WebhookName, "webhook name", "1 to 63 letters, digits, `.`, `_` or `-`, the first and the last a letter or digit",
    webhook
);
name!(
    /// The name of a user of a server with users and passwords.
    Username, "user name", "not empty",
    |text| !text.is_empty()
);

/// Whether a name without slashes would, as a path, be itself: it is neither empty nor `.`, and begins with no `..`.
fn is_plain_path(name: &str) -> bool {
    !name.is_empty() && name != "." && !name.starts_with("..")
}

fn identifier(text: &str, longest: usize) -> bool {
    let mut characters = text.chars();
    text.chars().count() <= longest
        && characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && characters.all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

fn alias(text: &str) -> bool {
    let version = text
        .strip_prefix(['v', 'V'])
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit()));
    !text.is_empty()
        && text.chars().count() <= 255
        && text.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
        && !text.eq_ignore_ascii_case("latest")
        && !version
}

fn webhook(text: &str) -> bool {
    let ends = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'))
}

/// The number of a model version, from 1. On the wire it is a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WireVersion", into = "String")]
pub struct ModelVersionNumber(u32);

impl ModelVersionNumber {
    /// A version's number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ModelVersionNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for ModelVersionNumber {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse().map(Self).map_err(|_| InvalidName {
            kind: "model version",
            text: text.chars().take(80).collect(),
            rule: "a whole number",
        })
    }
}

impl From<ModelVersionNumber> for String {
    fn from(number: ModelVersionNumber) -> Self {
        number.to_string()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireVersion {
    Number(u32),
    Text(String),
}

impl TryFrom<WireVersion> for ModelVersionNumber {
    type Error = InvalidName;

    fn try_from(wire: WireVersion) -> Result<Self, InvalidName> {
        match wire {
            WireVersion::Number(number) => Ok(Self(number)),
            WireVersion::Text(text) => text.parse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_have_names_like_hosts() {
        for name in ["a", "A1", "on-new.version_2", &"x".repeat(63)] {
            assert_eq!(WebhookName::try_new(name).map(String::from).as_deref(), Ok(name));
        }
        for text in ["", "-a", "a.", "a b", "gr\u{f6}\u{df}e", "a/b", &"x".repeat(64)] {
            assert!(WebhookName::try_new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_webhook_id_stays_in_its_part_of_a_route() {
        assert!(WebhookId::try_new("0f2c4a16-3a1e-4a0f-9f5e-0f2c4a163a1e").is_ok());
        for text in ["", "..", "a/b", "a?b", "-a"] {
            assert!(WebhookId::try_new(text).is_err(), "{text:?}");
        }
    }
}
