//! Who we are to a server, and how a request says so.

use std::fmt;

use url::Url;

#[cfg(feature = "aws-sigv4")]
use super::sigv4::sign;
use super::transport::HttpRequest;
use crate::settings::{AwsKeys, Credentials, Databricks, DatabricksProfile, Secret};
use crate::{Error, Result};

/// Who we are to a server.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Identity {
    /// Nobody.
    #[default]
    Anonymous,
    /// A user with a password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Whoever holds the token.
    Bearer(Secret),
    /// Whoever holds keys of AWS; each request is signed.
    SigV4(AwsKeys),
}

impl Identity {
    /// The one that credentials stand for, in MLflow's order: AWS's signature, user and password, token.
    ///
    /// # Errors
    /// [`Error::Setting`] when they ask for what this build cannot do.
    pub fn of(credentials: &Credentials) -> Result<Self> {
        if let Some(keys) = &credentials.sigv4 {
            #[cfg(feature = "aws-sigv4")]
            return Ok(Self::SigV4(keys.clone()));
            #[cfg(not(feature = "aws-sigv4"))]
            return Err(without_sigv4(keys));
        }
        if let Some(plugin) = &credentials.plugin {
            return Err(Error::Setting {
                setting: "MLFLOW_TRACKING_AUTH".into(),
                problem: format!(
                    "`{plugin}` is a plugin of Python, and none runs here; use a user or a token"
                ),
            });
        }
        Ok(match (&credentials.username, &credentials.password, &credentials.token) {
            (Some(username), Some(password), _) => {
                Self::Basic { username: username.clone(), password: password.clone() }
            }
            (_, _, Some(token)) => Self::Bearer(token.clone()),
            _ => Self::Anonymous,
        })
    }

    /// Adds to a request what proves it.
    pub(crate) async fn prove(&self, request: &mut HttpRequest, seconds: u64) -> Result<()> {
        let value = match self {
            Self::Anonymous => return Ok(()),
            Self::SigV4(keys) => return sign(keys, request, seconds).await,
            Self::Basic { username, password } => {
                format!("Basic {}", base64(format!("{username}:{}", password.expose()).as_bytes()))
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
        };
        request.headers.push(("authorization".into(), value));
        Ok(())
    }

    /// A server's words without ours: some quote the request back.
    pub(crate) fn scrub(&self, words: &str) -> String {
        let secrets = match self {
            Self::Anonymous => Vec::new(),
            Self::Basic { username, password } => {
                let password = password.expose();
                vec![base64(format!("{username}:{password}").as_bytes()), password.to_owned()]
            }
            Self::Bearer(token) => vec![token.expose().to_owned()],
            Self::SigV4(keys) => [Some(&keys.secret_access_key), keys.session_token.as_ref()]
                .into_iter()
                .flatten()
                .map(|secret| secret.expose().to_owned())
                .collect(),
        };
        without(words, &secrets)
    }
}

/// Words without secrets. A password of a letter or two would tear every word apart, and is no secret.
pub(crate) fn without(words: &str, secrets: &[String]) -> String {
    let secrets = secrets.iter().filter(|secret| secret.len() >= 4);
    secrets.fold(words.to_owned(), |words, secret| words.replace(secret.as_str(), "[secret]"))
}

#[cfg(not(feature = "aws-sigv4"))]
#[expect(clippy::unused_async, reason = "a signature reads the body")]
async fn sign(keys: &AwsKeys, _: &mut HttpRequest, _: u64) -> Result<()> {
    Err(without_sigv4(keys))
}

#[cfg(not(feature = "aws-sigv4"))]
fn without_sigv4(_: &AwsKeys) -> Error {
    Error::Setting {
        setting: "MLFLOW_TRACKING_AWS_SIGV4".into(),
        problem: "this build cannot sign: it was made without the feature `aws-sigv4`".into(),
    }
}

/// Takes user and password out of an address.
///
/// # Errors
/// [`Error::Uri`] when they are not percent-encoded text.
pub(crate) fn take_user(address: &mut Url) -> Result<Option<Identity>> {
    let decoded =
        |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().map(String::from).ok();
    let user = (!address.username().is_empty() || address.password().is_some())
        .then(|| (decoded(address.username()), decoded(address.password().unwrap_or_default())));
    // Neither can fail on an address with a host, and one without has neither.
    let _ = address.set_username("");
    let _ = address.set_password(None);
    match user {
        None => Ok(None),
        Some((Some(username), Some(password))) => {
            Ok(Some(Identity::Basic { username, password: Secret::new(password) }))
        }
        Some(_) => Err(Error::Uri {
            uri: address.to_string(),
            problem: "user and password are not percent-encoded UTF-8".into(),
        }),
    }
}

/// The workspace of Databricks that `databricks` or `databricks://PROFILE` stands for, and who we are to it.
pub(crate) fn databricks(settings: &Databricks, profile: Option<&str>) -> Result<(String, Identity)> {
    let wrong = |setting: &str, problem: String| Error::Setting { setting: setting.into(), problem };
    let (place, found) = match profile {
        Some(name) => (format!("profile `{name}`"), settings.profiles.get(name)),
        None if settings.environment.host.is_some() => {
            ("DATABRICKS_HOST".into(), Some(&settings.environment))
        }
        None => {
            let name = settings.default_profile.as_deref().unwrap_or("DEFAULT");
            (format!("profile `{name}`"), settings.profiles.get(name))
        }
    };
    let Some(DatabricksProfile { host: Some(host), token, client_id }) = found else {
        return Err(wrong(
            "databricks",
            format!("neither DATABRICKS_HOST nor {place} in ~/.databrickscfg names a host"),
        ));
    };
    let Some(token) = token else {
        let problem = match client_id {
            Some(_) => "names a service principal; OAuth is not spoken here, use a personal access token",
            None => "has no token",
        };
        return Err(wrong("databricks", format!("{place} {problem}")));
    };
    let host = if host.contains("://") { host.clone() } else { format!("https://{host}") };
    Ok((host, Identity::Bearer(token.clone())))
}

/// Base64 with its usual alphabet and padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if digit <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Basic { username, .. } => write!(formatter, "Basic({username})"),
            Self::Bearer(_) => formatter.write_str("Bearer"),
            Self::SigV4(keys) => write!(formatter, "SigV4({keys:?})"),
        }
    }
}

#[cfg(test)]
#[cfg(not(feature = "aws-sigv4"))]
mod tests {
    use super::*;

    #[test]
    fn without_its_feature_a_signature_is_refused_by_name() {
        let keys = AwsKeys {
            access_key_id: "AKID".into(),
            secret_access_key: Secret::new("s3cret"),
            session_token: None,
            region: "eu-west-3".into(),
        };
        let credentials = Credentials { sigv4: Some(keys), ..Credentials::default() };
        assert_eq!(
            Identity::of(&credentials).unwrap_err().to_string(),
            "MLFLOW_TRACKING_AWS_SIGV4: this build cannot sign: it was made without the feature `aws-sigv4`"
        );
    }
}
