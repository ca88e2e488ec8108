//! A plan becomes a folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::plan::{FileSource, PlannedFile, SavePlan};
use crate::Error;
use crate::digests::{Digests, FileDigest};

impl SavePlan {
    /// Writes all files into the folder `model`, which must not exist, and their digests as the last one.
    ///
    /// Each byte is read once: its digest is made on its way. Nothing is flushed to the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Changed`] if a file is not as it was when the plan was made.
    pub fn write(&self, model: &Path) -> Result<Digests, Error> {
        fs::create_dir(model).map_err(Error::io("create", model))?;
        for folder in self.folders() {
            let folder = model.join(folder);
            fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
        }
        let mut digests = Digests::default();
        for file in self.files() {
            digests.insert(file.path.clone(), write(file, model)?);
        }
        write(&digests.to_file(), model)?;
        Ok(digests)
    }
}

fn write(file: &PlannedFile, model: &Path) -> Result<FileDigest, Error> {
    let path = model.join(&file.path);
    let mut target = File::create_new(&path).map_err(Error::io("create", &path))?;
    let digest = file.read(|piece| target.write_all(piece).map_err(Error::io("write", &path)))?;
    if let FileSource::File(source) = &file.source {
        // Weights that only their owner may read stay so.
        let permissions = fs::metadata(source).map_err(Error::io("read", source))?.permissions();
        fs::set_permissions(&path, permissions).map_err(Error::io("write", &path))?;
    }
    Ok(digest)
}
