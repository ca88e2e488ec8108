//! A snapshot against the digests that its blobs are named by.

use std::fs;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::error::{Error, file};
use crate::hub::Snapshot;

impl Snapshot {
    /// Reads every file and compares it with its digest. [`Hub::snapshot`](crate::Hub::snapshot) does that with what it
    /// fetches, and trusts what is in the cache.
    ///
    /// # Errors
    /// [`Error::Digest`] for a file that has changed, [`Error::Unverifiable`] for a copy, which has no digest, and
    /// [`Error::File`] for what cannot be read.
    pub fn verify(&self) -> Result<(), Error> {
        let mut open = vec![(self.folder.clone(), String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for entry in fs::read_dir(&folder).map_err(file(&folder, "list"))? {
                let entry = entry.map_err(file(&folder, "list"))?;
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.file_type().map_err(file(entry.path(), "look at"))?.is_dir() {
                    open.push((entry.path(), format!("{path}/")));
                } else {
                    self.verify_file(&entry.path(), path)?;
                }
            }
        }
        Ok(())
    }

    fn verify_file(&self, link: &PathBuf, path: String) -> Result<(), Error> {
        let repository = self.name.repository().to_owned();
        let blob = fs::read_link(link).ok();
        let expected = blob.as_ref().and_then(|blob| Digest::parse(blob.file_name()?.to_str()?));
        let Some(expected) = expected else { return Err(Error::Unverifiable { repository, file: path }) };
        let found = expected.of_file(link).map_err(file(link, "read"))?;
        if found == expected {
            return Ok(());
        }
        let (algorithm, expected, found) = (expected.algorithm(), expected.to_string(), found.to_string());
        Err(Error::Digest { repository, file: path, algorithm, expected, found })
    }
}
