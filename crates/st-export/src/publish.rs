//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// A file under a temporary name beside its place; dropped before it is published, it leaves nothing behind.
pub(crate) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Begins a file in an existing folder.
    pub(crate) fn begin(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = folder.join(name);
        let mut builder = Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix);
        readable_by_all(&mut builder);
        let file = builder.tempfile_in(folder).map_err(|source| Error::io("write", &path, source))?;
        Ok(Self { file, path })
    }

    /// The file, to be written from its start.
    pub(crate) fn file_and_path(&mut self) -> (&mut File, &Path) {
        (self.file.as_file_mut(), &self.path)
    }

    /// Brings what was written to the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.file.as_file().sync_all().map_err(|source| Error::io("write", &self.path, source))
    }

    /// Gives the file its name, which must be free unless `overwrite` says otherwise.
    pub(crate) fn publish(self, overwrite: bool) -> Result<PathBuf, Error> {
        let Self { file, path } = self;
        let result = if overwrite { file.persist(&path) } else { file.persist_noclobber(&path) };
        match result {
            Ok(_) => Ok(path),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Error::Exists { path })
            }
            Err(error) => Err(Error::io("write", &path, error.error)),
        }
    }
}

/// A temporary file is private by default, but this one will be a model like any other.
#[cfg(unix)]
fn readable_by_all(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    // The process's mask takes away what it does not allow.
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable_by_all(_: &mut Builder<'_, '_>) {}

/// Removes a file if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))
}

/// Brings the names in a folder to the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::io("write", folder, source))
}

/// Elsewhere, folders cannot be opened and need not be.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> Result<(), Error> {
    Ok(())
}
