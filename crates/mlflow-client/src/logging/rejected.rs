//! The file of entries that the store refused, beside a spool file: a line of JSON each.
//!
//! It is read by people and their scripts, so that it holds nothing but whole lines, each refusal once. The spool file
//! notes how long it was before a line is added ([`Record::Rejecting`](super::record::Record)); until that entry is noted
//! as settled, too, the line counts for nothing and is undone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::Rejection;
use super::spool_file::failure;
use super::step::{append, step};
use crate::Result;

/// Where the refused entries of a spool file are kept.
fn path_beside(spool: &Path) -> PathBuf {
    spool.with_extension("rejected")
}

/// How many bytes of refusals there are.
pub(super) fn length(spool: &Path) -> Result<u64> {
    let path = path_beside(spool);
    match fs::metadata(&path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(failure(&path, "read", source)),
    }
}

/// Adds a refusal.
pub(super) fn add(spool: &Path, rejection: &Rejection) -> Result<()> {
    let path = path_beside(spool);
    let failed = |source| failure(&path, "write", source);
    let mut line = serde_json::to_vec(rejection).map_err(|source| failed(source.into()))?;
    line.push(b'\n');
    let file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
    step();
    append(&file, &line).map_err(failed)?;
    // A file that is replayed does not say what its entries were to survive, and refusals are few.
    file.sync_data().map_err(failed)?;
    step();
    Ok(())
}

/// Cuts the file back to what it was before the last refusal.
pub(super) fn undo(spool: &Path, length_before: u64) -> Result<()> {
    let path = path_beside(spool);
    let failed = |source| failure(&path, "cut", source);
    // Somebody may have taken the file away in between: then there is nothing to undo.
    if length(spool)? <= length_before {
        return Ok(());
    }
    step();
    let undone = match length_before {
        0 => fs::remove_file(&path),
        _ => File::options().write(true).open(&path).and_then(|file| file.set_len(length_before)),
    };
    undone.map_err(failed)?;
    step();
    Ok(())
}
