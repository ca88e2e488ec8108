//! Folders out of a store: checked while they are private, visible when they are whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use super::confined::Confined;
use super::progress::{Progress, Silent};
use super::store::ArtifactStore;
use super::{ArtifactPath, Digest, blocking, transfer};
use crate::{Error, Result};

/// Looks at files that have arrived, in a folder that nobody else sees yet.
pub type Inspection = Arc<dyn Fn(&Path, &[DownloadedFile]) -> Result<()> + Send + Sync>;

/// How folders are downloaded.
#[derive(Clone)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// Files that travel at the same time: 8.
    pub parallel: usize,
    /// Bytes that one file may have: 1 TiB. A body without end ends there.
    pub largest_file: u64,
    /// The pause after a body broke for the second time in a row, doubled after each further one, up to 32 times:
    /// 200 milliseconds. After the first there is none, for most breaks are over when they are noticed.
    pub pause: Duration,
    /// Looks at what has arrived before it gets its name; with an error it never does.
    pub inspection: Inspection,
    /// Who hears how far it is.
    pub progress: Arc<dyn Progress>,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            parallel: 8,
            largest_file: 1 << 40,
            pause: Duration::from_millis(200),
            inspection: Arc::new(|_, _| Ok(())),
            progress: Arc::new(Silent),
        }
    }
}

impl fmt::Debug for DownloadOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DownloadOptions")
            .field("parallel", &self.parallel)
            .field("largest_file", &self.largest_file)
            .field("pause", &self.pause)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl DownloadOptions {
    /// Files that travel at the same time; at least one does.
    #[must_use]
    pub fn with_parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel.max(1);
        self
    }

    /// Bytes that one file may have.
    #[must_use]
    pub fn with_largest_file(mut self, bytes: u64) -> Self {
        self.largest_file = bytes;
        self
    }

    /// The pause after a body broke twice in a row.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Looks at what has arrived before it gets its name.
    #[must_use]
    pub fn with_inspection(
        mut self,
        inspection: impl Fn(&Path, &[DownloadedFile]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.inspection = Arc::new(inspection);
        self
    }

    /// Who hears how far it is.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// What was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The folder, or the file where the URI was that of one.
    pub path: PathBuf,
    /// The files, sorted by path.
    pub files: Vec<DownloadedFile>,
}

/// A file that was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadedFile {
    /// Its path below the downloaded folder.
    pub path: ArtifactPath,
    /// Bytes.
    pub size: u64,
    /// The digest of what arrived.
    pub digest: Digest,
}

impl Downloaded {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// A file that is to be downloaded.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Where it is in the store.
    pub(super) source: ArtifactPath,
    /// Where it goes below the destination.
    pub(super) target: ArtifactPath,
    /// What the listing says of its size, in bytes.
    pub(super) size: Option<u64>,
}

/// Downloads files into a folder that is private until it is whole, and becomes `destination` in one step.
///
/// `destination` must not be there, or be an empty folder. Whatever fails, nothing of it is left.
pub(super) async fn download(
    store: &dyn ArtifactStore,
    mut wanted: Vec<Wanted>,
    destination: &Path,
    options: &DownloadOptions,
) -> Result<Vec<DownloadedFile>> {
    let (private, staging) = private_folder(destination).await?;
    let bytes = wanted.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.size?));
    options.progress.begin(wanted.len(), bytes);
    // The largest first, so that none of them is alone at the end.
    wanted.sort_by(|one, other| (other.size, &one.target).cmp(&(one.size, &other.target)));
    let staging = Arc::new(staging);
    let mut files: Vec<DownloadedFile> = futures::stream::iter(wanted)
        .map(|file| transfer::receive(store, file, Arc::clone(&staging), options))
        .buffer_unordered(options.parallel.max(1))
        .try_collect()
        .await?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let (from, to) = (private.path().join(CONTENT), destination.to_owned());
    (options.inspection)(&from, &files)?;
    let directories = directories(&files);
    blocking(move || {
        directories.iter().rev().try_for_each(|directory| staging.sync(Some(directory)))?;
        staging.sync(None)?;
        std::fs::rename(from, &to)?;
        Confined::open(folder_of(&to)).and_then(|folder| folder.sync(None))
    })
    .await
    .map_err(|source| Error::File {
        path: destination.to_owned(),
        action: "put the download there",
        source,
    })?;
    Ok(files)
}

/// The name of the folder inside the private one: it takes the usual permissions, its parent keeps others out meanwhile.
const CONTENT: &str = "content";

/// The folder that something lies in; a bare name lies in the working directory.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder that only we may look into, beside the destination, so that it can be renamed.
async fn private_folder(destination: &Path) -> Result<(tempfile::TempDir, Confined)> {
    let parent = folder_of(destination).to_owned();
    let shown = parent.clone();
    blocking(move || {
        std::fs::create_dir_all(&parent)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".download-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let private = builder.tempdir_in(&parent)?;
        let content = private.path().join(CONTENT);
        std::fs::create_dir(&content)?;
        let staging = Confined::open(&content)?;
        Ok((private, staging))
    })
    .await
    .map_err(|source| Error::File { path: shown, action: "make a folder in", source })
}

/// The directories of files, each before what is in it.
fn directories(files: &[DownloadedFile]) -> Vec<ArtifactPath> {
    let mut directories = std::collections::BTreeSet::new();
    for file in files {
        let mut parent = file.path.parent();
        while let Some(directory) = parent {
            parent = directory.parent();
            directories.insert(directory);
        }
    }
    directories.into_iter().collect()
}
