//! Artifacts in a folder of this machine.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use mlflow_types::ErrorCode;
use tokio_util::io::ReaderStream;

use super::confined::{Confined, Kind};
use super::store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
use super::{ArtifactPath, blocking};
use crate::{Error, Result};

/// As many bytes are read from a file at once.
const PIECE: usize = 256 * 1024;

/// What MLflow calls a file that is not whole yet; such names are its own.
const UNFINISHED: &str = ".artifact.uploading.";

/// Why a file is not written.
const IN_THE_WAY: &str = "another file is there already, in a folder that the server has named and not you; if it may be \
                          replaced, set ST_SERVER_FOLDERS=replace, or else move it away or log under another name";

/// A folder of this machine.
///
/// Nothing in it leads out of it: links are listed nowhere and followed nowhere. The way to the folder itself may lead
/// over links.
#[derive(Clone, Debug)]
pub struct LocalArtifacts {
    root: PathBuf,
    /// What we wrote ourselves, where all else that is there must stay as it is.
    sparing: Option<Written>,
}

/// The files that we put into folders which a server named. They may be replaced: a table that grows is written again.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<Mutex<HashSet<PathBuf>>>);

impl Written {
    fn has(&self, path: &Path) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn add(&self, path: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }
}

impl LocalArtifacts {
    /// A folder, which need not be there yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), sparing: None }
    }

    /// The same, where files that are there already, and not in `written`, are never replaced by others.
    pub(super) fn sparing(self, written: Written) -> Self {
        Self { sparing: Some(written), ..self }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn failed(&self, path: Option<&ArtifactPath>, action: &'static str) -> impl FnOnce(io::Error) -> Error {
        let place = path.map_or_else(|| self.root.clone(), |path| path.under(&self.root));
        let path = path.cloned();
        move |source| match (source.kind(), path) {
            (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, Some(path)) if action == "read" => {
                not_found(&path)
            }
            _ => Error::File { path: place, action, source },
        }
    }
}

/// The refusal that MLflow's server has for a file that is not there.
pub(super) fn not_found(path: &ArtifactPath) -> Error {
    let message = format!("No such artifact: '{path}'");
    Error::api("mlflow-artifacts/artifacts", 404, ErrorCode::ResourceDoesNotExist, message)
}

#[async_trait]
impl ArtifactStore for LocalArtifacts {
    fn location(&self) -> String {
        self.root.display().to_string()
    }

    async fn list(&self, directory: Option<&ArtifactPath>) -> Result<Vec<FileInfo>> {
        let (root, wanted) = (self.root.clone(), directory.cloned());
        let entries = blocking(move || match Confined::open(&root) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            confined => confined?.list(wanted.as_ref()),
        });
        let entries = entries.await.map_err(self.failed(directory, "list"))?;
        let mut infos = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().filter(|entry| !entry.name.starts_with(UNFINISHED)) {
            let refused = |problem: &str| Error::Damaged {
                artifact: self.root.display().to_string(),
                problem: format!("{:?} {problem}", entry.name),
            };
            let name = ArtifactPath::try_new(&*entry.name).map_err(|error| refused(error.problem))?;
            let path = name.below(directory);
            infos.push(match entry.kind {
                Kind::File(size) => FileInfo::file(path, Some(size)),
                Kind::Directory => FileInfo::directory(path),
                Kind::Other => return Err(refused("is a link or a device, which no artifact is")),
            });
        }
        Ok(infos)
    }

    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead> {
        let (root, wanted, offset) = (self.root.clone(), path.clone(), start.offset);
        let opened = blocking(move || {
            let mut file = Confined::open(&root)?.read(&wanted)?;
            let length = file.metadata()?.len();
            io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
            Ok((file, length))
        });
        let (file, length) = opened.await.map_err(self.failed(Some(path), "read"))?;
        let body = ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE);
        Ok(ArtifactRead {
            offset,
            length: Some(length),
            tag: None,
            body: body.map(|piece| piece.map_err(Into::into)).boxed(),
        })
    }

    async fn write(&self, path: &ArtifactPath, file: &LocalFile) -> Result<()> {
        let (root, wanted, source) = (self.root.clone(), path.clone(), file.clone());
        let sparing = self.sparing.clone();
        let written = blocking(move || match &sparing {
            Some(written) => put_sparing(written, &root, &wanted, &source),
            None => put(&root, &wanted, &source),
        });
        written.await.map_err(self.failed(Some(path), "write"))
    }
}

/// Copies a file beside its place and puts it there in one step, so that no reader sees half of it.
fn put(root: &Path, path: &ArtifactPath, source: &LocalFile) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    let confined = Confined::open(root)?;
    let name = ArtifactPath::try_new(format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple()))
        .map_err(io::Error::other)?;
    let draft = name.below(path.parent().as_ref());
    let done = write_draft(&confined, &draft, source).and_then(|()| confined.rename(&draft, path));
    if done.is_err() {
        // The copy's failure is what is reported; a draft that cannot be removed changes nothing about it.
        let _ = confined.remove(&draft);
    }
    done
}

/// [`put`], where a file that we did not write must stay as it is. To find the very same there is as good as to write it.
fn put_sparing(written: &Written, root: &Path, path: &ArtifactPath, source: &LocalFile) -> io::Result<()> {
    let place = path.under(root);
    if !written.has(&place) {
        match Confined::open(root).and_then(|confined| confined.read(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(there) if is_same(&there, source) => return Ok(()),
            // A link, a folder, and what cannot be read, are something else as well.
            _ => return Err(io::Error::new(io::ErrorKind::AlreadyExists, IN_THE_WAY)),
        }
    }
    put(root, path, source)?;
    written.add(place);
    Ok(())
}

fn is_same(there: &File, source: &LocalFile) -> bool {
    let same = || {
        let own = File::open(&source.path)?;
        if there.metadata()?.len() != own.metadata()?.len() {
            return Ok(false);
        }
        let (mut there, mut own) =
            (BufReader::with_capacity(PIECE, there), BufReader::with_capacity(PIECE, own));
        loop {
            let (one, other) = (there.fill_buf()?, own.fill_buf()?);
            let count = one.len().min(other.len());
            if count == 0 || one.get(..count) != other.get(..count) {
                return Ok(one.is_empty() && other.is_empty());
            }
            there.consume(count);
            own.consume(count);
        }
    };
    let same: io::Result<bool> = same();
    same.unwrap_or(false)
}

fn write_draft(confined: &Confined, draft: &ArtifactPath, source: &LocalFile) -> io::Result<()> {
    let mut target = confined.create(draft)?;
    let copied = io::copy(&mut File::open(&source.path)?, &mut target)?;
    if copied != source.length {
        return Err(io::Error::other(format!("it has {copied} bytes and had {} before", source.length)));
    }
    target.sync_data()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::try_new(text).unwrap()
    }

    async fn text_of(store: &LocalArtifacts, file: &str, offset: u64) -> Vec<u8> {
        let read = store.read(&path(file), &ReadStart { offset, tag: None }).await.unwrap();
        read.bytes(100).await.unwrap_or_else(|error| error.to_string().into_bytes())
    }

    #[tokio::test]
    async fn what_is_written_is_listed_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given");
        fs::write(&given, "0123456789").unwrap();
        let store = LocalArtifacts::new(folder.path().join("new/root"));
        assert_eq!(store.list(None).await.unwrap(), []);
        let file = LocalFile { path: given, length: 10 };
        store.write(&path("a/b.txt"), &file).await.unwrap();
        store.write(&path("a/b.txt"), &file).await.unwrap();
        assert_eq!(store.list(None).await.unwrap(), [FileInfo::directory(path("a"))]);
        assert_eq!(store.list(Some(&path("a"))).await.unwrap(), [FileInfo::file(path("a/b.txt"), Some(10))]);
        assert_eq!(store.list(Some(&path("a/b.txt"))).await.unwrap(), []);
        assert_eq!(text_of(&store, "a/b.txt", 0).await, b"0123456789");
        assert_eq!(text_of(&store, "a/b.txt", 7).await, b"789");
    }

    #[tokio::test]
    async fn a_missing_file_is_not_found_in_the_servers_words() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalArtifacts::new(folder.path());
        let error = store.read(&path("a/b"), &ReadStart::default()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "mlflow-artifacts/artifacts: server said 404 RESOURCE_DOES_NOT_EXIST: No such artifact: 'a/b'"
        );
        assert!(error.is_not_found());
    }

    #[tokio::test]
    async fn a_file_that_grew_meanwhile_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given");
        fs::write(&given, "12345").unwrap();
        let root = folder.path().join("root");
        let error = LocalArtifacts::new(&root)
            .write(&path("x"), &LocalFile { path: given, length: 4 })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), format!("{}: cannot write", root.join("x").display()));
        assert_eq!(fs::read_dir(root).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_planted_link_is_an_error_not_a_file() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("config.json")).unwrap();
        let store = LocalArtifacts::new(folder.path());
        let error = store.list(None).await.unwrap_err().to_string();
        let place = folder.path().display();
        assert_eq!(error, format!("{place}: \"config.json\" is a link or a device, which no artifact is"));
        assert!(store.read(&path("config.json"), &ReadStart::default()).await.is_err());
    }
}
