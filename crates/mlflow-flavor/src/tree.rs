//! Files and folders: finding them and making them durable.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// Deepest nesting of folders; a link that leads to its own parent ends here.
const MAX_DEPTH: usize = 32;

/// What was found, each under the path that it gets or has in a model: its parts joined with `/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Files, in the order of their names, folder by folder.
    pub(crate) files: Vec<ListedFile>,
    /// Folders, parents first.
    pub(crate) folders: Vec<String>,
}

/// A file that was found.
#[derive(Clone, Debug)]
pub(crate) struct ListedFile {
    pub(crate) path: String,
    pub(crate) place: PathBuf,
    pub(crate) bytes: u64,
}

/// Adds a file or a folder that gets the path `target`; links are followed, entries named in `skip` left out.
pub(crate) fn list(source: &Path, target: &str, skip: &[&str], found: &mut Listing) -> Result<(), Error> {
    list_at(source, target, skip, 0, found)
}

fn list_at(
    source: &Path,
    target: &str,
    skip: &[&str],
    depth: usize,
    found: &mut Listing,
) -> Result<(), Error> {
    let metadata = fs::metadata(source).map_err(Error::io("read", source))?;
    if metadata.is_file() {
        let (path, place) = (target.to_owned(), source.to_owned());
        found.files.push(ListedFile { path, place, bytes: metadata.len() });
        return Ok(());
    }
    if !metadata.is_dir() {
        return Err(Error::SpecialFile { path: source.to_owned() });
    }
    if depth == MAX_DEPTH {
        let problem = format!("is nested deeper than {MAX_DEPTH} folders");
        return Err(Error::ModelFolder { folder: source.to_owned(), problem });
    }
    if !target.is_empty() {
        found.folders.push(target.to_owned());
    }
    for name in names(source)? {
        if skip.contains(&name.as_str()) {
            continue;
        }
        let inside = if target.is_empty() { name.clone() } else { format!("{target}/{name}") };
        list_at(&source.join(&name), &inside, skip, depth + 1, found)?;
    }
    Ok(())
}

/// The entries of a folder in order.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let name = entry.map_err(Error::io("list", folder))?.file_name();
        let name = name.into_string().map_err(|name| Error::ModelFolder {
            folder: folder.to_owned(),
            problem: format!("holds `{}`, whose name is not UTF-8", name.display()),
        })?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}

/// The content of a file that has at most `limit` bytes; none if it is not there.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(Error::io("open", path))?,
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
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
