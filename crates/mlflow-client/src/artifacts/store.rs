//! The seam: one folder of artifacts, wherever it is.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::ArtifactPath;
use crate::{BoxError, Result};

/// A folder of artifacts: behind a server's proxy, in an object store, or on this machine.
///
/// Paths are those below the folder. What a server names goes through [`ArtifactPath`] before it is a [`FileInfo`].
#[async_trait]
pub trait ArtifactStore: fmt::Debug + Send + Sync {
    /// Where the folder is, without secrets, for messages.
    fn location(&self) -> String;

    /// What lies directly in a directory, sorted by path; the root if none is given. A directory that is not there, and a
    /// file, have nothing in them: MLflow's server does not tell them apart.
    ///
    /// # Errors
    /// When the store cannot be asked, or names something that no safe path is.
    async fn list(&self, directory: Option<&ArtifactPath>) -> Result<Vec<FileInfo>>;

    /// Opens a file to be read from somewhere in it. The answer says where it really begins: a store that cannot begin in
    /// the middle, or whose file has changed meanwhile, begins at 0.
    ///
    /// # Errors
    /// "Not found" if there is no such file; or when the store cannot be asked.
    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead>;

    /// Writes a file of this machine there, whole or not at all where the store can do that.
    ///
    /// # Errors
    /// When the file cannot be read or the store does not take it.
    async fn write(&self, path: &ArtifactPath, file: &LocalFile) -> Result<()>;
}

/// Something in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// The path below the store's root.
    pub path: ArtifactPath,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes; absent for a directory, and where the store does not say.
    pub file_size: Option<u64>,
}

/// Where in a file to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadStart {
    /// The first byte, from 0.
    pub offset: u64,
    /// What [`ArtifactRead::tag`] said when the bytes before were read.
    pub tag: Option<String>,
}

/// A file as it arrives.
pub struct ArtifactRead {
    /// Where it begins, in bytes: what was asked for, or 0.
    pub offset: u64,
    /// How long the whole file is, in bytes, if that is known.
    pub length: Option<u64>,
    /// The state of the file, if the store has a word for it: HTTP's entity tag.
    pub tag: Option<String>,
    /// The bytes from `offset` on.
    pub body: BoxStream<'static, Result<Bytes, BoxError>>,
}

/// A file of this machine that is to be written to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub length: u64,
}

impl FileInfo {
    /// A file.
    pub fn file(path: ArtifactPath, file_size: Option<u64>) -> Self {
        Self { path, is_dir: false, file_size }
    }

    /// A directory.
    pub fn directory(path: ArtifactPath) -> Self {
        Self { path, is_dir: true, file_size: None }
    }
}

impl ArtifactRead {
    /// All bytes of a small file, such as an `MLmodel`; it is an error if there are more than `most`.
    ///
    /// # Errors
    /// When the body breaks, has too many bytes, or not as many as promised.
    pub async fn bytes(mut self, most: usize) -> Result<Vec<u8>, BoxError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.body.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > most {
                return Err(format!("there are more than {most} bytes").into());
            }
        }
        match self.length {
            Some(length) if length != self.offset + bytes.len() as u64 => {
                Err(format!("{} of {length} bytes arrive", self.offset + bytes.len() as u64).into())
            }
            _ => Ok(bytes),
        }
    }
}

impl fmt::Debug for ArtifactRead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ArtifactRead")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}
