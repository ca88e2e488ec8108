//! Every variable, a value of it, and what it changes.

use std::fmt::Debug;

use super::super::*;
use crate::settings::S3Credentials;

/// A variable and what it changes. `{folder}` in a value is a folder with every file of credentials.
pub(super) struct Row {
    pub(super) variable: &'static str,
    /// What it is asked for as.
    pub(super) asked: &'static str,
    pub(super) value: &'static str,
    /// What is set besides, before and after.
    pub(super) with: &'static [(&'static str, &'static str)],
    pub(super) shown: fn(&Settings) -> String,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl Row {
    const fn with(mut self, with: &'static [(&'static str, &'static str)]) -> Self {
        self.with = with;
        self
    }

    const fn asked_as(mut self, asked: &'static str) -> Self {
        self.asked = asked;
        self
    }
}

const fn row(
    variable: &'static str,
    value: &'static str,
    shown: fn(&Settings) -> String,
    before: &'static str,
    after: &'static str,
) -> Row {
    Row { variable, asked: variable, value, with: &[], shown, before, after }
}

fn show(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn secret(value: Option<&Secret>) -> String {
    show(&value.map(Secret::expose))
}

/// All of who we are to S3; `Debug` shows the kind only.
fn s3_credentials(settings: &Settings) -> String {
    match &settings.artifacts.s3.credentials {
        S3Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            format!("{access_key_id} {} {}", secret_access_key.expose(), secret(session_token.as_ref()))
        }
        S3Credentials::WebIdentity { token_file, role_arn, session_name } => {
            format!("{} {role_arn} {session_name:?}", token_file.display())
        }
        S3Credentials::Task { relative_uri } => relative_uri.clone(),
        S3Credentials::Pod { uri, token_file } => format!("{uri} {}", token_file.display()),
        S3Credentials::Unusable { setting, .. } => format!("unusable: {setting}"),
        other => show(other),
    }
}

fn sigv4(settings: &Settings) -> String {
    let keys = settings.credentials.sigv4.as_ref();
    keys.map_or_else(String::new, |keys| format!("{} {}", keys.access_key_id, keys.region))
}

pub(super) const KEY: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "sk")];
pub(super) const HOME: &[(&str, &str)] = &[("HOME", "{folder}")];

pub(super) const PLACES: &[Row] = &[
    row(name::MLFLOW_TRACKING_URI, "http://a", |s| show(&s.tracking_uri), "None", "Some(\"http://a\")"),
    row(name::MLFLOW_REGISTRY_URI, "http://a", |s| show(&s.registry_uri), "None", "Some(\"http://a\")"),
    row(name::MLFLOW_WORKSPACE, "team", |s| show(&s.workspace), "None", "Some(\"team\")"),
    row(name::MLFLOW_EXPERIMENT_NAME, "e", |s| show(&s.experiment_name), "None", "Some(\"e\")"),
    row(name::MLFLOW_EXPERIMENT_ID, "7", |s| show(&s.experiment_id), "None", "Some(\"7\")"),
    row(name::MLFLOW_RUN_ID, "ab", |s| show(&s.run_id), "None", "Some(\"ab\")"),
    row(name::MLFLOW_ACTIVE_MODEL_ID, "m-1", |s| show(&s.active_model_id), "None", "Some(\"m-1\")"),
    row(name::HOME, "{folder}", |s| show(&s.credentials.username), "None", "Some(\"ann\")"),
    row(name::USERPROFILE, "{folder}", |s| show(&s.credentials.username), "None", "Some(\"ann\")"),
];

pub(super) const IDENTITIES: &[Row] = &[
    row(
        name::MLFLOW_TRACKING_USERNAME,
        "bob",
        |s| show(&s.credentials.username),
        "Some(\"ann\")",
        "Some(\"bob\")",
    )
    .with(HOME),
    row(
        name::MLFLOW_TRACKING_PASSWORD,
        "new",
        |s| secret(s.credentials.password.as_ref()),
        "Some(\"pw\")",
        "Some(\"new\")",
    )
    .with(HOME),
    row(name::MLFLOW_TRACKING_TOKEN, "t", |s| secret(s.credentials.token.as_ref()), "None", "Some(\"t\")"),
    row(name::MLFLOW_TRACKING_AUTH, "k", |s| show(&s.credentials.plugin), "None", "Some(\"k\")"),
    row(name::MLFLOW_TRACKING_AWS_SIGV4, "true", sigv4, "", "FILE far-1").with(HOME),
    row(name::DATABRICKS_HOST, "h", |s| show(&s.databricks.environment.host), "None", "Some(\"h\")"),
    row(
        name::DATABRICKS_TOKEN,
        "t",
        |s| secret(s.databricks.environment.token.as_ref()),
        "None",
        "Some(\"t\")",
    ),
    row(
        name::DATABRICKS_CLIENT_ID,
        "c",
        |s| show(&s.databricks.environment.client_id),
        "None",
        "Some(\"c\")",
    ),
    row(
        name::DATABRICKS_CLIENT_SECRET,
        "s",
        |s| show(&s.databricks.environment.client_id),
        "None",
        "Some(\"\")",
    ),
    row(name::DATABRICKS_CONFIG_PROFILE, "p", |s| show(&s.databricks.default_profile), "None", "Some(\"p\")"),
    row(
        name::DATABRICKS_CONFIG_FILE,
        "{folder}/.databrickscfg",
        |s| show(&s.databricks.profiles.keys().collect::<Vec<_>>()),
        "[]",
        "[\"team\"]",
    ),
];

pub(super) const HTTP: &[Row] = &[
    row(name::MLFLOW_TRACKING_INSECURE_TLS, "true", |s| show(&s.http.tls.verify), "System", "Nothing"),
    row(
        name::MLFLOW_TRACKING_SERVER_CERT_PATH,
        "ca.pem",
        |s| show(&s.http.tls.verify),
        "System",
        "Authorities(\"ca.pem\")",
    ),
    row(
        name::MLFLOW_TRACKING_CLIENT_CERT_PATH,
        "me.pem",
        |s| show(&s.http.tls.client_certificate),
        "None",
        "Some(\"me.pem\")",
    ),
    row(name::MLFLOW_HTTP_REQUEST_MAX_RETRIES, "3", |s| show(&s.http.retry.max_retries), "7", "3"),
    row(
        name::MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
        "0.5",
        |s| show(&s.http.retry.backoff_factor),
        "2.0",
        "0.5",
    ),
    row(name::MLFLOW_HTTP_REQUEST_BACKOFF_JITTER, "0", |s| show(&s.http.retry.backoff_jitter), "1.0", "0.0"),
    row(name::MLFLOW_HTTP_REQUEST_TIMEOUT, "1.5", |s| show(&s.http.idle_timeout), "120s", "1.5s"),
    row(
        name::MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER,
        "0",
        |s| show(&s.http.retry.respect_retry_after),
        "true",
        "false",
    ),
    row(name::MLFLOW_ALLOW_HTTP_REDIRECTS, "False", |s| show(&s.http.allow_redirects), "true", "false"),
    row(name::MLFLOW_HTTP_POOL_MAXSIZE, "5", |s| show(&s.http.pool_size), "10", "5"),
    row(name::MLFLOW_HTTP_TCP_KEEPALIVE, "false", |s| show(&s.http.keep_alive.is_some()), "true", "false"),
    row(
        name::MLFLOW_HTTP_TCP_KEEPALIVE_IDLE,
        "7",
        |s| show(&s.http.keep_alive.map(|probes| probes.idle)),
        "Some(30s)",
        "Some(7s)",
    ),
    row(
        name::MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL,
        "7",
        |s| show(&s.http.keep_alive.map(|probes| probes.interval)),
        "Some(10s)",
        "Some(7s)",
    ),
    row(
        name::MLFLOW_HTTP_TCP_KEEPALIVE_COUNT,
        "7",
        |s| show(&s.http.keep_alive.map(|probes| probes.count)),
        "Some(3)",
        "Some(7)",
    ),
    row(
        name::MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT,
        "9",
        |s| show(&s.databricks.retry_timeout),
        "500s",
        "9s",
    ),
    row(name::HTTP_PROXY, "http://p", |s| show(&s.http.proxies.http), "None", "Some(\"http://p\")")
        .asked_as("http_proxy"),
    row(name::HTTPS_PROXY, "http://p", |s| show(&s.http.proxies.https), "None", "Some(\"http://p\")"),
    row(name::ALL_PROXY, "http://p", |s| show(&s.http.proxies.http), "None", "Some(\"http://p\")"),
    row(name::NO_PROXY, "a,b", |s| show(&s.http.proxies.except), "None", "Some(\"a,b\")"),
];

pub(super) const OBJECT_STORES: &[Row] = &[
    row(name::AWS_ACCESS_KEY_ID, "AK", s3_credentials, "Machine", "AK sk None")
        .with(&[("AWS_SECRET_ACCESS_KEY", "sk")]),
    row(name::AWS_SECRET_ACCESS_KEY, "sk", s3_credentials, "unusable: AWS_SECRET_ACCESS_KEY", "AK sk None")
        .with(&[("AWS_ACCESS_KEY_ID", "AK")]),
    row(name::AWS_SESSION_TOKEN, "st", s3_credentials, "AK sk None", "AK sk Some(\"st\")").with(KEY),
    row(name::AWS_REGION, "r-1", |s| show(&s.artifacts.s3.region), "None", "Some(\"r-1\")"),
    row(name::AWS_DEFAULT_REGION, "r-1", |s| show(&s.artifacts.s3.region), "None", "Some(\"r-1\")"),
    row(name::AWS_PROFILE, "other", s3_credentials, "FILE fs None", "OTHER os None").with(HOME),
    row(
        name::AWS_SHARED_CREDENTIALS_FILE,
        "{folder}/.aws/credentials",
        s3_credentials,
        "Machine",
        "FILE fs None",
    ),
    row(
        name::AWS_CONFIG_FILE,
        "{folder}/.aws/config",
        |s| show(&s.artifacts.s3.region),
        "None",
        "Some(\"far-1\")",
    ),
    row(name::AWS_WEB_IDENTITY_TOKEN_FILE, "/t", s3_credentials, "Machine", "/t arn None")
        .with(&[("AWS_ROLE_ARN", "arn")]),
    row(name::AWS_ROLE_ARN, "arn", s3_credentials, "Machine", "/t arn None")
        .with(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]),
    row(name::AWS_ROLE_SESSION_NAME, "n", s3_credentials, "/t arn None", "/t arn Some(\"n\")")
        .with(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn")]),
    row(name::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, "/c", s3_credentials, "Machine", "/c"),
    row(name::AWS_CONTAINER_CREDENTIALS_FULL_URI, "http://c", s3_credentials, "Machine", "http://c /t")
        .with(&[("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t")]),
    row(name::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "/t", s3_credentials, "Machine", "http://c /t")
        .with(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://c")]),
    row(name::AWS_EC2_METADATA_DISABLED, "true", s3_credentials, "Machine", "unusable: AWS_ACCESS_KEY_ID"),
    row(name::AWS_CA_BUNDLE, "ca", |s| show(&s.artifacts.s3.authorities), "None", "Some(\"ca\")"),
    row(
        name::AWS_ENDPOINT_URL_S3,
        "http://s",
        |s| show(&s.artifacts.s3.endpoint_url),
        "None",
        "Some(\"http://s\")",
    ),
    row(
        name::AWS_ENDPOINT_URL,
        "http://s",
        |s| show(&s.artifacts.s3.endpoint_url),
        "None",
        "Some(\"http://s\")",
    ),
    row(
        name::MLFLOW_S3_ENDPOINT_URL,
        "http://s",
        |s| show(&s.artifacts.s3.endpoint_url),
        "Some(\"http://other\")",
        "Some(\"http://s\")",
    )
    .with(&[("AWS_ENDPOINT_URL_S3", "http://other")]),
    row(name::MLFLOW_S3_IGNORE_TLS, "true", |s| show(&s.artifacts.s3.ignore_tls), "false", "true"),
    row(
        name::MLFLOW_S3_UPLOAD_EXTRA_ARGS,
        "{}",
        |s| secret(s.artifacts.s3.upload_arguments.as_ref()),
        "None",
        "Some(\"{}\")",
    ),
    row(
        name::MLFLOW_S3_EXPECTED_BUCKET_OWNER,
        "1",
        |s| show(&s.artifacts.s3.expected_owner),
        "None",
        "Some(\"1\")",
    ),
    row(
        name::MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE,
        "path",
        |s| show(&s.artifacts.s3.addressing),
        "Auto",
        "Path",
    ),
    row(name::MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION, "unsigned", s3_credentials, "AK sk None", "Unsigned")
        .with(KEY),
    row(
        name::GOOGLE_APPLICATION_CREDENTIALS,
        "g",
        |s| show(&s.artifacts.gcs.application_credentials),
        "None",
        "Some(\"g\")",
    ),
    row(
        name::CLOUDSDK_CONFIG,
        "{folder}/gcloud",
        |s| show(&s.artifacts.gcs.application_credentials.is_some()),
        "false",
        "true",
    ),
    row(
        name::STORAGE_EMULATOR_HOST,
        "http://g",
        |s| show(&s.artifacts.gcs.emulator),
        "None",
        "Some(\"http://g\")",
    ),
    row(
        name::AZURE_STORAGE_CONNECTION_STRING,
        "c",
        |s| secret(s.artifacts.azure.connection_string.as_ref()),
        "None",
        "Some(\"c\")",
    ),
    row(
        name::AZURE_STORAGE_ACCESS_KEY,
        "k",
        |s| secret(s.artifacts.azure.access_key.as_ref()),
        "None",
        "Some(\"k\")",
    ),
    row(
        name::AZURE_STORAGE_SAS_TOKEN,
        "s",
        |s| secret(s.artifacts.azure.sas_token.as_ref()),
        "None",
        "Some(\"s\")",
    ),
    row(name::AZURE_TENANT_ID, "t", |s| show(&s.artifacts.azure.tenant_id), "None", "Some(\"t\")"),
    row(name::AZURE_CLIENT_ID, "c", |s| show(&s.artifacts.azure.client_id), "None", "Some(\"c\")"),
    row(
        name::AZURE_CLIENT_SECRET,
        "s",
        |s| secret(s.artifacts.azure.client_secret.as_ref()),
        "None",
        "Some(\"s\")",
    ),
    row(
        name::AZURE_FEDERATED_TOKEN_FILE,
        "/t",
        |s| show(&s.artifacts.azure.federated_token_file),
        "None",
        "Some(\"/t\")",
    ),
    row(
        name::AZURE_AUTHORITY_HOST,
        "https://a",
        |s| show(&s.artifacts.azure.authority_host),
        "None",
        "Some(\"https://a\")",
    ),
];

pub(super) const TRANSFERS_AND_LOGS: &[Row] = &[
    row(
        name::MLFLOW_ENABLE_MULTIPART_UPLOAD,
        "false",
        |s| show(&s.artifacts.multipart_upload),
        "true",
        "false",
    ),
    row(
        name::MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD,
        "false",
        |s| show(&s.artifacts.multipart_upload),
        "true",
        "false",
    ),
    row(
        name::ST_ALLOWED_HOSTS,
        "minio:9000, b",
        |s| show(&s.artifacts.allowed_hosts),
        "[]",
        "[\"minio:9000\", \"b\"]",
    ),
    row(name::ST_SERVER_FOLDERS, "refuse", |s| show(&s.artifacts.server_folders), "Add", "Refuse"),
    row(
        name::MLFLOW_ENABLE_MULTIPART_DOWNLOAD,
        "false",
        |s| show(&s.artifacts.multipart_download),
        "true",
        "false",
    ),
    row(
        name::MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE,
        "9",
        |s| show(&s.artifacts.multipart_upload_minimum),
        "524288000",
        "9",
    ),
    row(
        name::MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE,
        "9",
        |s| show(&s.artifacts.multipart_upload_chunk),
        "10485760",
        "9",
    ),
    row(
        name::MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE,
        "9",
        |s| show(&s.artifacts.multipart_download_minimum),
        "524288000",
        "9",
    ),
    row(
        name::MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE,
        "9",
        |s| show(&s.artifacts.multipart_download_chunk),
        "104857600",
        "9",
    ),
    row(name::MLFLOW_ENABLE_ASYNC_LOGGING, "1", |s| show(&s.logging.asynchronous), "false", "true"),
    row(
        name::MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS,
        "3",
        |s| show(&s.logging.buffering),
        "None",
        "Some(3s)",
    ),
    row(
        name::MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
        "TRUE",
        |s| show(&s.logging.system_metrics),
        "false",
        "true",
    ),
    row(
        name::MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL,
        "3",
        |s| show(&s.logging.system_metrics_interval),
        "10s",
        "3s",
    ),
    row(
        name::MLFLOW_TRUNCATE_LONG_VALUES,
        "true",
        |s| show(&s.logging.truncate_long_values),
        "None",
        "Some(true)",
    ),
    row(
        name::MLFLOW_LOG_MODEL_COMPRESSION,
        "gzip",
        |s| show(&s.logging.log_model_compression),
        "None",
        "Some(\"gzip\")",
    ),
    row(
        name::MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT,
        "3",
        |s| show(&s.logging.requirements_inference_timeout),
        "120s",
        "3s",
    ),
    row(
        name::MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT,
        "3",
        |s| show(&s.logging.input_example_inference_timeout),
        "180s",
        "3s",
    ),
];
