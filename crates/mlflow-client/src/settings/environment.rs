//! The environment and the files of credentials, read once.

use std::fs;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::ini::Ini;
use super::variables as name;
use super::{
    ArtifactSettings, AwsKeys, Credentials, Databricks, DatabricksProfile, HttpSettings, KeepAlive,
    LocalRoots, LoggingSettings, Proxies, RetryPolicy, Secret, Settings, StoreUri, Tls, Verify,
    object_environment,
};
use crate::{Error, Result};

/// Python refuses more (`_MLFLOW_HTTP_REQUEST_MAX_RETRIES_LIMIT`).
const MOST_RETRIES: u32 = 10;
/// Python refuses more (`_MLFLOW_HTTP_REQUEST_MAX_BACKOFF_FACTOR_LIMIT`).
const LARGEST_BACKOFF: f64 = 120.0;
/// A day: longer waits are a mistake in the unit.
const LONGEST_SECONDS: f64 = 86_400.0;

impl Settings {
    /// Reads every variable of [`variables`](super::variables) and the files of credentials beside the user's folder.
    ///
    /// `lookup` answers a variable's value. An empty value is as none. A file that does not exist is as an empty one.
    ///
    /// # Errors
    /// [`Error::Setting`] names the variable whose value makes no sense, [`Error::File`] a file that cannot be read.
    pub fn from_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let environment = Environment { lookup };
        Ok(Self {
            tracking_uri: environment.uri(name::MLFLOW_TRACKING_URI),
            registry_uri: environment.uri(name::MLFLOW_REGISTRY_URI),
            workspace: environment.text(name::MLFLOW_WORKSPACE),
            experiment_name: environment.text(name::MLFLOW_EXPERIMENT_NAME),
            experiment_id: environment.text(name::MLFLOW_EXPERIMENT_ID),
            run_id: environment.text(name::MLFLOW_RUN_ID),
            active_model_id: environment.text(name::MLFLOW_ACTIVE_MODEL_ID),
            credentials: credentials(&environment)?,
            databricks: databricks(&environment)?,
            http: http(&environment)?,
            artifacts: artifacts(&environment)?,
            logging: logging(&environment)?,
        })
    }
}

pub(super) struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Environment<'_> {
    pub(super) fn text(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).filter(|value| !value.is_empty())
    }

    pub(super) fn uri(&self, variable: &str) -> Option<StoreUri> {
        self.text(variable).map(StoreUri::new)
    }

    pub(super) fn secret(&self, variable: &str) -> Option<Secret> {
        self.text(variable).map(Secret::new)
    }

    pub(super) fn path(&self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(PathBuf::from)
    }

    /// What commas are between.
    fn list(&self, variable: &str) -> Vec<String> {
        let text = self.text(variable).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// As Python's: `true`, `false`, `1`, `0`, in any case.
    pub(super) fn flag(&self, variable: &str, default: bool) -> Result<bool> {
        let Some(text) = self.text(variable) else { return Ok(default) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(wrong(variable, format!("`{text}` is neither `true` nor `false`"))),
        }
    }

    fn number<T>(&self, variable: &str, default: T, range: RangeInclusive<T>) -> Result<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.text(variable) else { return Ok(default) };
        let number: Option<T> = text.trim().parse().ok();
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            wrong(variable, format!("`{text}` is no number from {least} to {most}"))
        })
    }

    fn seconds(&self, variable: &str, default: Duration) -> Result<Duration> {
        let seconds = self.number(variable, default.as_secs_f64(), 0.0..=LONGEST_SECONDS)?;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// A time limit: 0 would let nothing through.
    fn time_limit(&self, variable: &str, default: Duration) -> Result<Duration> {
        let limit = self.seconds(variable, default)?;
        if limit.is_zero() {
            return Err(wrong(variable, "no time at all is no limit to work under".into()));
        }
        Ok(limit)
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path(name::HOME).or_else(|| self.path(name::USERPROFILE))
    }

    /// A file of credentials: where a variable says, or else at a place in the user's folder.
    pub(super) fn ini(&self, variable: Option<&str>, place: &str) -> Result<Ini> {
        let named = variable.and_then(|variable| self.path(variable));
        named
            .or_else(|| self.home().map(|home| home.join(place)))
            .map_or(Ok(Ini::default()), |path| read(&path))
    }
}

fn read(path: &Path) -> Result<Ini> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Ini::parse(&text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Ini::default())
        }
        Err(source) => Err(Error::File { path: path.to_owned(), action: "read", source }),
    }
}

pub(super) fn wrong(variable: &str, problem: String) -> Error {
    Error::Setting { setting: variable.to_owned(), problem }
}

fn credentials(environment: &Environment<'_>) -> Result<Credentials> {
    let file = environment.ini(None, ".mlflow/credentials")?;
    let saved = |key: &str| file.get("mlflow", key).map(str::to_owned);
    let sigv4 = environment.flag(name::MLFLOW_TRACKING_AWS_SIGV4, false)?;
    Ok(Credentials {
        username: environment
            .text(name::MLFLOW_TRACKING_USERNAME)
            .or_else(|| saved("mlflow_tracking_username")),
        password: environment
            .secret(name::MLFLOW_TRACKING_PASSWORD)
            .or_else(|| saved("mlflow_tracking_password").map(Secret::new)),
        token: environment.secret(name::MLFLOW_TRACKING_TOKEN),
        sigv4: if sigv4 { Some(aws_keys(environment)?) } else { None },
        plugin: environment.text(name::MLFLOW_TRACKING_AUTH),
    })
}

/// For a signature everything must be there.
fn aws_keys(environment: &Environment<'_>) -> Result<AwsKeys> {
    let missing = |variable: &str| wrong(name::MLFLOW_TRACKING_AWS_SIGV4, format!("{variable} is not set"));
    let keys = environment.aws_keys()?;
    Ok(AwsKeys {
        access_key_id: keys.access_key_id.ok_or_else(|| missing(name::AWS_ACCESS_KEY_ID))?,
        secret_access_key: keys.secret_access_key.ok_or_else(|| missing(name::AWS_SECRET_ACCESS_KEY))?,
        session_token: keys.session_token,
        region: environment.aws_region()?.ok_or_else(|| missing(name::AWS_REGION))?,
    })
}

fn databricks(environment: &Environment<'_>) -> Result<Databricks> {
    let file = environment.ini(Some(name::DATABRICKS_CONFIG_FILE), ".databrickscfg")?;
    let saved = |profile: &str, key: &str| file.get(profile, key).map(str::to_owned);
    let profiles = file.sections().map(|section| {
        let profile = DatabricksProfile {
            host: saved(section, "host"),
            token: saved(section, "token").map(Secret::new),
            client_id: saved(section, "client_id"),
        };
        (section.to_owned(), profile)
    });
    let limit = name::MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT;
    Ok(Databricks {
        profiles: profiles.collect(),
        environment: DatabricksProfile {
            host: environment.text(name::DATABRICKS_HOST),
            token: environment.secret(name::DATABRICKS_TOKEN),
            client_id: environment
                .text(name::DATABRICKS_CLIENT_ID)
                .or_else(|| environment.text(name::DATABRICKS_CLIENT_SECRET).map(|_| String::new())),
        },
        default_profile: environment.text(name::DATABRICKS_CONFIG_PROFILE),
        retry_timeout: environment.time_limit(limit, Databricks::default().retry_timeout)?,
    })
}

fn http(environment: &Environment<'_>) -> Result<HttpSettings> {
    let default = HttpSettings::default();
    // Python's pool of hosts has no counterpart here; a mistake in the variable is told all the same.
    environment.number(name::MLFLOW_HTTP_POOL_CONNECTIONS, 10, 1..=100_000)?;
    Ok(HttpSettings {
        retry: retry(environment)?,
        connect_timeout: default.connect_timeout,
        idle_timeout: environment.time_limit(name::MLFLOW_HTTP_REQUEST_TIMEOUT, default.idle_timeout)?,
        allow_redirects: environment.flag(name::MLFLOW_ALLOW_HTTP_REDIRECTS, true)?,
        pool_size: environment.number(name::MLFLOW_HTTP_POOL_MAXSIZE, default.pool_size, 1..=100_000)?,
        keep_alive: keep_alive(environment)?,
        tls: tls(environment)?,
        proxies: proxies(environment),
    })
}

fn retry(environment: &Environment<'_>) -> Result<RetryPolicy> {
    let default = RetryPolicy::default();
    let (factor, jitter) =
        (name::MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR, name::MLFLOW_HTTP_REQUEST_BACKOFF_JITTER);
    Ok(RetryPolicy {
        max_retries: environment.number(
            name::MLFLOW_HTTP_REQUEST_MAX_RETRIES,
            default.max_retries,
            0..=MOST_RETRIES,
        )?,
        backoff_factor: environment.number(factor, default.backoff_factor, 0.0..=LARGEST_BACKOFF)?,
        backoff_jitter: environment.number(jitter, default.backoff_jitter, 0.0..=LARGEST_BACKOFF)?,
        respect_retry_after: environment.flag(name::MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER, true)?,
        ..default
    })
}

fn keep_alive(environment: &Environment<'_>) -> Result<Option<KeepAlive>> {
    let default = KeepAlive::default();
    let keep_alive = KeepAlive {
        idle: environment.time_limit(name::MLFLOW_HTTP_TCP_KEEPALIVE_IDLE, default.idle)?,
        interval: environment.time_limit(name::MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL, default.interval)?,
        count: environment.number(name::MLFLOW_HTTP_TCP_KEEPALIVE_COUNT, default.count, 1..=127)?,
    };
    Ok(environment.flag(name::MLFLOW_HTTP_TCP_KEEPALIVE, true)?.then_some(keep_alive))
}

fn tls(environment: &Environment<'_>) -> Result<Tls> {
    let insecure = environment.flag(name::MLFLOW_TRACKING_INSECURE_TLS, false)?;
    let verify = match (insecure, environment.path(name::MLFLOW_TRACKING_SERVER_CERT_PATH)) {
        (true, Some(_)) => {
            let problem = format!("not together with {}", name::MLFLOW_TRACKING_SERVER_CERT_PATH);
            return Err(wrong(name::MLFLOW_TRACKING_INSECURE_TLS, problem));
        }
        (true, None) => Verify::Nothing,
        (false, Some(path)) => Verify::Authorities(path),
        (false, None) => Verify::System,
    };
    Ok(Tls { verify, client_certificate: environment.path(name::MLFLOW_TRACKING_CLIENT_CERT_PATH) })
}

/// These are known in capital and in small letters. `HTTP_PROXY` is asked for in small letters only, as curl does: a web
/// server sets the other one from a header of whoever asks it.
fn proxies(environment: &Environment<'_>) -> Proxies {
    let either = |variable: &str| {
        environment.text(&variable.to_ascii_lowercase()).or_else(|| environment.text(variable))
    };
    let all = either(name::ALL_PROXY);
    Proxies {
        http: environment
            .text(&name::HTTP_PROXY.to_ascii_lowercase())
            .or_else(|| all.clone())
            .map(StoreUri::new),
        https: either(name::HTTPS_PROXY).or(all).map(StoreUri::new),
        except: either(name::NO_PROXY),
    }
}

fn artifacts(environment: &Environment<'_>) -> Result<ArtifactSettings> {
    let default = ArtifactSettings::default();
    let bytes = |variable: &str, default: u64| environment.number(variable, default, 1..=u64::MAX);
    Ok(ArtifactSettings {
        s3: object_environment::s3(environment)?,
        gcs: object_environment::gcs(environment),
        azure: object_environment::azure(environment),
        multipart_upload: environment.flag(name::MLFLOW_ENABLE_MULTIPART_UPLOAD, true)?
            && environment.flag(name::MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD, true)?,
        multipart_download: environment.flag(name::MLFLOW_ENABLE_MULTIPART_DOWNLOAD, true)?,
        multipart_upload_minimum: bytes(
            name::MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE,
            default.multipart_upload_minimum,
        )?,
        multipart_upload_chunk: bytes(
            name::MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE,
            default.multipart_upload_chunk,
        )?,
        multipart_download_minimum: bytes(
            name::MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE,
            default.multipart_download_minimum,
        )?,
        multipart_download_chunk: bytes(
            name::MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE,
            default.multipart_download_chunk,
        )?,
        server_folders: server_folders(environment)?,
        allowed_hosts: environment.list(name::ST_ALLOWED_HOSTS),
    })
}

fn server_folders(environment: &Environment<'_>) -> Result<LocalRoots> {
    let variable = name::ST_SERVER_FOLDERS;
    match environment.text(variable).as_deref() {
        None | Some("add") => Ok(LocalRoots::Add),
        Some("replace") => Ok(LocalRoots::Replace),
        Some("refuse") => Ok(LocalRoots::Refuse),
        Some(text) => Err(wrong(variable, format!("`{text}` is none of `add`, `replace` and `refuse`"))),
    }
}

fn logging(environment: &Environment<'_>) -> Result<LoggingSettings> {
    let default = LoggingSettings::default();
    let (buffering, long) = (name::MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS, name::MLFLOW_TRUNCATE_LONG_VALUES);
    Ok(LoggingSettings {
        asynchronous: environment.flag(name::MLFLOW_ENABLE_ASYNC_LOGGING, false)?,
        buffering: environment
            .text(buffering)
            .map(|_| environment.seconds(buffering, Duration::ZERO))
            .transpose()?,
        system_metrics: environment.flag(name::MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING, false)?,
        system_metrics_interval: environment
            .time_limit(name::MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL, default.system_metrics_interval)?,
        truncate_long_values: environment.text(long).map(|_| environment.flag(long, true)).transpose()?,
        log_model_compression: environment.text(name::MLFLOW_LOG_MODEL_COMPRESSION),
        requirements_inference_timeout: environment.time_limit(
            name::MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT,
            default.requirements_inference_timeout,
        )?,
        input_example_inference_timeout: environment.time_limit(
            name::MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT,
            default.input_example_inference_timeout,
        )?,
    })
}

#[cfg(test)]
mod tests;
