//! From settings to stores: which kind of place each URI names.

use std::sync::Arc;

use super::Client;
use crate::artifacts::{ArtifactSettings, Artifacts};
#[cfg(feature = "embedded")]
use crate::embedded::EmbeddedStore;
#[cfg(feature = "rest")]
use crate::rest::RestStore;
use crate::settings::{Settings, StoreUri};
use crate::uri::Workspaces;
use crate::{Error, RegistryStore, Result, TrackingStore};

/// Where the embedded store keeps artifacts, and what MLflow calls its database.
#[cfg(feature = "embedded")]
const ARTIFACT_ROOT: &str = "mlruns";

impl Client {
    /// Opens what the settings name: a server, or MLflow's embedded store where they name none.
    ///
    /// A server is not asked anything yet. The embedded store is `mlflow.db` in the working directory with artifacts
    /// below `mlruns`, as in Python, and is made if it is missing; that reads and writes files, so asynchronous code calls
    /// this at its start.
    ///
    /// # Errors
    /// [`Error::Uri`] for a kind of store that this build does not serve; [`Error::Setting`], [`Error::File`] and
    /// [`Error::Database`] when it cannot be opened.
    pub fn connect(settings: &Settings) -> Result<Self> {
        let (tracking_uri, registry_uri) =
            (settings.tracking_uri.as_ref(), settings.effective_registry_uri());
        let mut artifacts = Self::artifacts_alone(settings);
        if Place::of(tracking_uri)? == Place::Embedded && Place::of(registry_uri)? == Place::Embedded {
            artifacts = artifacts.with_own_stores();
        }
        let (tracking, same, artifacts) = match Place::of(tracking_uri)? {
            Place::Embedded => {
                let (tracking, registry) = embedded(settings, tracking_uri)?;
                (tracking, registry, artifacts)
            }
            Place::Server => server(settings, artifacts)?,
        };
        let registry = if registry_uri == tracking_uri {
            same
        } else {
            match Place::of(registry_uri)? {
                Place::Embedded => embedded(settings, registry_uri)?.1,
                Place::Server => registry_server(settings)?,
            }
        };
        Ok(Self { workspaces: Workspaces::of(settings), ..Self::new(tracking, registry, artifacts) })
    }

    /// The way to files whose URI says where they are, without any store: folders of this machine and object stores.
    pub fn artifacts_alone(settings: &Settings) -> Artifacts {
        Artifacts::new(artifact_settings(settings))
    }
}

/// One store, as both of what it is.
type Stores = (Arc<dyn TrackingStore>, Arc<dyn RegistryStore>);

/// A server: both stores, and the way to its artifacts.
type Server = (Arc<dyn TrackingStore>, Arc<dyn RegistryStore>, Artifacts);

/// What a URI of a store names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Embedded,
    Server,
}

impl Place {
    fn of(uri: Option<&StoreUri>) -> Result<Self> {
        let Some(uri) = uri else { return Ok(Self::Embedded) };
        let refuse = |problem: &str| Err(Error::Uri { uri: uri.to_string(), problem: problem.to_owned() });
        let text = uri.expose();
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        match scheme.as_str() {
            "sqlite" => Ok(Self::Embedded),
            "http" | "https" | "databricks" => Ok(Self::Server),
            _ if text == "databricks" => Ok(Self::Server),
            "postgresql" | "mysql" | "mssql" => {
                refuse("only `mlflow server` speaks to this database; start one, and name its address")
            }
            "databricks-uc" | "uc" => refuse("Unity Catalog is not served"),
            "" | "file" => refuse(
                "MLflow keeps no files of runs in folders any more; import them with `mlflow migrate-filestore`, and name \
                 `sqlite:///mlflow.db`",
            ),
            _ => refuse("is neither a server (http, https, databricks) nor the embedded store (sqlite)"),
        }
    }
}

#[cfg(feature = "embedded")]
fn embedded(settings: &Settings, uri: Option<&StoreUri>) -> Result<Stores> {
    let store = match uri {
        None => EmbeddedStore::open_default(std::path::Path::new("."))?,
        Some(uri) => EmbeddedStore::open(uri.expose(), ARTIFACT_ROOT)?,
    };
    let store = Arc::new(store.with_truncation(settings.logging.truncate_long_values == Some(true)));
    Ok((store.clone(), store))
}

#[cfg(not(feature = "embedded"))]
fn embedded(_: &Settings, uri: Option<&StoreUri>) -> Result<Stores> {
    let uri = uri.map_or_else(|| "sqlite:///mlflow.db".to_owned(), ToString::to_string);
    Err(Error::Uri { uri, problem: "this build has no embedded store".to_owned() })
}

#[cfg(feature = "rest")]
fn server(settings: &Settings, artifacts: Artifacts) -> Result<Server> {
    let store = Arc::new(RestStore::connect(settings)?);
    let artifacts = artifacts.with_session(store.session().clone());
    Ok((store.clone(), store, artifacts))
}

#[cfg(not(feature = "rest"))]
fn server(settings: &Settings, _: Artifacts) -> Result<Server> {
    Err(no_http(settings.tracking_uri.as_ref()))
}

#[cfg(feature = "rest")]
fn registry_server(settings: &Settings) -> Result<Arc<dyn RegistryStore>> {
    Ok(Arc::new(RestStore::connect_registry(settings)?))
}

#[cfg(not(feature = "rest"))]
fn registry_server(settings: &Settings) -> Result<Arc<dyn RegistryStore>> {
    Err(no_http(settings.effective_registry_uri()))
}

#[cfg(not(feature = "rest"))]
fn no_http(uri: Option<&StoreUri>) -> Error {
    let uri = uri.map_or_else(String::new, ToString::to_string);
    Error::Uri { uri, problem: "this build does not speak HTTP".to_owned() }
}

fn artifact_settings(settings: &Settings) -> ArtifactSettings {
    let mut artifacts = ArtifactSettings::default();
    artifacts.s3 = settings.artifacts.s3.clone();
    artifacts.gcs = settings.artifacts.gcs.clone();
    artifacts.azure = settings.artifacts.azure.clone();
    artifacts.http = settings.http.clone();
    artifacts.local_roots = settings.artifacts.server_folders;
    artifacts.allowed_hosts.clone_from(&settings.artifacts.allowed_hosts);
    artifacts.multipart_part = settings.artifacts.multipart_upload_chunk;
    artifacts.multipart_from = if settings.artifacts.multipart_upload {
        settings.artifacts.multipart_upload_minimum
    } else {
        u64::MAX
    };
    artifacts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Result<Place, &str>) {
        let found = Place::of(Some(&StoreUri::new(uri))).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_scheme_decides() {
        check("sqlite:///mlflow.db", Ok(Place::Embedded));
        check("http://localhost:5000", Ok(Place::Server));
        check("https://ann:secret@mlflow.test/prefix", Ok(Place::Server));
        check("databricks", Ok(Place::Server));
        check("databricks://profile", Ok(Place::Server));
        assert_eq!(Place::of(None).expect("the default"), Place::Embedded);
        check(
            "postgresql://ann:secret@host/db",
            Err(
                "postgresql://host/db: only `mlflow server` speaks to this database; start one, and name its address",
            ),
        );
        check(
            "mlruns",
            Err(
                "mlruns: MLflow keeps no files of runs in folders any more; import them with `mlflow migrate-filestore`, \
                 and name `sqlite:///mlflow.db`",
            ),
        );
        check(
            "ftp://host",
            Err("ftp://host: is neither a server (http, https, databricks) nor the embedded store (sqlite)"),
        );
    }
}
