//! Files and folders: copying, measuring and making durable.

use std::fs::{self, File};
use std::path::Path;

use crate::Error;

/// Deepest nesting of folders; a link that leads to its own parent ends here.
const MAX_DEPTH: usize = 32;

/// Copies a file or a folder to `target`, which must not exist; links are followed, entries named in `skip` left out.
pub(crate) fn copy(source: &Path, target: &Path, skip: &[&str]) -> Result<(), Error> {
    copy_at(source, target, skip, 0)
}

fn copy_at(source: &Path, target: &Path, skip: &[&str], depth: usize) -> Result<(), Error> {
    let metadata = fs::metadata(source).map_err(Error::io("read", source))?;
    if metadata.is_file() {
        return fs::copy(source, target).map(drop).map_err(Error::io("copy", source));
    }
    if !metadata.is_dir() {
        return Err(Error::SpecialFile { path: source.to_owned() });
    }
    if depth == MAX_DEPTH {
        let problem = format!("is nested deeper than {MAX_DEPTH} folders");
        return Err(Error::ModelFolder { folder: source.to_owned(), problem });
    }
    fs::create_dir(target).map_err(Error::io("create", target))?;
    for entry in fs::read_dir(source).map_err(Error::io("list", source))? {
        let name = entry.map_err(Error::io("list", source))?.file_name();
        if !skip.iter().any(|skipped| name == *skipped) {
            copy_at(&source.join(&name), &target.join(&name), skip, depth + 1)?;
        }
    }
    Ok(())
}

/// Size of all files under `folder` in bytes.
pub(crate) fn size(folder: &Path) -> Result<u64, Error> {
    let mut total = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let metadata = fs::metadata(&path).map_err(Error::io("read", &path))?;
        total += if metadata.is_dir() { size(&path)? } else { metadata.len() };
    }
    Ok(total)
}

/// Waits until every file under `folder`, and the folders themselves, are on the disk.
pub(crate) fn sync(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            sync_one(&path)?;
        }
    }
    sync_one(folder)
}

/// Waits until one file, or the entries of one folder, are on the disk.
pub(crate) fn sync_one(path: &Path) -> Result<(), Error> {
    // Only Unix opens folders as files; elsewhere the rename has to do.
    if cfg!(unix) || path.is_file() {
        let file = File::open(path).map_err(Error::io("open", path))?;
        file.sync_all().map_err(Error::io("write", path))?;
    }
    Ok(())
}
