//! How large a folder is.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::Error;

/// What lies below a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Adds up files; links are not followed.
pub(crate) fn size(path: &Path) -> Result<Size, Error> {
    let mut size = Size::default();
    add(path, &mut size).map_err(|source| Error::Read { file: path.display().to_string(), source })?;
    Ok(size)
}

fn add(path: &Path, size: &mut Size) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_dir() {
            add(&entry.path(), size)?;
        } else {
            size.files += 1;
            size.bytes += found.len();
        }
    }
    Ok(())
}
