//! Files at addresses of the web.

use async_trait::async_trait;
use mlflow_types::Repeat;

use super::store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
use super::{ArtifactPath, answer};
use crate::rest::Session;
use crate::uri::{ArtifactUri, WebUri};
use crate::{Error, Result};

/// An address of the web, to be read. It cannot be listed, so only single files can be had, by their name.
#[derive(Clone, Debug)]
pub struct HttpArtifacts {
    session: Session,
    root: WebUri,
}

impl HttpArtifacts {
    /// What is below an address. The session's credentials are sent only where the address is the session's own server.
    pub fn new(session: Session, root: WebUri) -> Self {
        Self { session, root }
    }
}

#[async_trait]
impl ArtifactStore for HttpArtifacts {
    fn location(&self) -> String {
        self.root.to_string()
    }

    async fn list(&self, _: Option<&ArtifactPath>) -> Result<Vec<FileInfo>> {
        Ok(Vec::new())
    }

    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead> {
        let ArtifactUri::Web(uri) = ArtifactUri::Web(self.root.clone()).join(path)? else {
            return Err(Error::Uri {
                uri: self.location(),
                problem: "it is no address of the web".to_owned(),
            });
        };
        let request = answer::get_file(uri.expose().clone(), start);
        let response = self.session.execute(&uri.to_string(), request, Repeat::Freely).await?;
        answer::file(&self.location(), path, response).await
    }

    async fn write(&self, _: &ArtifactPath, _: &LocalFile) -> Result<()> {
        Err(Error::Uri { uri: self.location(), problem: "a web address is only read".to_owned() })
    }
}
