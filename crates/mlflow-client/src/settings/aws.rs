//! The keys of AWS: the environment, and the two files that AWS's tools share.

use super::Secret;
use super::environment::Environment;
use super::variables as name;
use crate::Result;

/// What is found of a key.
pub(super) struct FoundKeys {
    pub(super) access_key_id: Option<String>,
    pub(super) secret_access_key: Option<Secret>,
    pub(super) session_token: Option<Secret>,
}

impl Environment<'_> {
    /// A key of the environment, or else of the profile. The parts of one belong together: a key of the environment is not
    /// mixed with a token of the file. A key of the environment wins over a profile that is named, as in boto3.
    pub(super) fn aws_keys(&self) -> Result<FoundKeys> {
        if let Some(id) = self.text(name::AWS_ACCESS_KEY_ID) {
            return Ok(FoundKeys {
                access_key_id: Some(id),
                secret_access_key: self.secret(name::AWS_SECRET_ACCESS_KEY),
                session_token: self.secret(name::AWS_SESSION_TOKEN),
            });
        }
        let file = self.ini(Some(name::AWS_SHARED_CREDENTIALS_FILE), ".aws/credentials")?;
        let profile = self.aws_profile();
        let saved = |key: &str| file.get(&profile, key).map(str::to_owned);
        Ok(FoundKeys {
            access_key_id: saved("aws_access_key_id"),
            secret_access_key: saved("aws_secret_access_key").map(Secret::new),
            session_token: saved("aws_session_token").map(Secret::new),
        })
    }

    /// The region, from the environment or from either file.
    pub(super) fn aws_region(&self) -> Result<Option<String>> {
        let named = self.text(name::AWS_REGION).or_else(|| self.text(name::AWS_DEFAULT_REGION));
        if named.is_some() {
            return Ok(named);
        }
        let profile = self.aws_profile();
        let credentials = self.ini(Some(name::AWS_SHARED_CREDENTIALS_FILE), ".aws/credentials")?;
        if let Some(region) = credentials.get(&profile, "region") {
            return Ok(Some(region.to_owned()));
        }
        let config = self.ini(Some(name::AWS_CONFIG_FILE), ".aws/config")?;
        let section = if profile == "default" { profile } else { format!("profile {profile}") };
        Ok(config.get(&section, "region").map(str::to_owned))
    }

    fn aws_profile(&self) -> String {
        self.text(name::AWS_PROFILE).unwrap_or_else(|| "default".into())
    }
}
