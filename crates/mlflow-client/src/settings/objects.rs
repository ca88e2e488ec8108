//! How object stores are reached: addresses, and who we are to them.

use std::fmt;
use std::path::PathBuf;

use super::{Secret, StoreUri};

/// How S3, and what speaks like it, is reached.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct S3Settings {
    /// The address of an S3 that is not AWS's.
    pub endpoint_url: Option<StoreUri>,
    /// Whether its certificate is not looked at.
    pub ignore_tls: bool,
    /// A PEM file of the authorities that its certificate may come from, instead of the system's.
    pub authorities: Option<PathBuf>,
    /// The region; `us-east-1` if absent.
    pub region: Option<String>,
    /// Who we are.
    pub credentials: S3Credentials,
    /// How a bucket is addressed.
    pub addressing: S3Addressing,
    /// What every upload says besides, as JSON: encryption on the server's side. It may hold a key.
    pub upload_arguments: Option<Secret>,
    /// The account that must own the bucket.
    pub expected_owner: Option<String>,
}

/// Who we are to S3.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum S3Credentials {
    /// Whoever the machine is, in AWS's cloud: its metadata service tells.
    #[default]
    Machine,
    /// Whoever holds a key.
    Keys {
        /// The key's name.
        access_key_id: String,
        /// The key.
        secret_access_key: Secret,
        /// The token of a temporary key.
        session_token: Option<Secret>,
    },
    /// Whoever holds a token of a cluster's identity provider.
    WebIdentity {
        /// The file of the token.
        token_file: PathBuf,
        /// The role that it is exchanged for.
        role_arn: String,
        /// The session's name.
        session_name: Option<String>,
    },
    /// Whoever the container is; a service at this path of the container's own network tells.
    Task {
        /// The path.
        relative_uri: String,
    },
    /// Whoever the pod is; a service of the cluster tells.
    Pod {
        /// The service's address.
        uri: String,
        /// The file of the token that it asks for.
        token_file: PathBuf,
    },
    /// Nobody: public buckets.
    Unsigned,
    /// What was asked for cannot be done here.
    Unusable {
        /// The setting.
        setting: String,
        /// Why not, as the end of a sentence.
        problem: String,
    },
}

/// How a bucket of S3 is addressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum S3Addressing {
    /// In the host's name at AWS, in the path elsewhere.
    #[default]
    Auto,
    /// In the path.
    Path,
    /// In the host's name.
    Virtual,
}

/// How Google's storage is reached.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GcsSettings {
    /// The file of a service account or of a user's login. Without one, the machine's metadata service tells who we are.
    pub application_credentials: Option<PathBuf>,
    /// The address of something else that speaks like it, and asks nobody who they are.
    pub emulator: Option<StoreUri>,
}

/// How Azure's storage is reached.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct AzureSettings {
    /// An account with its key or its signature, and perhaps its address.
    pub connection_string: Option<Secret>,
    /// The key of the account that a URI names.
    pub access_key: Option<Secret>,
    /// A shared access signature.
    pub sas_token: Option<Secret>,
    /// The directory of users.
    pub tenant_id: Option<String>,
    /// An application, or an identity of the machine.
    pub client_id: Option<String>,
    /// The application's secret.
    pub client_secret: Option<Secret>,
    /// The file of a token of a cluster's identity provider.
    pub federated_token_file: Option<PathBuf>,
    /// Where tokens are asked for, where that is not the public cloud.
    pub authority_host: Option<String>,
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3Settings")
            .field("endpoint_url", &self.endpoint_url)
            .field("ignore_tls", &self.ignore_tls)
            .field("region", &self.region)
            .field("credentials", &self.credentials)
            .field("addressing", &self.addressing)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Machine => "Machine",
            Self::Keys { .. } => "Keys",
            Self::WebIdentity { .. } => "WebIdentity",
            Self::Task { .. } => "Task",
            Self::Pod { .. } => "Pod",
            Self::Unsigned => "Unsigned",
            Self::Unusable { .. } => "Unusable",
        })
    }
}

impl fmt::Debug for AzureSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AzureSettings")
            .field("has_connection_string", &self.connection_string.is_some())
            .field("has_access_key", &self.access_key.is_some())
            .field("has_sas_token", &self.sas_token.is_some())
            .field("client_id", &self.client_id)
            .field("has_client_secret", &self.client_secret.is_some())
            .finish_non_exhaustive()
    }
}
