//! From a URI to a store, and whole folders to and from it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::download::{self, DownloadOptions, Downloaded, Wanted};
use super::local::{Written, not_found};
use super::upload::{self, UploadOptions, Uploaded};
use super::walk::walk;
use super::{ArtifactPath, ArtifactStore, LocalArtifacts, LocalFile, OverlayArtifacts};
#[cfg(feature = "rest")]
use super::{elsewhere, hosts, http::HttpArtifacts, proxy::ProxyArtifacts};
#[cfg(feature = "rest")]
use crate::rest::Session;
use crate::settings::{AzureSettings, GcsSettings, HttpSettings, LocalRoots, S3Settings};
use crate::uri::{ArtifactUri, Resolved};
use crate::{Error, Result};

/// How artifacts are reached. Nothing is read from the environment; its names in MLflow stand beside the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArtifactSettings {
    /// Whether a server may name a folder of this machine as the place of artifacts, and what may happen in it
    /// (`ST_SERVER_FOLDERS`).
    pub local_roots: LocalRoots,
    /// Hosts that a server may send us to beside its own: in `mlflow-artifacts://host` and `http(s)://host`, and with parts of
    /// large files; as `host`, `host:port` or `scheme://host:port` (`ST_ALLOWED_HOSTS`). Others are refused, for a request to
    /// any host is what an attacker would ask for; only parts may go to any that the whole world can ask with TLS. Whoever is
    /// asked there, our credentials stay with the server.
    pub allowed_hosts: Vec<String>,
    /// Files from so many bytes on travel in parts where the server can do that: 500 MiB
    /// (`MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE`).
    pub multipart_from: u64,
    /// How large such a part is: 10 MiB (`MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE`), and no smaller than 5 MiB. Files for object
    /// stores travel in parts as soon as they are larger than one.
    pub multipart_part: u64,
    /// How S3 is reached; the address, keys and certificates of its own.
    pub s3: S3Settings,
    /// How Google's storage is reached.
    pub gcs: GcsSettings,
    /// How Azure's storage is reached.
    pub azure: AzureSettings,
    /// How object stores are spoken to; certificates are said above, where a store has any of its own.
    pub http: HttpSettings,
}

impl Default for ArtifactSettings {
    fn default() -> Self {
        Self {
            local_roots: LocalRoots::default(),
            allowed_hosts: Vec::new(),
            multipart_from: 500 << 20,
            multipart_part: 10 << 20,
            s3: S3Settings::default(),
            gcs: GcsSettings::default(),
            azure: AzureSettings::default(),
            http: HttpSettings::default(),
        }
    }
}

impl ArtifactSettings {
    /// What a server's word about folders of this machine is worth.
    #[must_use]
    pub fn with_local_roots(mut self, local_roots: LocalRoots) -> Self {
        self.local_roots = local_roots;
        self
    }

    /// One more host that a server may send us to.
    #[must_use]
    pub fn with_allowed_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }
}

/// Opens stores, and moves whole folders to and from them.
///
/// ```
/// # async fn example(tracking: &dyn mlflow_client::TrackingStore, registry: &dyn mlflow_client::RegistryStore)
/// # -> mlflow_client::Result<()> {
/// use mlflow_client::artifacts::{ArtifactSettings, Artifacts, DownloadOptions};
/// use mlflow_client::uri::resolve;
///
/// let artifacts = Artifacts::new(ArtifactSettings::default());
/// let model = resolve(&"models:/encoder@champion".parse()?, tracking, registry).await?;
/// let folder = artifacts.download(&model, "encoder".as_ref(), &DownloadOptions::default()).await?;
/// println!("{} bytes in {}", folder.bytes(), folder.path.display());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Artifacts {
    settings: ArtifactSettings,
    /// Whether what stores name is the user's own word: they are files of this machine.
    own_stores: bool,
    /// Files that we put into folders which a server named.
    written: Written,
    #[cfg(feature = "__objects")]
    buckets: super::objects::Opened,
    #[cfg(feature = "rest")]
    session: Option<Session>,
}

/// Who named a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Whoever uses this library.
    Caller,
    /// A store, which may be a hostile server.
    Store,
}

impl Artifacts {
    /// Artifacts without a server: folders of this machine and object stores.
    pub fn new(settings: ArtifactSettings) -> Self {
        Self {
            settings,
            own_stores: false,
            written: Written::default(),
            #[cfg(feature = "__objects")]
            buckets: super::objects::Opened::default(),
            #[cfg(feature = "rest")]
            session: None,
        }
    }

    /// Artifacts with a server: also those behind its proxy, and web addresses.
    #[cfg(feature = "rest")]
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.session = Some(session);
        self
    }

    /// Artifacts of stores that are the user's own, such as a database of this machine: what they name is as good as what the
    /// user names. Without this, a store may be a hostile server.
    #[must_use]
    pub fn with_own_stores(mut self) -> Self {
        self.own_stores = true;
        self
    }

    /// The server that they are reached through, without secrets; empty if there is none.
    pub fn location(&self) -> String {
        #[cfg(feature = "rest")]
        if let Some(session) = &self.session {
            return session.address().to_string();
        }
        let _ = self;
        String::new()
    }

    /// Opens the folder that the caller names. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Uri`] for `models:` and `runs:`, which [`resolve`](fn@crate::uri::resolve) is for, and for kinds of URI that
    /// this build does not serve.
    pub fn open(&self, uri: &ArtifactUri) -> Result<Arc<dyn ArtifactStore>> {
        self.opened(uri, Origin::Caller)
    }

    /// Opens the folder that a store has named: an experiment's, a run's or a model's artifact URI.
    ///
    /// # Errors
    /// As [`Artifacts::open`], and for hosts and folders that a store may not name.
    pub fn open_given(&self, uri: &ArtifactUri) -> Result<Arc<dyn ArtifactStore>> {
        self.opened(uri, Origin::Store)
    }

    /// Opens what a URI has been resolved to.
    ///
    /// # Errors
    /// As [`Artifacts::open_given`].
    pub fn open_resolved(&self, resolved: &Resolved) -> Result<Arc<dyn ArtifactStore>> {
        let origin = if resolved.by_store { Origin::Store } else { Origin::Caller };
        let store = self.opened(&resolved.artifact_uri, origin)?;
        match &resolved.run_artifacts {
            Some(uri) => Ok(Arc::new(OverlayArtifacts::new(store, self.opened(uri, origin)?))),
            None => Ok(store),
        }
    }

    /// Downloads what a URI has been resolved to: the files of a folder go into `destination`, a single file too, under
    /// its own name. `destination` must not be there, or be an empty folder; it appears when everything is complete and
    /// checked, and not at all otherwise.
    ///
    /// # Errors
    /// "Not found" if there is nothing; [`Error::Damaged`] if what arrives is not what was promised;
    /// [`Error::Unreachable`] and refusals of the store; [`Error::File`].
    pub async fn download(
        &self,
        resolved: &Resolved,
        destination: &Path,
        options: &DownloadOptions,
    ) -> Result<Downloaded> {
        let store = self.open_resolved(resolved)?;
        let found = find(&*store, resolved.path.as_ref()).await?;
        let (store, found) = match found {
            Found::Nothing if resolved.path.is_none() => self.single_file(resolved).await?,
            found => (store, found),
        };
        let (wanted, path) = match found {
            Found::Nothing => {
                let asked = resolved.path.as_ref().map_or_else(String::new, |path| format!("/{path}"));
                let message = format!("No such artifact: '{}{asked}'", resolved.artifact_uri);
                return Err(Error::api(
                    "artifacts",
                    404,
                    mlflow_types::ErrorCode::ResourceDoesNotExist,
                    message,
                ));
            }
            Found::File(file) => {
                let path = file.target.under(destination);
                (vec![file], path)
            }
            Found::Directory(files) => (files, destination.to_owned()),
        };
        let files = download::download(&*store, wanted, destination, options).await?;
        Ok(Downloaded { path, files })
    }

    /// Uploads all files of a folder below a URI that a store has named. What is there already under other names stays.
    /// Links are refused. Afterwards the store is asked whether every file is there in its full length.
    ///
    /// # Errors
    /// As [`Artifacts::open_given`]; [`Error::Damaged`] if something did not arrive whole; [`Error::File`].
    pub async fn upload(
        &self,
        folder: &Path,
        uri: &ArtifactUri,
        options: &UploadOptions,
    ) -> Result<Uploaded> {
        upload::upload(&*self.open_given(uri)?, folder, options).await
    }

    /// Uploads files, wherever each of them lies, below a URI that a store has named, under the paths given.
    ///
    /// # Errors
    /// As [`Artifacts::upload`].
    pub async fn upload_files(
        &self,
        files: BTreeMap<ArtifactPath, LocalFile>,
        uri: &ArtifactUri,
        options: &UploadOptions,
    ) -> Result<Uploaded> {
        upload::send(&*self.open_given(uri)?, files, options).await
    }

    /// Uploads one file below a URI that a store has named, into a directory there if one is given.
    ///
    /// # Errors
    /// As [`Artifacts::upload`].
    pub async fn upload_file(
        &self,
        file: &Path,
        uri: &ArtifactUri,
        directory: Option<&ArtifactPath>,
        options: &UploadOptions,
    ) -> Result<Uploaded> {
        upload::upload_file(&*self.open_given(uri)?, file, directory, options).await
    }

    /// A URI of a file has no listing of its own; it is in that of its parent.
    async fn single_file(&self, resolved: &Resolved) -> Result<(Arc<dyn ArtifactStore>, Found)> {
        let origin = if resolved.by_store { Origin::Store } else { Origin::Caller };
        let Some((parent, name)) = resolved.artifact_uri.split_last() else {
            return Ok((self.open_resolved(resolved)?, Found::Nothing));
        };
        let store = self.opened(&parent, origin)?;
        let found = if matches!(parent, ArtifactUri::Web(_)) {
            Found::File(Wanted { source: name.clone(), target: name, size: None })
        } else {
            find(&*store, Some(&name)).await?
        };
        Ok((store, found))
    }

    fn opened(&self, uri: &ArtifactUri, origin: Origin) -> Result<Arc<dyn ArtifactStore>> {
        let origin = if self.own_stores { Origin::Caller } else { origin };
        match uri {
            ArtifactUri::Local(root) => self.in_folder(uri, root, origin),
            ArtifactUri::Model(_) | ArtifactUri::Run(_) => {
                Err(refused(uri, "a store must be asked first what this means"))
            }
            ArtifactUri::Proxy(_) | ArtifactUri::Web(_) => self.over_http(uri, origin),
            ArtifactUri::S3(_) | ArtifactUri::Gcs(_) | ArtifactUri::Azure(_) => self.in_bucket(uri, origin),
            ArtifactUri::Foreign { .. } => Err(refused(uri, "this kind of URI is not served")),
        }
    }

    fn in_folder(&self, uri: &ArtifactUri, root: &Path, origin: Origin) -> Result<Arc<dyn ArtifactStore>> {
        let store = LocalArtifacts::new(root);
        Ok(Arc::new(match (origin, self.settings.local_roots) {
            (Origin::Caller, _) | (_, LocalRoots::Replace) => store,
            (Origin::Store, LocalRoots::Add) => store.sparing(self.written.clone()),
            (Origin::Store, LocalRoots::Refuse) => {
                let problem = "a server may not name folders of this machine (ST_SERVER_FOLDERS)";
                return Err(refused(uri, problem));
            }
        }))
    }

    #[cfg(feature = "__objects")]
    fn in_bucket(&self, uri: &ArtifactUri, origin: Origin) -> Result<Arc<dyn ArtifactStore>> {
        self.buckets.open(uri, &self.settings, origin == Origin::Store)
    }

    #[cfg(not(feature = "__objects"))]
    fn in_bucket(&self, uri: &ArtifactUri, _: Origin) -> Result<Arc<dyn ArtifactStore>> {
        let _ = self;
        Err(needs_feature(uri))
    }

    #[cfg(not(feature = "rest"))]
    fn over_http(&self, uri: &ArtifactUri, _: Origin) -> Result<Arc<dyn ArtifactStore>> {
        let _ = self;
        Err(refused(uri, "this build does not speak HTTP"))
    }

    #[cfg(feature = "rest")]
    fn over_http(&self, uri: &ArtifactUri, origin: Origin) -> Result<Arc<dyn ArtifactStore>> {
        match uri {
            ArtifactUri::Proxy(proxy) => {
                let Some(session) = &self.session else {
                    return Err(refused(uri, "there is no tracking server to reach it through"));
                };
                let store = ProxyArtifacts::open(session.clone(), proxy, &self.settings)?;
                self.may_go_to(store.server(), uri, origin)?;
                Ok(Arc::new(store))
            }
            ArtifactUri::Web(web) => {
                self.may_go_to(web.expose(), uri, origin)?;
                let session = match &self.session {
                    Some(session) => session.clone(),
                    None => elsewhere::web(&self.settings)?,
                };
                Ok(Arc::new(HttpArtifacts::new(session, web.clone())))
            }
            _ => Err(refused(uri, "this kind of URI is not served over HTTP")),
        }
    }

    /// Whether a store may name an address: its own server's, or one that the user has allowed.
    #[cfg(feature = "rest")]
    fn may_go_to(&self, url: &url::Url, uri: &ArtifactUri, origin: Origin) -> Result<()> {
        let own = self.session.as_ref().is_some_and(|session| session.address().origin() == url.origin());
        if own || origin == Origin::Caller || hosts::is_among(url, &self.settings.allowed_hosts) {
            return Ok(());
        }
        Err(refused(
            uri,
            "the server names another host, which is not among the allowed ones (ST_ALLOWED_HOSTS)",
        ))
    }
}

/// This build has no feature for an object store.
pub(super) fn needs_feature(uri: &ArtifactUri) -> Error {
    let feature = match uri {
        ArtifactUri::S3(_) => "s3",
        ArtifactUri::Gcs(_) => "gs",
        _ => "azure",
    };
    refused(uri, &format!("this build does not serve it: it was made without the feature `{feature}`"))
}

fn refused(uri: &ArtifactUri, problem: &str) -> Error {
    Error::Uri { uri: uri.to_string(), problem: problem.to_owned() }
}

/// What is at a path.
#[derive(Debug)]
enum Found {
    Nothing,
    File(Wanted),
    Directory(Vec<Wanted>),
}

/// Looks what is at a path: the listing of a file and of a missing directory are the same, that of the parent is not.
async fn find(store: &dyn ArtifactStore, path: Option<&ArtifactPath>) -> Result<Found> {
    if let Some(path) = path {
        let siblings = store.list(path.parent().as_ref()).await?;
        match siblings.into_iter().find(|info| info.path == *path) {
            None => return Ok(Found::Nothing),
            Some(info) if !info.is_dir => {
                let target = ArtifactPath::try_new(path.name()).map_err(|_| not_found(path))?;
                return Ok(Found::File(Wanted { source: path.clone(), target, size: info.file_size }));
            }
            Some(_) => {}
        }
    }
    let files = walk(store, path).await?;
    let wanted = files.into_iter().filter_map(|(source, size)| {
        let target = match path {
            Some(path) => source.as_str().strip_prefix(path.as_str())?.strip_prefix('/')?,
            None => source.as_str(),
        };
        Some(Wanted { target: ArtifactPath::try_new(target).ok()?, source, size })
    });
    let wanted: Vec<Wanted> = wanted.collect();
    Ok(if wanted.is_empty() { Found::Nothing } else { Found::Directory(wanted) })
}

#[cfg(test)]
#[cfg(not(feature = "__objects"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, feature: &str) {
        let uri: ArtifactUri = uri.parse().unwrap();
        let error = Artifacts::new(ArtifactSettings::default()).open(&uri).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{uri}: this build does not serve it: it was made without the feature `{feature}`")
        );
    }

    #[test]
    fn an_object_store_without_its_feature_names_it() {
        check("s3://bucket/a", "s3");
        check("gs://bucket/a", "gs");
        check("abfss://c@account.dfs.core.windows.net/a", "azure");
        check("wasbs://c@account.blob.core.windows.net/a", "azure");
    }
}
