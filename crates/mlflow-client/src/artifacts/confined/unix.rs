//! Directory handles: `openat` without following links.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::{Entry, Kind};
use crate::artifacts::ArtifactPath;

/// A folder, open.
#[derive(Debug)]
pub(in crate::artifacts) struct Confined {
    root: OwnedFd,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Confined {
    /// Opens a folder; the way to it may lead over links, for it is the caller's own.
    pub(in crate::artifacts) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: openat(CWD, root, flags, Mode::empty())? })
    }

    /// What is in a directory; nothing if it is not there or is no directory.
    pub(in crate::artifacts) fn list(&self, directory: Option<&ArtifactPath>) -> io::Result<Vec<Entry>> {
        let opened = match directory.map(|directory| self.directory(directory.parts())).transpose() {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            opened => opened?,
        };
        let handle = opened.as_ref().unwrap_or(&self.root).as_fd();
        let mut entries = Vec::new();
        for entry in Dir::read_from(handle)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let state = statat(handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = match (FileType::from_raw_mode(state.st_mode), name.to_str()) {
                (FileType::RegularFile, Ok(_)) => {
                    Kind::File(u64::try_from(state.st_size).unwrap_or_default())
                }
                (FileType::Directory, Ok(_)) => Kind::Directory,
                _ => Kind::Other,
            };
            entries.push(Entry { name: name.to_string_lossy().into_owned(), kind });
        }
        entries.sort();
        Ok(entries)
    }

    /// Opens a plain file to be read.
    pub(in crate::artifacts) fn read(&self, path: &ArtifactPath) -> io::Result<File> {
        let parent = self.parent(path)?;
        // A pipe would block the opening without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(parent.as_ref().unwrap_or(&self.root), path.name(), flags, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::RegularFile {
            Ok(File::from(file))
        } else {
            Err(io::Error::other("it is not a plain file"))
        }
    }

    /// Makes a new file to be written, and the directories above it. It is an error if something is there already.
    pub(in crate::artifacts) fn create(&self, path: &ArtifactPath) -> io::Result<File> {
        if let Some(parent) = path.parent() {
            self.create_directory(&parent)?;
        }
        let parent = self.parent(path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(File::from(openat(parent.as_ref().unwrap_or(&self.root), path.name(), flags, mode)?))
    }

    /// Makes a directory and those above it; they may be there already.
    pub(in crate::artifacts) fn create_directory(&self, path: &ArtifactPath) -> io::Result<()> {
        let mut handle: Option<OwnedFd> = None;
        for part in path.parts() {
            let above = handle.as_ref().unwrap_or(&self.root);
            match mkdirat(above, part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            handle = Some(openat(above, part, DIRECTORY, Mode::empty())?);
        }
        Ok(())
    }

    /// Puts a file in the place of another, in one step.
    pub(in crate::artifacts) fn rename(&self, from: &ArtifactPath, to: &ArtifactPath) -> io::Result<()> {
        let (from_parent, to_parent) = (self.parent(from)?, self.parent(to)?);
        let (from_parent, to_parent) =
            (from_parent.as_ref().unwrap_or(&self.root), to_parent.as_ref().unwrap_or(&self.root));
        Ok(renameat(from_parent, from.name(), to_parent, to.name())?)
    }

    /// Removes a file.
    pub(in crate::artifacts) fn remove(&self, path: &ArtifactPath) -> io::Result<()> {
        let parent = self.parent(path)?;
        Ok(unlinkat(parent.as_ref().unwrap_or(&self.root), path.name(), AtFlags::empty())?)
    }

    /// Brings a directory's names to the disk.
    pub(in crate::artifacts) fn sync(&self, directory: Option<&ArtifactPath>) -> io::Result<()> {
        let opened = directory.map(|directory| self.directory(directory.parts())).transpose()?;
        Ok(rustix::fs::fsync(opened.as_ref().unwrap_or(&self.root))?)
    }

    fn parent(&self, path: &ArtifactPath) -> io::Result<Option<OwnedFd>> {
        Ok(path.parent().map(|parent| self.directory(parent.parts())).transpose()?)
    }

    fn directory<'a>(&self, parts: impl Iterator<Item = &'a str>) -> Result<OwnedFd, Errno> {
        let mut handle: Option<OwnedFd> = None;
        for part in parts {
            let above = handle.as_ref().unwrap_or(&self.root);
            handle = Some(openat(above, part, DIRECTORY, Mode::empty())?);
        }
        handle.ok_or(Errno::INVAL)
    }
}
