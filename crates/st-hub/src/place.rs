//! A verified file appears in the snapshot of its commit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::{Error, file};
use crate::repository::{Repository, create_folder_of};

/// Links, or copies, the content with this digest to its place in a snapshot. What stands there is replaced.
pub(crate) fn place(
    repository: &Repository,
    commit: &str,
    path: &str,
    digest: &Digest,
    symlinks: bool,
) -> Result<(), Error> {
    let snapshot = repository.snapshot(commit);
    let target = snapshot.join(path);
    refuse_linked_folders(&snapshot, &target)?;
    create_folder_of(&target)?;
    let link = to_blob(path, digest);
    if symlinks && fs::read_link(&target).is_ok_and(|there| there == link) {
        return Ok(());
    }
    match fs::remove_file(&target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file(target, "replace")(error)),
        _ => {}
    }
    if symlinks && symlink(&link, &target).is_ok() {
        return Ok(());
    }
    // Whoever looks meanwhile sees no file or a whole one.
    let temporary = repository.blob(digest).with_added_extension(format!("{}.copy", std::process::id()));
    fs::copy(repository.blob(digest), &temporary).map_err(file(&temporary, "write"))?;
    fs::rename(&temporary, &target).map_err(file(target, "write"))
}

/// The way from a file of a snapshot to the blobs: Python's `../../blobs/DIGEST`, with a step more for each folder.
fn to_blob(path: &str, digest: &Digest) -> PathBuf {
    let steps = path.split('/').count() + 1;
    let up: PathBuf = std::iter::repeat_n("..", steps).collect();
    up.join("blobs").join(digest.as_str())
}

/// Python makes no links of folders; to write through one would be to write elsewhere.
fn refuse_linked_folders(snapshot: &Path, target: &Path) -> Result<(), Error> {
    let inside = target.ancestors().skip(1).take_while(|folder| folder.starts_with(snapshot));
    for folder in inside {
        if folder.is_symlink() {
            return Err(Error::Escape { link: folder.to_owned() });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Elsewhere links need rights that users mostly do not have.
#[cfg(not(unix))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
