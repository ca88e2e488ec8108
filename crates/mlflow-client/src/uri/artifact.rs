//! Every URI that can stand for files.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::Url;

use super::parts::{DatabricksAuthority, Parts, error, scheme};
use super::{ModelUri, RunUri};
use crate::artifacts::ArtifactPath;
use crate::{Error, Result};

/// Where files are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArtifactUri {
    /// A path of this machine, plain or as `file:`.
    Local(PathBuf),
    /// `models:`, to be resolved by a store.
    Model(ModelUri),
    /// `runs:`, to be resolved by a store.
    Run(RunUri),
    /// `mlflow-artifacts:`, the artifact proxy of a tracking server.
    Proxy(ProxyUri),
    /// `http:` and `https:`.
    Web(WebUri),
    /// `s3:`, of which `s3a:` and `s3n:` are older names.
    S3(Bucket),
    /// `gs:`.
    Gcs(Bucket),
    /// `wasbs:` and `abfss:`.
    Azure(Container),
    /// A kind of URI that MLflow knows and this library does not serve.
    Foreign {
        /// Its scheme.
        scheme: ForeignScheme,
        /// What follows `scheme:`, without user and password.
        rest: String,
    },
}

/// A folder behind the artifact proxy: `mlflow-artifacts:/path`, or `mlflow-artifacts://host:port/path` for another server
/// than the one that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProxyUri {
    /// The host and perhaps the port of another server.
    pub host: Option<String>,
    /// The folder; absent for the proxy's root.
    pub path: Option<ArtifactPath>,
}

/// A folder in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The bucket.
    pub name: String,
    /// The folder; absent for the bucket's root.
    pub prefix: Option<ArtifactPath>,
}

/// A folder in a container of Azure.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// `wasbs`, `abfss`, or either without the `s`, as it was written.
    pub scheme: &'static str,
    /// The container or file system.
    pub name: String,
    /// The account's host: `account.dfs.core.windows.net`.
    pub host: String,
    /// The folder; absent for the container's root.
    pub prefix: Option<ArtifactPath>,
}

/// An address of the web. `Display` and `Debug` leave user, password, query and fragment out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUri(Url);

/// Kinds of URI that MLflow knows and this library does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignScheme {
    /// Databricks' file system.
    Dbfs,
    /// Hadoop's file system, also as `viewfs:`.
    Hdfs,
    /// Files over ssh.
    Sftp,
    /// Files over ftp.
    Ftp,
    /// Cloudflare's buckets.
    R2,
    /// Backblaze's buckets.
    B2,
}

impl ForeignScheme {
    /// The scheme.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dbfs => "dbfs",
            Self::Hdfs => "hdfs",
            Self::Sftp => "sftp",
            Self::Ftp => "ftp",
            Self::R2 => "r2",
            Self::B2 => "b2",
        }
    }
}

impl WebUri {
    /// The whole address, secrets included.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl ArtifactUri {
    /// The URI of something below this one.
    ///
    /// # Errors
    /// [`Error::Uri`] where a URI of this kind has nothing below it.
    pub fn join(&self, path: &ArtifactPath) -> Result<Self> {
        let below = |prefix: &Option<ArtifactPath>| Some(path.below(prefix.as_ref()));
        Ok(match self {
            Self::Local(root) => Self::Local(path.under(root)),
            Self::Model(uri) => Self::Model(ModelUri { path: below(&uri.path), ..uri.clone() }),
            Self::Run(uri) => Self::Run(RunUri { path: below(&uri.path), ..uri.clone() }),
            Self::Proxy(uri) => Self::Proxy(ProxyUri { path: below(&uri.path), host: uri.host.clone() }),
            Self::S3(bucket) => Self::S3(Bucket { prefix: below(&bucket.prefix), name: bucket.name.clone() }),
            Self::Gcs(bucket) => {
                Self::Gcs(Bucket { prefix: below(&bucket.prefix), name: bucket.name.clone() })
            }
            Self::Azure(container) => {
                Self::Azure(Container { prefix: below(&container.prefix), ..container.clone() })
            }
            Self::Web(WebUri(url)) => {
                let mut url = url.clone();
                let base = url.path().trim_end_matches('/').to_owned();
                url.set_path(&format!("{base}/{}", path.encoded()));
                Self::Web(WebUri(url))
            }
            Self::Foreign { .. } => {
                return Err(error(&self.to_string(), "this kind of URI is not served"));
            }
        })
    }

    /// The URI of the folder that this is in, and its name there, if it has both.
    pub fn split_last(&self) -> Option<(Self, ArtifactPath)> {
        let split = |path: &Option<ArtifactPath>| {
            path.as_ref().and_then(|path| Some((path.parent(), ArtifactPath::try_new(path.name()).ok()?)))
        };
        Some(match self {
            Self::Local(path) => {
                let name = ArtifactPath::from_local(Path::new(path.file_name()?)).ok()?;
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                (Self::Local(parent.unwrap_or(Path::new(".")).to_owned()), name)
            }
            Self::Model(uri) => {
                let (path, name) = split(&uri.path)?;
                (Self::Model(ModelUri { path, ..uri.clone() }), name)
            }
            Self::Run(uri) => {
                let (path, name) = split(&uri.path)?;
                (Self::Run(RunUri { path, ..uri.clone() }), name)
            }
            Self::Proxy(uri) => {
                let (path, name) = split(&uri.path)?;
                (Self::Proxy(ProxyUri { path, ..uri.clone() }), name)
            }
            Self::S3(bucket) => {
                let (prefix, name) = split(&bucket.prefix)?;
                (Self::S3(Bucket { prefix, ..bucket.clone() }), name)
            }
            Self::Gcs(bucket) => {
                let (prefix, name) = split(&bucket.prefix)?;
                (Self::Gcs(Bucket { prefix, ..bucket.clone() }), name)
            }
            Self::Azure(container) => {
                let (prefix, name) = split(&container.prefix)?;
                (Self::Azure(Container { prefix, ..container.clone() }), name)
            }
            Self::Web(WebUri(url)) => {
                let (parent, name) = url.path().rsplit_once('/')?;
                let name = ArtifactPath::decode(name).ok()?;
                let mut url = url.clone();
                url.set_path(parent);
                (Self::Web(WebUri(url)), name)
            }
            Self::Foreign { .. } => return None,
        })
    }

    /// The path, if it is one of this machine.
    pub fn as_local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            _ => None,
        }
    }
}

impl FromStr for ArtifactUri {
    type Err = Error;

    fn from_str(uri: &str) -> Result<Self> {
        if uri.is_empty() || uri.contains('\0') {
            return Err(error(uri, "this is no path and no URI"));
        }
        let Some((scheme, rest)) = scheme(uri) else { return Ok(Self::Local(PathBuf::from(uri))) };
        // `C:\models` and `C:/models` are paths where there are drives.
        if cfg!(windows) && scheme.len() == 1 {
            return Ok(Self::Local(PathBuf::from(uri)));
        }
        let parts = Parts::of(uri, rest);
        match scheme.as_str() {
            "file" => file(&parts).map(Self::Local),
            "models" => ModelUri::parse(parts).map(Self::Model),
            "runs" => RunUri::parse(parts).map(Self::Run),
            "mlflow-artifacts" => proxy(&parts).map(Self::Proxy),
            "http" | "https" => web(&parts).map(Self::Web),
            "s3" | "s3a" | "s3n" => bucket(&parts).map(Self::S3),
            "gs" => bucket(&parts).map(Self::Gcs),
            "wasbs" => container(&parts, "wasbs").map(Self::Azure),
            "wasb" => container(&parts, "wasb").map(Self::Azure),
            "abfss" => container(&parts, "abfss").map(Self::Azure),
            "abfs" => container(&parts, "abfs").map(Self::Azure),
            _ => foreign(&parts, &scheme),
        }
    }
}

/// A path out of `file:`, decoded once. A fragment and a query have no meaning there, and were a way around checks
/// (CVE-2024-3848), so they are refused.
fn file(parts: &Parts<'_>) -> Result<PathBuf> {
    if parts.authority().is_some_and(|host| !host.eq_ignore_ascii_case("localhost")) {
        return Err(parts.error("a file of another host cannot be read"));
    }
    if parts.path.contains(['?', '#']) || parts.authority.is_some_and(|host| host.contains(['?', '#'])) {
        return Err(parts.error("`?` and `#` cannot stand in a file URI; encode them as %3F and %23"));
    }
    let path =
        percent_decode_str(parts.path).decode_utf8().map_err(|_| parts.error("its path is not UTF-8"))?;
    if path.is_empty() || path.contains('\0') {
        return Err(parts.error("its path is empty or holds a NUL"));
    }
    // As a path it would be taken for a URI of another kind.
    let path = if scheme(&path).is_some() { Cow::from(format!("./{path}")) } else { path };
    Ok(PathBuf::from(path.into_owned()))
}

fn proxy(parts: &Parts<'_>) -> Result<ProxyUri> {
    let host = parts.authority();
    if host.is_some_and(|host| host.contains(['@', '?', '#', '\\', '%']) || host.starts_with(':')) {
        return Err(parts.error("its host is none"));
    }
    Ok(ProxyUri { host: host.map(str::to_owned), path: parts.below_root()? })
}

fn web(parts: &Parts<'_>) -> Result<WebUri> {
    let url = Url::parse(parts.uri).map_err(|problem| parts.error(problem.to_string()))?;
    if url.fragment().is_some() {
        return Err(parts.error("a fragment cannot stand in it"));
    }
    Ok(WebUri(url))
}

fn bucket(parts: &Parts<'_>) -> Result<Bucket> {
    match parts.authority() {
        Some(name) if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) => {
            Ok(Bucket { name: name.to_owned(), prefix: parts.below_root()? })
        }
        _ => Err(parts.error("it names no bucket")),
    }
}

fn container(parts: &Parts<'_>, scheme: &'static str) -> Result<Container> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.$".contains(&byte))
    };
    match parts.authority().and_then(|authority| authority.rsplit_once('@')) {
        Some((name, host)) if word(name) && word(host) => Ok(Container {
            scheme,
            name: name.to_owned(),
            host: host.to_owned(),
            prefix: match scheme {
                // MLflow decodes these, and takes the others as they are.
                "abfss" | "abfs" => parts.decoded_below_root()?,
                _ => parts.below_root()?,
            },
        }),
        _ => Err(parts.error(format!("it is not of the form `{scheme}://CONTAINER@ACCOUNT.HOST/PATH`"))),
    }
}

fn foreign(parts: &Parts<'_>, scheme: &str) -> Result<ArtifactUri> {
    let scheme = match scheme {
        "dbfs" => ForeignScheme::Dbfs,
        "hdfs" | "viewfs" => ForeignScheme::Hdfs,
        "sftp" => ForeignScheme::Sftp,
        "ftp" => ForeignScheme::Ftp,
        "r2" => ForeignScheme::R2,
        "b2" => ForeignScheme::B2,
        _ => return Err(parts.error(format!("the scheme `{scheme}:` is not known"))),
    };
    let authority = match (scheme, parts.authority) {
        (_, None) => String::new(),
        (ForeignScheme::Dbfs, Some(_)) => DatabricksAuthority::parse(parts)?
            .map_or_else(|| "//".to_owned(), |authority| format!("//{authority}")),
        // What stands before `@` may be a password.
        (ForeignScheme::Sftp | ForeignScheme::Ftp | ForeignScheme::Hdfs, Some(authority)) => {
            format!("//{}", authority.rsplit('@').next().unwrap_or_default())
        }
        (_, Some(authority)) => format!("//{authority}"),
    };
    let path = parts.path.split(['?', '#']).next().unwrap_or_default();
    Ok(ArtifactUri::Foreign { scheme, rest: format!("{authority}{path}") })
}

fn write_path(formatter: &mut fmt::Formatter<'_>, path: Option<&ArtifactPath>) -> fmt::Result {
    path.map_or(Ok(()), |path| write!(formatter, "/{path}"))
}

impl fmt::Display for ArtifactUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => local(formatter, path),
            Self::Model(uri) => uri.fmt(formatter),
            Self::Run(uri) => uri.fmt(formatter),
            Self::Proxy(uri) => uri.fmt(formatter),
            Self::Web(uri) => uri.fmt(formatter),
            Self::S3(bucket) => write!(formatter, "s3://{bucket}"),
            Self::Gcs(bucket) => write!(formatter, "gs://{bucket}"),
            Self::Azure(container) => container.fmt(formatter),
            Self::Foreign { scheme, rest } => write!(formatter, "{}:{rest}", scheme.as_str()),
        }
    }
}

/// A path as it is, or as `file:` where it would be taken for a URI.
fn local(formatter: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    let text = path.to_string_lossy();
    if !cfg!(windows) && scheme(&text).is_some() {
        write!(formatter, "./{text}")
    } else {
        formatter.write_str(&text)
    }
}

impl fmt::Display for ProxyUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("mlflow-artifacts:")?;
        if let Some(host) = &self.host {
            write!(formatter, "//{host}")?;
        }
        match &self.path {
            Some(path) => write!(formatter, "/{path}"),
            None => formatter.write_str("/"),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        write_path(formatter, self.prefix.as_ref())
    }
}

impl fmt::Display for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}@{}", self.scheme, self.name, self.host)?;
        write_path(formatter, self.prefix.as_ref())
    }
}

impl fmt::Display for WebUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(formatter, ":{port}")?;
        }
        formatter.write_str(self.0.path())
    }
}

impl fmt::Debug for WebUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WebUri({self})")
    }
}

#[cfg(test)]
mod tests;
