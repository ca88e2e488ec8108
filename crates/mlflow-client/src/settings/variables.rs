//! The environment variables that [`Settings::from_environment`](super::Settings::from_environment) asks for.
//!
//! Names and defaults are those of MLflow 3.17, of Databricks' and of AWS's tools, unless said otherwise.

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])* pub const $name: &str = stringify!($name);)*

        /// All of them.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

variables! {
    /// The tracking store: `http(s)://…`, `databricks`, `databricks://PROFILE`, `sqlite:///…`, or a folder.
    MLFLOW_TRACKING_URI,
    /// The registry; the tracking store if absent.
    MLFLOW_REGISTRY_URI,
    /// The workspace on servers that have any.
    MLFLOW_WORKSPACE,
    /// The experiment to log to, by name.
    MLFLOW_EXPERIMENT_NAME,
    /// The experiment to log to, by identifier.
    MLFLOW_EXPERIMENT_ID,
    /// The run to continue: for a program to read.
    MLFLOW_RUN_ID,
    /// The logged model that metrics are linked to: for a program to read.
    MLFLOW_ACTIVE_MODEL_ID,

    /// The user for basic authentication; it wins over the one in `~/.mlflow/credentials`.
    MLFLOW_TRACKING_USERNAME,
    /// The password for basic authentication; it wins over the one in `~/.mlflow/credentials`.
    MLFLOW_TRACKING_PASSWORD,
    /// A bearer token; used where there is no user with a password.
    MLFLOW_TRACKING_TOKEN,
    /// `true`: requests are signed with the keys of AWS, instead of any of the above.
    MLFLOW_TRACKING_AWS_SIGV4,
    /// The name of a Python plugin that signs requests; refused here, since we run none.
    MLFLOW_TRACKING_AUTH,
    /// `true`: any certificate is taken. Not together with `MLFLOW_TRACKING_SERVER_CERT_PATH`.
    MLFLOW_TRACKING_INSECURE_TLS,
    /// A PEM file of the authorities that the server's certificate may come from, instead of the system's.
    MLFLOW_TRACKING_SERVER_CERT_PATH,
    /// A PEM file with our certificate and its key.
    MLFLOW_TRACKING_CLIENT_CERT_PATH,

    /// Attempts after the first, 10 at most; 7 if absent.
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    /// Seconds that the wait between attempts begins with, 120 at most; 2 if absent.
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    /// Seconds that chance adds to a wait at most; 1 if absent.
    MLFLOW_HTTP_REQUEST_BACKOFF_JITTER,
    /// Seconds without a byte in either direction after which a request is given up; 120 if absent.
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    /// `false`: what a server says with `Retry-After` is not listened to.
    MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER,
    /// `false`: no redirect is followed; otherwise those within the server's origin are.
    MLFLOW_ALLOW_HTTP_REDIRECTS,
    /// Hosts that Python keeps connections to. Read and checked; our pool knows the next limit only.
    MLFLOW_HTTP_POOL_CONNECTIONS,
    /// Idle connections that are kept for a host; 10 if absent.
    MLFLOW_HTTP_POOL_MAXSIZE,
    /// `false`: no probes on idle connections.
    MLFLOW_HTTP_TCP_KEEPALIVE,
    /// Seconds until the first probe; 30 if absent.
    MLFLOW_HTTP_TCP_KEEPALIVE_IDLE,
    /// Seconds between probes; 10 if absent.
    MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL,
    /// Probes without an answer until the connection counts as lost; 3 if absent.
    MLFLOW_HTTP_TCP_KEEPALIVE_COUNT,
    /// Seconds that attempts of a call to Databricks go on for; 500 if absent.
    MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT,

    /// The workspace's address, for `databricks`.
    DATABRICKS_HOST,
    /// A personal access token.
    DATABRICKS_TOKEN,
    /// A service principal; refused here, since we speak no OAuth.
    DATABRICKS_CLIENT_ID,
    /// The service principal's secret.
    DATABRICKS_CLIENT_SECRET,
    /// The profile in the file of profiles; `DEFAULT` if absent.
    DATABRICKS_CONFIG_PROFILE,
    /// The file of profiles; `~/.databrickscfg` if absent.
    DATABRICKS_CONFIG_FILE,

    /// A key of AWS, for `MLFLOW_TRACKING_AWS_SIGV4` and for S3.
    AWS_ACCESS_KEY_ID,
    /// Its secret.
    AWS_SECRET_ACCESS_KEY,
    /// The token of a temporary key.
    AWS_SESSION_TOKEN,
    /// The region that a signature is for.
    AWS_REGION,
    /// The region, where `AWS_REGION` is absent.
    AWS_DEFAULT_REGION,
    /// The profile in AWS's file of credentials; `default` if absent.
    AWS_PROFILE,
    /// AWS's file of credentials; `~/.aws/credentials` if absent.
    AWS_SHARED_CREDENTIALS_FILE,

    /// AWS's file of profiles, for their region; `~/.aws/config` if absent.
    AWS_CONFIG_FILE,
    /// The file of a token that is exchanged for a role, for S3.
    AWS_WEB_IDENTITY_TOKEN_FILE,
    /// The role.
    AWS_ROLE_ARN,
    /// The name of the session under that role.
    AWS_ROLE_SESSION_NAME,
    /// Where a container asks who it is: a path.
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
    /// Where a pod asks who it is: a whole address.
    AWS_CONTAINER_CREDENTIALS_FULL_URI,
    /// The file of the token that a pod asks with.
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
    /// `true`: the machine's metadata service is not asked who we are.
    AWS_EC2_METADATA_DISABLED,
    /// A PEM file of the authorities that S3's certificate may come from, instead of the system's.
    AWS_CA_BUNDLE,
    /// The address of an S3 that is not AWS's, where `MLFLOW_S3_ENDPOINT_URL` is absent.
    AWS_ENDPOINT_URL_S3,
    /// The same, for all services of AWS.
    AWS_ENDPOINT_URL,

    /// The address of an S3 that is not AWS's.
    MLFLOW_S3_ENDPOINT_URL,
    /// `true`: its certificate is not looked at.
    MLFLOW_S3_IGNORE_TLS,
    /// What every upload to S3 says besides, as JSON. Encryption on the server's side is understood, all else is refused.
    MLFLOW_S3_UPLOAD_EXTRA_ARGS,
    /// The account that must own the bucket; refused here, since it is not checked.
    MLFLOW_S3_EXPECTED_BUCKET_OWNER,
    /// How a bucket is addressed: `auto`, `path` or `virtual`; `auto` if absent.
    MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE,
    /// `s3v4`, or `unsigned` for public buckets.
    MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION,

    /// The file of a service account or of a user's login with Google.
    GOOGLE_APPLICATION_CREDENTIALS,
    /// The folder of gcloud, where a login lies; `~/.config/gcloud` if absent.
    CLOUDSDK_CONFIG,
    /// The address of something that speaks like Google's storage.
    STORAGE_EMULATOR_HOST,

    /// An account of Azure's storage with its key or signature, and perhaps its address (`BlobEndpoint`).
    AZURE_STORAGE_CONNECTION_STRING,
    /// The key of the account that a URI names.
    AZURE_STORAGE_ACCESS_KEY,
    /// A shared access signature.
    AZURE_STORAGE_SAS_TOKEN,
    /// The directory of users.
    AZURE_TENANT_ID,
    /// An application, or an identity of the machine.
    AZURE_CLIENT_ID,
    /// The application's secret.
    AZURE_CLIENT_SECRET,
    /// The file of a token of a cluster's identity provider.
    AZURE_FEDERATED_TOKEN_FILE,
    /// Where tokens are asked for, where that is not the public cloud.
    AZURE_AUTHORITY_HOST,

    /// `false`: no upload in parts.
    MLFLOW_ENABLE_MULTIPART_UPLOAD,
    /// `false`: no upload in parts past a server's artifact proxy, whatever the server says that it can do.
    MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD,
    /// Read and checked; no download comes in parts. A file comes as one stream, which goes on where it broke, and several
    /// files come at a time. Python asks a server with an object store behind it for an address there
    /// (`mlflow-artifacts/presigned`), and reads ranges of it.
    MLFLOW_ENABLE_MULTIPART_DOWNLOAD,
    /// Bytes from which on a file goes up in parts; 500 MiB if absent.
    MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE,
    /// Bytes of such a part; 10 MiB if absent, and no fewer than 5 MiB, since object stores take no smaller ones.
    MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE,
    /// Read and checked, as `MLFLOW_ENABLE_MULTIPART_DOWNLOAD` is.
    MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE,
    /// Read and checked, as `MLFLOW_ENABLE_MULTIPART_DOWNLOAD` is.
    MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE,

    /// Ours: hosts that a server may send us to beside its own, for artifacts and for parts of large files, separated by
    /// commas: `host`, `host:port` or `scheme://host:port`. Our credentials stay with the server all the same.
    ST_ALLOWED_HOSTS,
    /// Ours: what may happen where a server names a folder of this machine for artifacts. `add`: files are read and added,
    /// and none is replaced that this program did not write; `replace`: also replaced, as in Python; `refuse`: nothing.
    /// `add` if absent.
    ST_SERVER_FOLDERS,

    /// Whether what is logged is sent in the background. Read and checked; here it always is.
    MLFLOW_ENABLE_ASYNC_LOGGING,
    /// Seconds that the background collects for before it sends. Read and checked, without effect.
    MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS,
    /// `true`: a run measures its machine. For a program to read; no run begins with it by itself.
    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
    /// Seconds between two such measures; 10 if absent. For a program to read.
    MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL,
    /// What becomes of the value of a param or of a run's tag that is longer than MLflow keeps. `true`: it is cut, with a
    /// warning, as Python does without the variable. `false`: it is an error, before anything is sent. If absent, a run and
    /// the embedded store refuse it, and a call to a server is sent with a warning, since what a server does is set there.
    MLFLOW_TRUNCATE_LONG_VALUES,
    /// The compression of a logged model: `lzma`, `bzip2` or `gzip`. Without effect: models are logged as they are.
    MLFLOW_LOG_MODEL_COMPRESSION,
    /// Seconds that Python takes at most to find out a model's requirements. Read and checked, without effect.
    MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT,
    /// Seconds that Python takes at most to predict for the input example. Read and checked, without effect.
    MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT,

    /// The proxy for `http:`.
    HTTP_PROXY,
    /// The proxy for `https:`.
    HTTPS_PROXY,
    /// The proxy for either, where the one above is absent.
    ALL_PROXY,
    /// Hosts that no proxy stands before.
    NO_PROXY,
    /// The user's folder, where the files of credentials lie.
    HOME,
    /// The same on Windows.
    USERPROFILE,
}
