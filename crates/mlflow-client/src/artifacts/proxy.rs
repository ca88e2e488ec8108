//! Artifacts behind the proxy of a tracking server.

use async_trait::async_trait;
use mlflow_types::server_info::ServerInfo;
use mlflow_types::{Method, Repeat};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

use tokio::sync::OnceCell;
use url::Url;

use super::store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
use super::{ArtifactPath, ArtifactSettings, answer, elsewhere, multipart};
use crate::rest::{HttpBody, HttpRequest, Session};
use crate::uri::ProxyUri;
use crate::{Error, Result};

/// The route of a file or a listing, for messages.
const ROUTE: &str = "mlflow-artifacts/artifacts";

/// A folder behind the artifact proxy of a tracking server: `mlflow-artifacts:`.
///
/// Files travel as streams, one request each; large ones in parts where the server says that it can do that.
#[derive(Debug)]
pub struct ProxyArtifacts {
    pub(super) session: Session,
    /// The server: the session's own, or the one in the URI.
    server: Url,
    uri: ProxyUri,
    pub(super) settings: ArtifactSettings,
    /// Whether the server takes files in parts; asked once, when the first large file comes.
    takes_parts: OnceCell<bool>,
    /// The way to what stands behind the server; made when the first large file comes.
    object_store: OnceLock<Session>,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default)]
    file_size: Option<serde_json::Value>,
}

impl ProxyArtifacts {
    /// A folder behind the proxy of the session's server, or of another one if the URI names it.
    ///
    /// # Errors
    /// [`Error::Uri`] if the host in the URI is none.
    pub fn open(session: Session, uri: &ProxyUri, settings: &ArtifactSettings) -> Result<Self> {
        let mut server = session.address().clone();
        if let Some(host) = &uri.host {
            server = Url::parse(&format!("{}://{host}{}", server.scheme(), server.path()))
                .map_err(|error| Error::Uri { uri: uri.to_string(), problem: error.to_string() })?;
        }
        Ok(Self {
            session,
            server,
            uri: uri.clone(),
            settings: settings.clone(),
            takes_parts: OnceCell::new(),
            object_store: OnceLock::new(),
        })
    }

    /// The server whose proxy it is.
    pub(super) fn server(&self) -> &Url {
        &self.server
    }

    /// An address that the server gives for bytes of a file, if we may go there.
    pub(super) fn store_address(&self, url: &str) -> Option<Url> {
        elsewhere::store_address(url, &self.server, &self.settings)
    }

    /// The way there.
    pub(super) fn object_store(&self) -> Result<&Session> {
        if let Some(session) = self.object_store.get() {
            return Ok(session);
        }
        let session = elsewhere::object_store(&self.server, &self.settings)?;
        Ok(self.object_store.get_or_init(|| session))
    }

    /// A path as the proxy knows it.
    pub(super) fn full(&self, path: Option<&ArtifactPath>) -> Option<ArtifactPath> {
        match path {
            Some(path) => Some(path.below(self.uri.path.as_ref())),
            None => self.uri.path.clone(),
        }
    }

    /// The address of a route below the server's prefix; `route` is encoded already.
    pub(super) fn address(&self, route: &str) -> Url {
        let mut url = self.server.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/{route}"));
        url.set_query(None);
        url
    }

    fn file_address(&self, path: &ArtifactPath) -> Url {
        let full = path.below(self.uri.path.as_ref());
        self.address(&format!("api/2.0/{ROUTE}/{}", full.encoded()))
    }

    /// What a route answers.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        route: &str,
        request: &HttpRequest,
        repeat: Repeat,
    ) -> Result<T> {
        self.session.ask(route, request, repeat, &mut self.session.patience(), &[]).await
    }

    async fn takes_parts(&self) -> bool {
        let ask = || async {
            let route = "server-info";
            let request = answer::get(self.address("api/3.0/mlflow/server-info"));
            // An older server does not know the route, and takes no parts either.
            let info = self.ask::<ServerInfo>(route, &request, Repeat::Freely).await;
            info.is_ok_and(|info| info.multipart_uploads_enabled)
        };
        *self.takes_parts.get_or_init(ask).await
    }

    fn info(&self, directory: Option<&ArtifactPath>, listed: Listed) -> Result<FileInfo> {
        let lied = |problem: String| Error::Damaged { artifact: self.place(directory), problem };
        let path =
            ArtifactPath::try_new(listed.path).map_err(|error| lied(format!("the listing names {error}")))?;
        let path = path.below(directory);
        if listed.is_dir {
            return Ok(FileInfo::directory(path));
        }
        let size = match &listed.file_size {
            None | Some(serde_json::Value::Null) => None,
            // Protobuf writes 64-bit numbers as text.
            Some(serde_json::Value::String(text)) => Some(text.parse().ok()),
            Some(value) => Some(value.as_u64()),
        };
        match size {
            Some(None) => Err(lied(format!("the listing gives {path:?} no size that a file can have"))),
            size => Ok(FileInfo::file(path, size.flatten())),
        }
    }

    fn place(&self, path: Option<&ArtifactPath>) -> String {
        path.map_or_else(|| self.location(), |path| format!("{}/{path}", self.location()))
    }
}

#[async_trait]
impl ArtifactStore for ProxyArtifacts {
    fn location(&self) -> String {
        self.uri.to_string()
    }

    async fn list(&self, directory: Option<&ArtifactPath>) -> Result<Vec<FileInfo>> {
        let mut url = self.address(&format!("api/2.0/{ROUTE}"));
        if let Some(path) = self.full(directory) {
            url.query_pairs_mut().append_pair("path", path.as_str());
        }
        let listing: Listing = self.ask(ROUTE, &answer::get(url), Repeat::Freely).await?;
        let infos = listing.files.into_iter().map(|listed| self.info(directory, listed));
        let mut infos = infos.collect::<Result<Vec<_>>>()?;
        infos.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(infos)
    }

    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead> {
        let request = answer::get_file(self.file_address(path), start);
        let response = self.session.execute(ROUTE, request, Repeat::Freely).await?;
        answer::file(ROUTE, path, response).await
    }

    async fn write(&self, path: &ArtifactPath, file: &LocalFile) -> Result<()> {
        if file.length >= self.settings.multipart_from
            && self.takes_parts().await
            && multipart::upload(self, path, file).await?
        {
            return Ok(());
        }
        let request = HttpRequest {
            method: Method::Put,
            url: self.file_address(path),
            headers: vec![("content-type".to_owned(), content_type(path.name()).to_owned())],
            body: HttpBody::File { path: file.path.clone(), offset: 0, length: file.length },
        };
        let response = self.session.execute(ROUTE, request, Repeat::Freely).await?;
        answer::accepted(ROUTE, response).await.map(drop)
    }
}

/// The kind of a file, by its ending, as far as models have them.
pub(super) fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "txt" | "md" | "yaml" | "yml" | "csv" | "py" => "text/plain",
        "png" => "image/png",
        "html" => "text/html",
        _ if name == "MLmodel" => "text/plain",
        _ => "application/octet-stream",
    }
}
