//! Where there are no directory handles: each part of a path is looked at before it is used.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Kind};
use crate::artifacts::ArtifactPath;

/// A folder.
#[derive(Debug)]
pub(in crate::artifacts) struct Confined {
    root: PathBuf,
}

impl Confined {
    /// Opens a folder; the way to it may lead over links, for it is the caller's own.
    pub(in crate::artifacts) fn open(root: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        if root.is_dir() { Ok(Self { root }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// What is in a directory; nothing if it is not there or is no directory.
    pub(in crate::artifacts) fn list(&self, directory: Option<&ArtifactPath>) -> io::Result<Vec<Entry>> {
        let absent = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        let folder = match directory.map(|directory| self.directory(directory)).transpose() {
            Err(error) if absent(&error) => return Ok(Vec::new()),
            folder => folder?,
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder.as_ref().unwrap_or(&self.root))? {
            let entry = entry?;
            let state = entry.path().symlink_metadata()?;
            let name = entry.file_name();
            let kind = match name.to_str() {
                Some(_) if state.is_file() => Kind::File(state.len()),
                Some(_) if state.is_dir() => Kind::Directory,
                _ => Kind::Other,
            };
            entries.push(Entry { name: name.to_string_lossy().into_owned(), kind });
        }
        entries.sort();
        Ok(entries)
    }

    /// Opens a plain file to be read.
    pub(in crate::artifacts) fn read(&self, path: &ArtifactPath) -> io::Result<File> {
        let place = self.place(path)?;
        if place.symlink_metadata()?.is_file() {
            File::open(place)
        } else {
            Err(io::Error::other("it is not a plain file"))
        }
    }

    /// Makes a new file to be written, and the directories above it. It is an error if something is there already.
    pub(in crate::artifacts) fn create(&self, path: &ArtifactPath) -> io::Result<File> {
        if let Some(parent) = path.parent() {
            self.create_directory(&parent)?;
        }
        OpenOptions::new().read(true).write(true).create_new(true).open(self.place(path)?)
    }

    /// Makes a directory and those above it; they may be there already.
    pub(in crate::artifacts) fn create_directory(&self, path: &ArtifactPath) -> io::Result<()> {
        let mut place = self.root.clone();
        for part in path.parts() {
            place.push(part);
            match fs::create_dir(&place) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => plain_directory(&place)?,
            }
        }
        Ok(())
    }

    /// Puts a file in the place of another, in one step.
    pub(in crate::artifacts) fn rename(&self, from: &ArtifactPath, to: &ArtifactPath) -> io::Result<()> {
        fs::rename(self.place(from)?, self.place(to)?)
    }

    /// Removes a file.
    pub(in crate::artifacts) fn remove(&self, path: &ArtifactPath) -> io::Result<()> {
        fs::remove_file(self.place(path)?)
    }

    /// Brings a directory's names to the disk; where there are no handles, the system does that by itself.
    #[expect(clippy::unnecessary_wraps, reason = "with directory handles this can fail")]
    pub(in crate::artifacts) fn sync(&self, _: Option<&ArtifactPath>) -> io::Result<()> {
        let _ = self;
        Ok(())
    }

    fn place(&self, path: &ArtifactPath) -> io::Result<PathBuf> {
        let parent = path.parent().map(|parent| self.directory(&parent)).transpose()?;
        Ok(parent.unwrap_or_else(|| self.root.clone()).join(path.name()))
    }

    fn directory(&self, path: &ArtifactPath) -> io::Result<PathBuf> {
        let mut place = self.root.clone();
        for part in path.parts() {
            place.push(part);
            plain_directory(&place)?;
        }
        Ok(place)
    }
}

fn plain_directory(place: &Path) -> io::Result<()> {
    if place.symlink_metadata()?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}
