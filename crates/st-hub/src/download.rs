//! One file of a commit: fetched once, in parts if it must be, verified, and then put where Python has it.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::digest::{Digest, Digester};
use crate::error::{Error, file};
use crate::files;
use crate::http::{Ask, Failure, Http, NoReply, Reply};
use crate::lock::Lock;
use crate::name::ModelName;
use crate::place;
use crate::progress::{HubEvent, Observer};
use crate::refusal::{is_passing, refusal};
use crate::repository::{Repository, create_folder_of};
use crate::retry::Retry;
use crate::whole::refuse_pointer;

/// A file, of which everything is known but the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    /// Whether it is part of the sum that was told to whoever waits.
    pub(crate) counted: bool,
}

/// Fetches files of one commit.
#[derive(Debug)]
pub(crate) struct Fetcher<'a> {
    pub(crate) http: &'a Http,
    pub(crate) name: &'a ModelName,
    pub(crate) commit: &'a str,
    pub(crate) repository: &'a Repository,
    pub(crate) observer: &'a Observer,
    pub(crate) retry: Retry,
    pub(crate) symlinks: bool,
}

/// Why an attempt did not bring the whole file.
enum Cut {
    /// What came so far is good; another attempt may bring the rest.
    Failed(Failure),
    /// The server has a passing trouble.
    Passing(Error),
    /// Another attempt would end the same way.
    Refused(Error),
    /// Other bytes than those that were announced; nothing of it is kept.
    Wrong(Error),
}

impl Fetcher<'_> {
    /// Brings a file into the snapshot. Of several processes that want it, one fetches it.
    pub(crate) async fn fetch(&self, wanted: &KnownFile) -> Result<(), Error> {
        let _lock = Lock::take(&self.repository.lock(&wanted.digest)).await?;
        let blob = self.repository.blob(&wanted.digest);
        if self.is_sound(&blob, wanted).await? {
            self.received(wanted, wanted.size);
        } else {
            self.receive(wanted, &blob).await?;
        }
        place::place(self.repository, self.commit, &wanted.path, &wanted.digest, self.symlinks)
    }

    /// Whether the cache has the content already. It is read as a whole: somebody else wrote it.
    async fn is_sound(&self, blob: &Path, wanted: &KnownFile) -> Result<bool, Error> {
        let Some(target) = self.repository.resolve(blob)? else { return Ok(false) };
        let digest = wanted.digest.clone();
        let found = blocking(move || digest.of_file(&target)).await.map_err(file(blob, "read"))?;
        if found != wanted.digest {
            tracing::warn!(blob = %blob.display(), "damaged in the cache, and fetched again");
            fs::remove_file(blob).map_err(file(blob, "remove"))?;
        }
        Ok(found == wanted.digest)
    }

    async fn receive(&self, wanted: &KnownFile, blob: &Path) -> Result<(), Error> {
        create_folder_of(blob)?;
        let partial = blob.with_added_extension("incomplete");
        let (mut fruitless, mut again) = (0, true);
        loop {
            let before = length(&partial);
            let cut = match self.attempt(wanted, &partial).await {
                Ok(()) => break,
                Err(cut) => cut,
            };
            fruitless = if length(&partial) > before { 1 } else { fruitless + 1 };
            let is_last = fruitless >= self.retry.attempts;
            match cut {
                Cut::Failed(failure) if is_last => return Err(failure.after(fruitless)),
                Cut::Passing(error) if is_last => return Err(error),
                Cut::Failed(failure) => {
                    tracing::debug!(?failure, file = wanted.path, "asked again for the rest");
                }
                Cut::Passing(error) => tracing::debug!(%error, file = wanted.path, "asked again"),
                Cut::Refused(error) => return Err(error),
                Cut::Wrong(error) => {
                    self.dropped(wanted, length(&partial));
                    fs::remove_file(&partial).map_err(file(&partial, "remove"))?;
                    // The part that an earlier attempt left may be what is wrong; then the whole of it is right.
                    if before == 0 || !std::mem::take(&mut again) {
                        return Err(error);
                    }
                    continue;
                }
            }
            self.retry.pause(fruitless).await;
        }
        fs::rename(&partial, blob).map_err(file(blob, "write"))
    }

    /// Goes on where an earlier attempt, of this process or of another one, ended.
    async fn attempt(&self, wanted: &KnownFile, partial: &Path) -> Result<(), Cut> {
        let mut state = Partial::open(partial, wanted).await.map_err(Cut::Refused)?;
        self.received(wanted, state.length);
        let known = state.length;
        let outcome = self.fill(wanted, &mut state).await;
        if !matches!(outcome, Err(Cut::Wrong(_)) | Ok(())) {
            // Counted again when the next attempt finds it.
            self.dropped(wanted, state.length);
        }
        tracing::debug!(file = wanted.path, known, length = state.length, "an attempt ended");
        outcome?;
        state.verify(wanted, self.name.repository())
    }

    async fn fill(&self, wanted: &KnownFile, state: &mut Partial) -> Result<(), Cut> {
        if state.length == wanted.size {
            return Ok(());
        }
        let url = self.address(&wanted.path);
        let mut reply = self.http.send(&url, Ask::File(state.length)).await?;
        self.check_start(&reply, wanted, state)?;
        while let Some(piece) = reply.piece().await.map_err(Cut::Failed)? {
            let bytes = piece.as_ref();
            state.append(bytes).map_err(Cut::Refused)?;
            self.received(wanted, bytes.len() as u64);
            if state.length > wanted.size {
                return Err(Cut::Wrong(self.wrong_size(wanted, state.length)));
            }
        }
        if state.length < wanted.size {
            let source = format!("it ended after {} of {} bytes", state.length, wanted.size).into();
            return Err(Cut::Failed(Failure { url: reply.url, unreachable: false, source }));
        }
        Ok(())
    }

    /// Whether the bytes that follow are those that were asked for.
    fn check_start(&self, reply: &Reply, wanted: &KnownFile, state: &mut Partial) -> Result<(), Cut> {
        let protocol =
            |problem: &str| Error::Protocol { url: reply.url.clone(), problem: problem.to_owned() };
        if reply.header("x-repo-commit").is_some_and(|commit| commit != self.commit) {
            return Err(Cut::Refused(protocol("the file is one of another commit")));
        }
        let range = reply.header("content-range").and_then(|range| range.strip_prefix("bytes "));
        let start = range.and_then(|range| range.split_once('-')?.0.parse().ok());
        match reply.status {
            200 => {
                // It does not know of ranges, and sends all of it.
                self.dropped(wanted, state.length);
                state.restart(wanted).map_err(Cut::Refused)
            }
            206 if start == Some(state.length) => Ok(()),
            206 => Err(Cut::Wrong(protocol("another part of the file came than was asked for"))),
            416 => Err(Cut::Wrong(self.wrong_size(wanted, state.length))),
            status if is_passing(status) => Err(Cut::Passing(refusal(reply, self.name, self.http))),
            _ => Err(Cut::Refused(refusal(reply, self.name, self.http))),
        }
    }

    fn received(&self, wanted: &KnownFile, bytes: u64) {
        if wanted.counted && bytes > 0 {
            self.observer.tell(HubEvent::Received { bytes });
        }
    }

    fn dropped(&self, wanted: &KnownFile, bytes: u64) {
        if wanted.counted && bytes > 0 {
            self.observer.tell(HubEvent::Dropped { bytes });
        }
    }

    fn wrong_size(&self, wanted: &KnownFile, found: u64) -> Error {
        let (repository, file) = (self.name.repository().to_owned(), wanted.path.clone());
        Error::Size { repository, file, expected: wanted.size, found }
    }

    /// Where a file of the commit is.
    pub(crate) fn address(&self, path: &str) -> url::Url {
        let repository = self.name.repository().split('/');
        self.http.address(repository.chain(["resolve", self.commit]).chain(path.split('/')))
    }
}

impl From<NoReply> for Cut {
    fn from(no_reply: NoReply) -> Self {
        match no_reply {
            NoReply::Failed(failure) => Self::Failed(failure),
            NoReply::Refused(error) => Self::Refused(error),
        }
    }
}

/// A file that is not complete yet, and the digest of what there is of it.
struct Partial {
    path: PathBuf,
    file: fs::File,
    digester: Digester,
    length: u64,
}

impl Partial {
    async fn open(path: &Path, wanted: &KnownFile) -> Result<Self, Error> {
        // Nobody makes links of this name; what one leads to is not ours to write to.
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            fs::remove_file(path).map_err(file(path, "remove"))?;
        }
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut opened = opened.map_err(file(path, "open"))?;
        if opened.metadata().map_err(file(path, "look at"))?.len() > wanted.size {
            opened.set_len(0).map_err(file(path, "write"))?;
        }
        let mut digester = wanted.digest.digester(wanted.size);
        let read = blocking(move || {
            let length = digester.update_from(&mut opened)?;
            Ok((opened, digester, length))
        });
        let (file, digester, length) = read.await.map_err(file(path, "read"))?;
        Ok(Self { path: path.to_owned(), file, digester, length })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(file(&self.path, "write"))?;
        self.digester.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self, wanted: &KnownFile) -> Result<(), Error> {
        self.file.rewind().and_then(|()| self.file.set_len(0)).map_err(file(&self.path, "write"))?;
        (self.digester, self.length) = (wanted.digest.digester(wanted.size), 0);
        Ok(())
    }

    /// Whether all of it came, and nothing else.
    fn verify(self, wanted: &KnownFile, repository: &str) -> Result<(), Cut> {
        let found = self.digester.finish();
        if found != wanted.digest {
            return Err(Cut::Wrong(Error::Digest {
                repository: repository.to_owned(),
                file: wanted.path.clone(),
                algorithm: wanted.digest.algorithm(),
                expected: wanted.digest.to_string(),
                found: found.to_string(),
            }));
        }
        self.file.sync_all().map_err(|source| Cut::Refused(file(&self.path, "write")(source)))?;
        if files::is_weights(&wanted.path) && refuse_pointer(&self.path).is_err() {
            return Err(Cut::Wrong(Error::LfsPointer { file: format!("{repository}/{}", wanted.path) }));
        }
        Ok(())
    }
}

fn length(path: &Path) -> u64 {
    path.symlink_metadata().map_or(0, |metadata| metadata.len())
}

/// Work that takes a while and waits for nothing but the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
