//! Everything that a user can set, as plain data.
//!
//! [`Settings::from_environment`] is the one place that knows MLflow's environment variables ([`variables`]) and files of
//! credentials. Nothing in this crate looks at the environment itself: the caller hands in how to look a variable up.

mod aws;
mod environment;
mod http;
mod ignored;
mod ini;
mod local_roots;
mod object_environment;
mod objects;
mod secret;
pub mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use http::{HttpSettings, KeepAlive, Proxies, RetryPolicy, Tls, Verify};
pub use local_roots::LocalRoots;
pub use objects::{AzureSettings, GcsSettings, S3Addressing, S3Credentials, S3Settings};
pub use secret::{Secret, StoreUri, redacted};

/// Everything that a user can set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The tracking store; the embedded one if absent.
    pub tracking_uri: Option<StoreUri>,
    /// The registry; the tracking store if absent.
    pub registry_uri: Option<StoreUri>,
    /// The workspace, on servers that have any.
    pub workspace: Option<String>,
    /// The experiment to log to, by name.
    pub experiment_name: Option<String>,
    /// The experiment to log to, by identifier.
    pub experiment_id: Option<String>,
    /// The run to continue.
    pub run_id: Option<String>,
    /// The logged model that metrics are linked to.
    pub active_model_id: Option<String>,
    /// Who we are to a server.
    pub credentials: Credentials,
    /// Who we are to Databricks.
    pub databricks: Databricks,
    /// How we speak HTTP.
    pub http: HttpSettings,
    /// How artifacts travel.
    pub artifacts: ArtifactSettings,
    /// How runs and models are logged.
    pub logging: LoggingSettings,
}

impl Settings {
    /// The defaults, with a tracking store.
    pub fn for_tracking_uri(uri: impl Into<StoreUri>) -> Self {
        Self { tracking_uri: Some(uri.into()), ..Self::default() }
    }

    /// What a spool knows the tracking store by: its URI without secrets, the same from every folder.
    pub fn store_address(&self) -> String {
        const SQLITE: &str = "sqlite:///";
        let uri =
            self.tracking_uri.as_ref().map_or_else(|| format!("{SQLITE}mlflow.db"), ToString::to_string);
        match uri.strip_prefix(SQLITE).map(std::path::absolute) {
            Some(Ok(path)) => format!("{SQLITE}{}", path.display()),
            // A folder that is gone has no other name; its store cannot be opened either.
            _ => uri.trim_end_matches('/').to_owned(),
        }
    }

    /// The registry's URI: its own, or else the tracking store's.
    pub fn effective_registry_uri(&self) -> Option<&StoreUri> {
        self.registry_uri.as_ref().or(self.tracking_uri.as_ref())
    }
}

/// Who we are to a server. Of several, MLflow's order decides: AWS's signature, user and password, token.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The user.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A bearer token.
    pub token: Option<Secret>,
    /// Keys of AWS to sign with; present only where signing was asked for.
    pub sigv4: Option<AwsKeys>,
    /// The name of a Python plugin that was asked for.
    pub plugin: Option<String>,
}

/// Keys of AWS.
#[derive(Clone)]
pub struct AwsKeys {
    /// The key's name.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// The token of a temporary key.
    pub session_token: Option<Secret>,
    /// The region.
    pub region: String,
}

/// Who we are to Databricks.
#[derive(Clone, Debug)]
pub struct Databricks {
    /// The profile that the environment itself describes; it wins over the file where it names a host.
    pub environment: DatabricksProfile,
    /// The profile that `databricks` without a name stands for, where the environment describes none.
    pub default_profile: Option<String>,
    /// The profiles of the file, by name.
    pub profiles: BTreeMap<String, DatabricksProfile>,
    /// How long attempts of one call go on for. 500 seconds, as in Python.
    pub retry_timeout: Duration,
}

impl Default for Databricks {
    fn default() -> Self {
        Self {
            environment: DatabricksProfile::default(),
            default_profile: None,
            profiles: BTreeMap::new(),
            retry_timeout: Duration::from_secs(500),
        }
    }
}

/// A workspace of Databricks.
#[derive(Clone, Default)]
pub struct DatabricksProfile {
    /// Its address.
    pub host: Option<String>,
    /// A personal access token.
    pub token: Option<Secret>,
    /// A service principal, which needs OAuth.
    pub client_id: Option<String>,
}

/// How artifacts travel.
#[derive(Clone, Debug)]
pub struct ArtifactSettings {
    /// How S3 is reached.
    pub s3: S3Settings,
    /// How Google's storage is reached.
    pub gcs: GcsSettings,
    /// How Azure's storage is reached.
    pub azure: AzureSettings,
    /// Whether big files go up in parts, where the server can.
    pub multipart_upload: bool,
    /// Whether big files come down in parts, where the server can. Nothing acts on it: files come down in one piece.
    pub multipart_download: bool,
    /// Bytes from which on a file goes up in parts.
    pub multipart_upload_minimum: u64,
    /// Bytes of such a part.
    pub multipart_upload_chunk: u64,
    /// Bytes from which on a file comes down in parts. Nothing acts on it.
    pub multipart_download_minimum: u64,
    /// Bytes of such a part. Nothing acts on it.
    pub multipart_download_chunk: u64,
    /// What a server's word about folders of this machine is worth.
    pub server_folders: LocalRoots,
    /// Hosts that a server may send us to, beside its own.
    pub allowed_hosts: Vec<String>,
}

impl Default for ArtifactSettings {
    fn default() -> Self {
        Self {
            s3: S3Settings::default(),
            gcs: GcsSettings::default(),
            azure: AzureSettings::default(),
            multipart_upload: true,
            multipart_download: true,
            multipart_upload_minimum: 500 << 20,
            multipart_upload_chunk: 10 << 20,
            multipart_download_minimum: 500 << 20,
            multipart_download_chunk: 100 << 20,
            server_folders: LocalRoots::default(),
            allowed_hosts: Vec::new(),
        }
    }
}

/// How runs and models are logged.
#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// Whether what is logged is sent in the background. Nothing acts on it: a run always does.
    pub asynchronous: bool,
    /// How long the background collects before it sends. Nothing acts on it.
    pub buffering: Option<Duration>,
    /// Whether a run measures its machine: for a program to read, which then calls
    /// [`ActiveRun::log_system_metrics`](crate::ActiveRun::log_system_metrics).
    pub system_metrics: bool,
    /// The time between two such measures.
    pub system_metrics_interval: Duration,
    /// What becomes of the value of a param or of a run's tag that is longer than MLflow keeps. `true`: it is cut, with a
    /// warning, as Python does by default. `false`: it is refused before it is sent anywhere. If nothing is said, a run and
    /// the embedded store refuse, and a call to a server is sent with a warning: most servers cut it, some refuse.
    pub truncate_long_values: Option<bool>,
    /// The compression of a logged model. Nothing acts on it.
    pub log_model_compression: Option<String>,
    /// How long Python may look for a model's requirements. Nothing acts on it: no Python runs here.
    pub requirements_inference_timeout: Duration,
    /// How long Python may predict for the input example. Nothing acts on it: no Python runs here.
    pub input_example_inference_timeout: Duration,
}

impl Default for LoggingSettings {
    fn default() -> Self {
        Self {
            asynchronous: false,
            buffering: None,
            system_metrics: false,
            system_metrics_interval: Duration::from_secs(10),
            truncate_long_values: None,
            log_model_compression: None,
            requirements_inference_timeout: Duration::from_mins(2),
            input_example_inference_timeout: Duration::from_mins(3),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .field("has_password", &self.password.is_some())
            .field("has_token", &self.token.is_some())
            .field("sigv4", &self.sigv4)
            .field("plugin", &self.plugin)
            .finish()
    }
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AwsKeys").field("region", &self.region).finish_non_exhaustive()
    }
}

impl fmt::Debug for DatabricksProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabricksProfile")
            .field("host", &self.host.as_deref().map(redacted))
            .field("has_token", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        assert_eq!(Settings::for_tracking_uri(uri).store_address(), expected);
    }

    #[test]
    fn a_store_has_one_address() {
        check("http://ann:secret@host:5000/", "http://host:5000");
        check("https://host/mlflow", "https://host/mlflow");
        check("databricks://profile", "databricks://profile");
        check("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db");
        let here = format!("sqlite:///{}", std::path::absolute("mlflow.db").unwrap().display());
        check("sqlite:///mlflow.db", &here);
        assert_eq!(Settings::default().store_address(), here);
    }
}
