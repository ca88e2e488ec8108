//! The file beside vectors that cannot say themselves where they come from: `x.npy` has `x.npy.json`.
//!
//! Two files cannot appear in one moment. So the second one holds the digest of what is in the first, and whoever reads
//! both notices if one of them is of another time.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use st_model::Provenance;

use super::pending::PendingFile;
use crate::error::Error;

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SideFile {
    /// Where the vectors come from.
    pub(crate) provenance: Provenance,
    /// Which vectors: those of an array without its header, or a whole table.
    pub(crate) content: ContentDigest,
}

/// Size and digest of the content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentDigest {
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
}

/// Content that passes.
#[derive(Default)]
pub(crate) struct Content {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Content {
    /// Adds bytes.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// All that has passed.
    pub(crate) fn digest(&self) -> ContentDigest {
        ContentDigest { bytes: self.bytes, blake3: self.hasher.finalize().to_hex().to_string() }
    }
}

/// Where the file beside `path` lies.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Such a file in the making.
pub(super) struct Side {
    file: PendingFile,
    path: PathBuf,
    force: bool,
    provenance: Option<Provenance>,
    content: Content,
    sealed: bool,
}

impl Side {
    /// Begins the file beside `path`; one that is there already is refused as the vectors themselves would be.
    pub(super) fn begin(path: &Path, force: bool) -> Result<Self, Error> {
        let path = beside(path);
        let file = PendingFile::create(&path, force)?;
        Ok(Self { file, path, force, provenance: None, content: Content::default(), sealed: false })
    }

    pub(super) fn describe(&mut self, provenance: &Provenance) {
        self.provenance = Some(provenance.clone());
    }

    pub(super) fn pass(&mut self, bytes: &[u8]) {
        if !self.sealed {
            self.content.pass(bytes);
        }
    }

    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    pub(super) fn unseal(&mut self, content: Content) {
        (self.content, self.sealed) = (content, false);
    }

    /// Publishes the file and then the vectors; vectors that nobody described come alone.
    pub(super) fn publish_with(self, vectors: PendingFile) -> Result<(), Error> {
        let Self { mut file, path, force, provenance, content, .. } = self;
        let Some(provenance) = provenance else { return vectors.commit() };
        let text = SideFile { provenance, content: content.digest() };
        let written = serde_json::to_writer_pretty(file.writer(), &text).map_err(Into::into);
        let written = written.and_then(|()| file.writer().write_all(b"\n"));
        written.map_err(|source| Error::Write { file: path.display().to_string(), source })?;
        file.commit()?;
        vectors.commit().inspect_err(|_| {
            // It is of vectors that never came. One that was replaced is gone; the digest inside tells.
            if !force {
                let _ = fs::remove_file(&path);
            }
        })
    }
}
