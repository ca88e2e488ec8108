//! Graphs that were exported once and are found again by the digest of what they were made of.
//!
//! An entry is the folder `<digest>` with `model.onnx`, `model.onnx_data` and `entry.json`, which records
//! size and digest of the other two. An entry that no longer fits its record is exported again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::Builder;

use crate::architectures::Architecture;
use crate::checkpoint::WeightFiles;
use crate::digest::{digest_file, joined};
use crate::export::{MODEL, WEIGHTS};
use crate::json::read_json;
use crate::publish::{Draft, create_folder, sync_folder};
use crate::{Error, ExportOptions, Head, Quantization, WeightPlacement, export};

/// How a graph came out of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// It was there, and every byte is what was written.
    Hit,
    /// It was not there and has been exported.
    Built,
    /// It was there but damaged, and has been exported again.
    Rebuilt,
}

/// A graph in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedGraph {
    /// `model.onnx`; its weights lie in `model.onnx_data` beside it.
    pub path: PathBuf,
    /// Whether it was found or had to be made.
    pub state: CacheState,
    /// Hexadecimal digest of weights, configuration, head, quantisation and exporter: the name of the cache entry.
    pub digest: String,
    /// The same as [`weights_digest`](crate::weights_digest), which need not be asked again.
    pub weights_digest: String,
}

/// A folder of exported graphs that any number of processes may share.
#[derive(Clone, Debug)]
pub struct GraphCache {
    root: PathBuf,
}

impl GraphCache {
    /// A cache in `root`, which is created when the first graph is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Finds the graph of the transformer in `folder` under `head` in those numbers, or exports it.
    ///
    /// Every byte of the weights is hashed to find the entry, and every byte of the entry to trust it; both
    /// run at the speed of memory. Several processes may ask at once: each writes to a folder of its own, one
    /// rename wins, and the others use what won.
    ///
    /// # Errors
    ///
    /// Everything that [`export()`](crate::export()) can fail with, and [`Error::Io`] for the cache itself.
    pub fn get_or_export(
        &self,
        folder: &Path,
        head: Option<&Head>,
        quantization: Quantization,
    ) -> Result<CachedGraph, Error> {
        let (digest, weights_digest) = digest(folder, head, quantization)?;
        let entry = self.root.join(&digest);
        let state = match examine(&entry) {
            Condition::Sound => CacheState::Hit,
            Condition::Absent => CacheState::Built,
            Condition::Damaged => CacheState::Rebuilt,
        };
        if state != CacheState::Hit {
            let options = ExportOptions::default()
                .with_weights(WeightPlacement::External)
                .with_quantization(quantization);
            self.build(folder, head, options, &entry)?;
        }
        Ok(CachedGraph { path: entry.join(MODEL), state, digest, weights_digest })
    }

    /// Exports into a folder of our own and gives it the name of the entry.
    fn build(
        &self,
        folder: &Path,
        head: Option<&Head>,
        options: ExportOptions,
        entry: &Path,
    ) -> Result<(), Error> {
        create_folder(&self.root)?;
        self.sweep();
        let failed = |source| Error::io("write", &self.root, source);
        let draft = Builder::new().prefix(DRAFT).tempdir_in(&self.root).map_err(failed)?;
        export(folder, head, draft.path(), &options)?;
        Record::of(draft.path())?.write(draft.path())?;
        for _ in 0..ATTEMPTS {
            if fs::rename(draft.path(), entry).is_ok() {
                // What was renamed is no longer there to be cleaned up.
                let _ = draft.keep();
                return sync_folder(&self.root);
            }
            match examine(entry) {
                Condition::Sound => return Ok(()),
                Condition::Damaged => self.move_aside(entry)?,
                Condition::Absent => {}
            }
        }
        fs::rename(draft.path(), entry).map_err(|source| Error::io("write", entry, source))
    }

    /// Takes a damaged entry out of the way and deletes it; another process may have done so already.
    fn move_aside(&self, entry: &Path) -> Result<(), Error> {
        let failed = |source| Error::io("write", &self.root, source);
        let aside = Builder::new().prefix(DRAFT).tempdir_in(&self.root).map_err(failed)?;
        match fs::rename(entry, aside.path().join("damaged")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", entry, error)),
            _ => Ok(()),
        }
    }

    /// Deletes what interrupted processes left behind; failing to is no reason not to go on.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let left_behind = entry.file_name().to_string_lossy().starts_with(DRAFT);
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|time| time.elapsed().ok());
            if left_behind && age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Raise it whenever the graph that is written for the same checkpoint changes, so that no cache serves the
/// old one.
const EXPORTER_VERSION: u32 = 4;
/// The same for what quantisation makes of that graph, so that a better one leaves the float graphs alone.
const QUANTIZER_VERSION: u32 = 1;
/// How folders start that are not finished.
const DRAFT: &str = ".draft-";
/// Age at which an unfinished folder belongs to no living process.
const ABANDONED: Duration = Duration::from_hours(24);
/// How often a rename is tried while other processes rename, too.
const ATTEMPTS: usize = 4;
/// Name of the record of an entry.
const RECORD: &str = "entry.json";

/// The name of a cache entry, a digest of all that its graph depends on; and the digest of the weights alone.
fn digest(folder: &Path, head: Option<&Head>, quantization: Quantization) -> Result<(String, String), Error> {
    let architecture = Architecture::read(folder)?;
    let mut hasher = blake3::Hasher::new();
    let settings = head.map(Head::settings).unwrap_or_default();
    let recipe = format!("st-export {EXPORTER_VERSION}\n{}\n{settings}\n", architecture.settings());
    hasher.update(recipe.as_bytes());
    if quantization == Quantization::Int8 {
        hasher.update(format!("int8 {QUANTIZER_VERSION}\n").as_bytes());
    }
    let mut weights = Vec::new();
    for path in WeightFiles::find(folder)?.paths {
        let (digest, _) = digest_file(&path)?;
        hasher.update(digest.as_bytes());
        weights.push(digest);
    }
    for module in head.into_iter().flat_map(Head::modules) {
        for path in WeightFiles::find(&module.folder)?.paths {
            hasher.update(digest_file(&path)?.0.as_bytes());
        }
    }
    Ok((hasher.finalize().to_hex().to_string(), joined(&weights)))
}

/// What is known of an entry's files: enough to notice any change.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    files: Vec<FileRecord>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileRecord {
    name: String,
    bytes: u64,
    /// The digest that `b3sum` prints.
    blake3: String,
}

impl Record {
    /// Describes the files of an entry as they are.
    fn of(entry: &Path) -> Result<Self, Error> {
        let describe = |name: &str| {
            let (digest, bytes) = digest_file(&entry.join(name))?;
            Ok(FileRecord { name: name.to_owned(), bytes, blake3: digest.to_hex().to_string() })
        };
        Ok(Self { files: [MODEL, WEIGHTS].into_iter().map(describe).collect::<Result<_, Error>>()? })
    }

    fn write(&self, entry: &Path) -> Result<(), Error> {
        let mut draft = Draft::begin(entry, RECORD)?;
        let (file, path) = draft.file_and_path();
        serde_json::to_writer_pretty(&mut *file, self)
            .map_err(|error| Error::io("write", path, error.into()))?;
        draft.sync()?;
        draft.publish(false)?;
        sync_folder(entry)
    }

    /// Whether the files have the recorded sizes; asked first, because it costs nothing.
    fn sizes_fit(&self, entry: &Path) -> bool {
        self.files
            .iter()
            .all(|file| entry.join(&file.name).metadata().is_ok_and(|metadata| metadata.len() == file.bytes))
    }
}

/// What an entry is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Absent,
    Sound,
    Damaged,
}

/// Compares an entry with its record, byte by byte.
fn examine(entry: &Path) -> Condition {
    if entry.symlink_metadata().is_err() {
        return Condition::Absent;
    }
    let sound = read_json::<Record>(&entry.join(RECORD))
        .is_ok_and(|record| record.sizes_fit(entry) && Record::of(entry).is_ok_and(|found| found == record));
    if sound { Condition::Sound } else { Condition::Damaged }
}
