//! Files into a bucket: small ones at once, others in parts, and no more than a few parts in memory.

use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, MultipartUpload, PutMultipartOptions, PutOptions,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::ObjectArtifacts;
use crate::artifacts::store::LocalFile;
use crate::artifacts::{ArtifactPath, proxy};
use crate::{Error, Result};

/// Parts of all files together that are in memory at the same time.
pub(super) const PARALLEL: usize = 4;

/// Object stores take no more parts.
const MOST_PARTS: u64 = 10_000;

/// Writes a file; it appears when it is whole.
pub(super) async fn upload(store: &ObjectArtifacts, path: &ArtifactPath, file: &LocalFile) -> Result<()> {
    let key = store.file_key(path)?;
    let part = store.part.max(file.length.div_ceil(MOST_PARTS));
    let mut source = Source::open(file, part).await?;
    let attributes =
        Attributes::from_iter([(Attribute::ContentType, proxy::content_type(path.name()).to_owned())]);
    if file.length <= part {
        let _room = store.room().await?;
        let content = source.next().await?.unwrap_or_default();
        source.end().await?;
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = store.store.put_opts(&key, content.into(), options).await;
        return put.map(drop).map_err(|error| store.failed(error));
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let before = state(store, &key).await;
    let mut upload =
        store.store.put_multipart_opts(&key, options).await.map_err(|error| store.failed(error))?;
    let done = match send(store, upload.as_mut(), source).await {
        Ok(()) => upload.complete().await.map(drop).map_err(|error| store.failed(error)),
        Err(error) => Err(error),
    };
    let Err(error) = done else { return Ok(()) };
    // If the answer to the last call got lost, the file itself tells whether the parts were put together.
    let after = state(store, &key).await.filter(|after| after.length == file.length && after.tag.is_some());
    if after.is_some() && after != before {
        return Ok(());
    }
    // Unfinished parts cost money where they lie; that they cannot be removed is not what went wrong first.
    let _ = upload.abort().await;
    Err(error)
}

/// What is there under a key.
#[derive(PartialEq)]
struct State {
    length: u64,
    tag: Option<String>,
}

/// One byte tells it.
async fn state(store: &ObjectArtifacts, key: &Path) -> Option<State> {
    let options = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
    let got = store.store.get_opts(key, options).await.ok()?;
    Some(State { length: got.meta.size, tag: got.meta.e_tag })
}

async fn send(
    store: &ObjectArtifacts,
    upload: &mut dyn MultipartUpload,
    mut source: Source<'_>,
) -> Result<()> {
    let mut travelling = FuturesUnordered::<BoxFuture<'_, object_store::Result<()>>>::new();
    loop {
        // While other files have all the room, our own parts go on.
        let room = tokio::select! {
            room = store.room() => room?,
            Some(arrived) = travelling.next() => {
                arrived.map_err(|error| store.failed(error))?;
                continue;
            }
        };
        let Some(part) = source.next().await? else { break };
        let put = upload.put_part(part.into());
        travelling.push(
            async move {
                let arrived = put.await;
                drop(room);
                arrived
            }
            .boxed(),
        );
    }
    source.end().await?;
    while let Some(arrived) = travelling.next().await {
        arrived.map_err(|error| store.failed(error))?;
    }
    Ok(())
}

/// A file of this machine, part by part.
struct Source<'a> {
    file: &'a LocalFile,
    open: File,
    part: u64,
    left: u64,
}

impl<'a> Source<'a> {
    async fn open(file: &'a LocalFile, part: u64) -> Result<Self> {
        let open = File::open(&file.path).await.map_err(|source| unreadable(file, source))?;
        Ok(Self { file, open, part, left: file.length })
    }

    /// The next part; none after the last.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let length = self.part.min(self.left);
        if length == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.open.read_exact(&mut bytes).await.map_err(|source| unreadable(self.file, source))?;
        self.left -= length;
        Ok(Some(bytes.into()))
    }

    /// A file that has grown meanwhile is not what was to be uploaded.
    async fn end(&mut self) -> Result<()> {
        match self.open.read(&mut [0]).await {
            Ok(0) => Ok(()),
            Ok(_) => {
                let problem = format!("it had {} bytes and has grown meanwhile", self.file.length);
                Err(unreadable(self.file, io::Error::other(problem)))
            }
            Err(source) => Err(unreadable(self.file, source)),
        }
    }
}

fn unreadable(file: &LocalFile, source: io::Error) -> Error {
    Error::File { path: file.path.clone(), action: "read", source }
}
