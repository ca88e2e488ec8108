//! Artifacts in object stores: S3, Google's and Azure's.
//!
//! The `object_store` crate knows what each of them calls things and how it wants to be asked; requests travel through our
//! own HTTP ([`wire`]), so that patience, certificates, proxies and time limits are the same as everywhere. None of its
//! types leaves this folder.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "azure")]
mod connection;
#[cfg(feature = "gs")]
mod gcs;
mod open;
mod refusal;
#[cfg(feature = "s3")]
mod s3;
mod upload;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) use self::open::Opened;
use super::store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
use super::{ArtifactPath, walk};
use crate::{BoxError, Error, Result};

/// Stores take no smaller parts, but for the last.
const LEAST_PART: u64 = 5 << 20;

/// How often the library tries again by itself: only what it alone can see, such as a success that says that it is none.
fn patience() -> object_store::RetryConfig {
    object_store::RetryConfig { max_retries: 2, ..object_store::RetryConfig::default() }
}

/// A folder in a bucket or a container.
///
/// Directories are what keys have in common up to a slash. Small files go up in one request, others in parts; either way
/// a file appears when it is whole.
#[derive(Clone)]
pub struct ObjectArtifacts {
    store: Arc<dyn ObjectStore>,
    location: String,
    prefix: Option<ArtifactPath>,
    part: u64,
    /// For as many parts there is memory, whatever the number of files.
    room: Arc<Semaphore>,
}

impl ObjectArtifacts {
    fn new(store: Arc<dyn ObjectStore>, location: String, prefix: Option<ArtifactPath>, part: u64) -> Self {
        let room = Arc::new(Semaphore::new(upload::PARALLEL));
        Self { store, location, prefix, part: part.max(LEAST_PART), room }
    }

    /// Room for one part, until it is dropped.
    async fn room(&self) -> Result<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        // It is never closed.
        room.map_err(|error| Error::Decode { route: self.location.clone(), source: error.into() })
    }

    /// An empty store in memory, under any name: what programs test with, who have no bucket.
    pub fn in_memory(location: impl Into<String>) -> Self {
        Self::new(Arc::new(object_store::memory::InMemory::new()), location.into(), None, LEAST_PART)
    }

    /// The key of a path; nothing for the root of a bucket.
    fn key(&self, path: Option<&ArtifactPath>) -> Result<Option<Path>> {
        let full = match path {
            Some(path) => Some(path.below(self.prefix.as_ref())),
            None => self.prefix.clone(),
        };
        full.map(|full| Path::parse(full.as_str()))
            .transpose()
            .map_err(|error| Error::Uri { uri: self.location.clone(), problem: error.to_string() })
    }

    fn file_key(&self, path: &ArtifactPath) -> Result<Path> {
        self.key(Some(path)).map(Option::unwrap_or_default)
    }

    fn failed(&self, error: object_store::Error) -> Error {
        refusal::error(&self.location, error)
    }

    /// What a listing names, if it lies in the directory. A store may have an object for the directory itself, which its
    /// console makes; that is none of the files in it.
    fn below(
        &self,
        listed: &Path,
        key: Option<&Path>,
        directory: Option<&ArtifactPath>,
    ) -> Result<Option<ArtifactPath>> {
        let name = match key {
            Some(key) if listed == key => return Ok(None),
            Some(key) => listed.as_ref().strip_prefix(key.as_ref()).and_then(|rest| rest.strip_prefix('/')),
            None => Some(listed.as_ref()),
        };
        let lied = |problem: String| Error::Damaged { artifact: walk::place(self, directory), problem };
        let name =
            name.ok_or_else(|| lied(format!("the listing names {:?}, which is not in it", listed.as_ref())))?;
        let name = ArtifactPath::try_new(name).map_err(|error| lied(format!("the listing names {error}")))?;
        Ok(Some(name.below(directory)))
    }
}

#[async_trait]
impl ArtifactStore for ObjectArtifacts {
    fn location(&self) -> String {
        self.location.clone()
    }

    async fn list(&self, directory: Option<&ArtifactPath>) -> Result<Vec<FileInfo>> {
        let key = self.key(directory)?;
        let listed =
            self.store.list_with_delimiter(key.as_ref()).await.map_err(|error| self.failed(error))?;
        let mut infos = Vec::with_capacity(listed.objects.len() + listed.common_prefixes.len());
        for object in &listed.objects {
            let path = self.below(&object.location, key.as_ref(), directory)?;
            infos.extend(path.map(|path| FileInfo::file(path, Some(object.size))));
        }
        for prefix in &listed.common_prefixes {
            infos.extend(self.below(prefix, key.as_ref(), directory)?.map(FileInfo::directory));
        }
        infos.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(infos)
    }

    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead> {
        let key = self.file_key(path)?;
        let mut options = GetOptions::default();
        if start.offset > 0 {
            options.range = Some(GetRange::Offset(start.offset));
            options.if_match.clone_from(&start.tag);
        }
        let got = match self.store.get_opts(&key, options).await {
            // It has changed since: from its beginning.
            Err(object_store::Error::Precondition { .. }) => {
                self.store.get_opts(&key, GetOptions::default()).await
            }
            got => got,
        };
        let got = got.map_err(|error| refusal::about(path, self.failed(error)))?;
        let location = self.location.clone();
        Ok(ArtifactRead {
            offset: got.range.start,
            length: Some(got.meta.size),
            // A weak tag does not promise equal bytes.
            tag: got.meta.e_tag.clone().filter(|tag| !tag.starts_with("W/")),
            body: got
                .into_stream()
                .map_err(move |error| BoxError::from(refusal::error(&location, error)))
                .boxed(),
        })
    }

    async fn write(&self, path: &ArtifactPath, file: &LocalFile) -> Result<()> {
        upload::upload(self, path, file).await
    }
}

/// The library's types would show who we are.
impl fmt::Debug for ObjectArtifacts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ObjectArtifacts").field("location", &self.location).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::try_new(text).unwrap()
    }

    async fn listed(keys: &[&str], prefix: Option<&str>) -> Result<Vec<FileInfo>> {
        let store = object_store::memory::InMemory::new();
        for key in keys {
            store
                .put_opts(&Path::parse(key).unwrap(), "x".into(), object_store::PutOptions::default())
                .await
                .unwrap();
        }
        ObjectArtifacts::new(Arc::new(store), "gs://bucket/a".into(), prefix.map(path), 1).list(None).await
    }

    #[tokio::test]
    async fn only_what_lies_below_the_prefix_is_there() {
        let infos = listed(&["a/b/c", "a/d", "ab/c", "a/ü %.txt"], Some("a")).await.unwrap();
        let expected = [
            FileInfo::directory(path("b")),
            FileInfo::file(path("d"), Some(1)),
            FileInfo::file(path("ü %.txt"), Some(1)),
        ];
        assert_eq!(infos, expected);
    }

    #[tokio::test]
    async fn the_object_of_a_directory_is_no_file() {
        let store = ObjectArtifacts::in_memory("s3://bucket/a");
        let key = Path::parse("a").unwrap();
        assert_eq!(store.below(&key, Some(&key), None).unwrap(), None);
    }

    #[tokio::test]
    async fn a_key_that_is_no_path_is_told() {
        let error = listed(&["a/C:x"], Some("a")).await.unwrap_err().to_string();
        assert_eq!(
            error,
            r#"gs://bucket/a: the listing names artifact path "C:x" has a part that begins like a drive"#
        );
    }
}
