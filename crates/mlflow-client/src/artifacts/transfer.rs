//! One file out of a store, through breaks, and no byte more or less than promised.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::confined::Confined;
use super::digest::Hasher;
use super::download::{DownloadOptions, DownloadedFile, Wanted};
use super::store::{ArtifactRead, ArtifactStore, ReadStart};
use super::walk::place;
use super::{ArtifactPath, blocking};
use crate::{BoxError, Error, Result};

/// A body may break as often in a row without getting a [`STEP`] further.
const MOST_BREAKS: u32 = 6;

/// So many bytes further, and the breaks before are forgiven.
const STEP: u64 = 1 << 20;

/// A file on its way.
struct Transfer<'a> {
    /// Where it comes from, for messages.
    place: String,
    target: &'a ArtifactPath,
    options: &'a DownloadOptions,
    file: File,
    hasher: Hasher,
    written: u64,
    tag: Option<String>,
}

/// How a body ended.
enum End {
    /// As a body ends.
    Done,
    /// In the middle.
    Broken(BoxError),
}

/// Receives one file, checks it, and brings it to the disk.
pub(super) async fn receive(
    store: &dyn ArtifactStore,
    wanted: Wanted,
    staging: Arc<Confined>,
    options: &DownloadOptions,
) -> Result<DownloadedFile> {
    let target = wanted.target.clone();
    let created = blocking(move || staging.create(&target)).await;
    let mut transfer = Transfer {
        place: place(store, Some(&wanted.source)),
        target: &wanted.target,
        options,
        file: File::from_std(created.map_err(|source| file_error(&wanted.target, source))?),
        hasher: Hasher::default(),
        written: 0,
        tag: None,
    };
    transfer.run(store, &wanted).await?;
    transfer.finish(&wanted).await
}

impl Transfer<'_> {
    async fn run(&mut self, store: &dyn ArtifactStore, wanted: &Wanted) -> Result<()> {
        let (started, mut breaks, mut furthest) = (Instant::now(), 0, 0);
        loop {
            let start = ReadStart { offset: self.written, tag: self.tag.clone() };
            let read = store.read(&wanted.source, &start).await?;
            let expected = self.expected(wanted, &read)?;
            let end = self.pump(read, expected).await?;
            if expected.map_or(matches!(end, End::Done), |expected| expected == self.written) {
                return Ok(());
            }
            if self.written >= furthest + STEP {
                (furthest, breaks) = (self.written, 0);
            }
            breaks += 1;
            if breaks > MOST_BREAKS {
                return Err(self.gave_up(end, expected, breaks, started.elapsed()));
            }
            if breaks > 1 {
                tokio::time::sleep(self.options.pause * 2_u32.pow((breaks - 2).min(5))).await;
            }
        }
    }

    /// How long the file must be; listing and answer must agree.
    fn expected(&self, wanted: &Wanted, read: &ArtifactRead) -> Result<Option<u64>> {
        if let (Some(listed), Some(sent)) = (wanted.size, read.length)
            && listed != sent
        {
            return Err(self.damaged(format!("the listing says {listed} bytes, but {sent} are sent")));
        }
        let expected = wanted.size.or(read.length);
        match expected {
            Some(length) if length > self.options.largest_file => Err(self.too_large()),
            expected => Ok(expected),
        }
    }

    /// Writes what arrives.
    async fn pump(&mut self, mut read: ArtifactRead, expected: Option<u64>) -> Result<End> {
        if read.offset != self.written {
            self.begin_again(read.offset).await?;
        }
        self.tag = read.tag.take();
        while let Some(piece) = read.body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => return Ok(End::Broken(error)),
            };
            let total = self.written + piece.len() as u64;
            if let Some(expected) = expected.filter(|expected| total > *expected) {
                return Err(self.damaged(format!("more than the promised {expected} bytes arrive")));
            }
            if total > self.options.largest_file {
                return Err(self.too_large());
            }
            self.hasher.update(&piece);
            self.file.write_all(&piece).await.map_err(|source| file_error(self.target, source))?;
            self.written = total;
            self.options.progress.advance(i64::try_from(piece.len()).unwrap_or(i64::MAX));
        }
        Ok(End::Done)
    }

    async fn begin_again(&mut self, offset: u64) -> Result<()> {
        if offset != 0 {
            return Err(self.damaged(format!("it begins at byte {offset} instead of {}", self.written)));
        }
        self.options.progress.advance(-i64::try_from(self.written).unwrap_or(i64::MAX));
        (self.written, self.hasher) = (0, Hasher::default());
        let emptied = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.rewind().await
        };
        emptied.await.map(drop).map_err(|source| file_error(self.target, source))
    }

    async fn finish(mut self, wanted: &Wanted) -> Result<DownloadedFile> {
        let synced = async {
            self.file.flush().await?;
            self.file.sync_data().await
        };
        synced.await.map_err(|source| file_error(self.target, source))?;
        let digest = std::mem::take(&mut self.hasher).finish();
        self.options.progress.finished(&wanted.target);
        Ok(DownloadedFile { path: wanted.target.clone(), size: self.written, digest })
    }

    fn gave_up(&self, end: End, expected: Option<u64>, attempts: u32, elapsed: Duration) -> Error {
        match (end, expected) {
            (End::Broken(source), _) => Error::Unreachable {
                route: self.place.clone(),
                attempts,
                elapsed,
                after_sending: true,
                source,
            },
            (End::Done, expected) => {
                let expected = expected.unwrap_or_default();
                self.damaged(format!(
                    "{} of {expected} bytes arrive, after {attempts} attempts",
                    self.written
                ))
            }
        }
    }

    fn too_large(&self) -> Error {
        self.damaged(format!("it is larger than the limit of {} bytes", self.options.largest_file))
    }

    fn damaged(&self, problem: String) -> Error {
        Error::Damaged { artifact: self.place.clone(), problem }
    }
}

fn file_error(path: &ArtifactPath, source: io::Error) -> Error {
    Error::File { path: path.as_str().into(), action: "write", source }
}
