//! Folders into a store, and whether they have arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use super::confined::{Confined, Kind};
use super::progress::{Progress, Silent};
use super::store::{ArtifactStore, FileInfo, LocalFile};
use super::walk::place;
use super::{ArtifactPath, blocking};
use crate::{Error, Result};

/// How folders are uploaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadOptions {
    /// Files that travel at the same time: 4. A server of MLflow has as many workers.
    pub parallel: usize,
    /// Whether the store is asked afterwards how large the files are there: yes.
    pub verify: bool,
    /// Who hears how far it is. Of a file it hears when all of it has arrived.
    pub progress: Arc<dyn Progress>,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self { parallel: 4, verify: true, progress: Arc::new(Silent) }
    }
}

impl UploadOptions {
    /// Files that travel at the same time; at least one does.
    #[must_use]
    pub fn with_parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel.max(1);
        self
    }

    /// Whether the store is asked afterwards how large the files are there.
    #[must_use]
    pub fn with_verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Who hears how far it is.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// What was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// The files by path, with their bytes.
    pub files: BTreeMap<ArtifactPath, u64>,
}

impl Uploaded {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.values().sum()
    }
}

/// Uploads all files of a folder; those of a store that have other names stay.
pub(super) async fn upload(
    store: &dyn ArtifactStore,
    folder: &Path,
    options: &UploadOptions,
) -> Result<Uploaded> {
    let files = files_of(folder).await?.into_iter().map(|(path, length)| {
        let place = path.under(folder);
        (path, LocalFile { path: place, length })
    });
    send(store, files.collect(), options).await
}

/// Uploads one file under its own name.
pub(super) async fn upload_file(
    store: &dyn ArtifactStore,
    file: &Path,
    directory: Option<&ArtifactPath>,
    options: &UploadOptions,
) -> Result<Uploaded> {
    let failed = |source| Error::File { path: file.to_owned(), action: "upload", source };
    let name = file.file_name().unwrap_or_default();
    let name =
        ArtifactPath::from_local(Path::new(name)).map_err(|error| failed(std::io::Error::other(error)))?;
    let length = tokio::fs::metadata(file).await.map_err(failed)?.len();
    let path = name.below(directory);
    store.write(&path, &LocalFile { path: file.to_owned(), length }).await?;
    let files = BTreeMap::from([(path, length)]);
    if options.verify {
        verify(store, &files, options.parallel).await?;
    }
    Ok(Uploaded { files })
}

/// Uploads files, wherever each of them lies.
pub(super) async fn send(
    store: &dyn ArtifactStore,
    files: BTreeMap<ArtifactPath, LocalFile>,
    options: &UploadOptions,
) -> Result<Uploaded> {
    options.progress.begin(files.len(), Some(files.values().map(|file| file.length).sum()));
    // The largest first, so that none of them is alone at the end.
    let mut order: Vec<_> = files.iter().collect();
    order.sort_by(|one, other| other.1.length.cmp(&one.1.length).then(one.0.cmp(other.0)));
    futures::stream::iter(order)
        .map(Ok)
        .try_for_each_concurrent(options.parallel.max(1), |(path, file)| async move {
            store.write(path, file).await?;
            options.progress.advance(i64::try_from(file.length).unwrap_or(i64::MAX));
            options.progress.finished(path);
            Ok::<(), Error>(())
        })
        .await?;
    let files = files.into_iter().map(|(path, file)| (path, file.length)).collect();
    if options.verify {
        verify(store, &files, options.parallel).await?;
    }
    Ok(Uploaded { files })
}

/// All files of a folder with their bytes. A link in it may lead anywhere, so it is an error, and not what it leads to.
async fn files_of(folder: &Path) -> Result<BTreeMap<ArtifactPath, u64>> {
    let root = folder.to_owned();
    let listed = blocking(move || {
        let confined = Confined::open(&root)?;
        let (mut files, mut to_list) = (BTreeMap::new(), vec![None]);
        while let Some(directory) = to_list.pop() {
            for entry in confined.list(directory.as_ref())? {
                let path = ArtifactPath::try_new(entry.name)
                    .map_err(std::io::Error::other)?
                    .below(directory.as_ref());
                match entry.kind {
                    Kind::File(length) => drop(files.insert(path, length)),
                    Kind::Directory => to_list.push(Some(path)),
                    Kind::Other => {
                        let problem = format!("{path} is a link or a device, which is not uploaded");
                        return Err(std::io::Error::other(problem));
                    }
                }
            }
        }
        Ok(files)
    });
    listed.await.map_err(|source| Error::File {
        path: folder.to_owned(),
        action: "list all files of",
        source,
    })
}

/// Asks the store how large the files are that it has now, `parallel` folders at a time.
async fn verify(
    store: &dyn ArtifactStore,
    files: &BTreeMap<ArtifactPath, u64>,
    parallel: usize,
) -> Result<()> {
    let directories: BTreeSet<Option<ArtifactPath>> = files.keys().map(ArtifactPath::parent).collect();
    let listed = futures::stream::iter(directories)
        .map(|directory| async move { store.list(directory.as_ref()).await })
        .buffer_unordered(parallel.max(1));
    let listed: Vec<Vec<FileInfo>> = listed.try_collect().await?;
    let infos = listed.into_iter().flatten().filter(|info| !info.is_dir);
    let there: BTreeMap<_, _> = infos.map(|info| (info.path, info.file_size)).collect();
    for (path, length) in files {
        let problem = match there.get(path) {
            None => "it was uploaded, but is not there".to_owned(),
            Some(Some(size)) if size != length => {
                format!("{length} bytes were uploaded, but {size} are there")
            }
            Some(_) => continue,
        };
        return Err(Error::Damaged { artifact: place(store, Some(path)), problem });
    }
    Ok(())
}
