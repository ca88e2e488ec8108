//! Every file below a directory, out of listings that may lie.

use std::collections::BTreeMap;

use super::ArtifactPath;
use super::store::{ArtifactStore, FileInfo};
use crate::{Error, Result};

/// As deep may directories lie in each other; no model has a fifth of it.
const DEEPEST: usize = 64;

/// As many files and directories may a folder have.
const MOST: usize = 200_000;

/// All files below a directory, sorted by path, with their sizes.
///
/// A listing is believed only as far as it makes sense: what it names must lie directly in the directory that was asked
/// for, once, and may not go on for ever.
pub(super) async fn walk(
    store: &dyn ArtifactStore,
    directory: Option<&ArtifactPath>,
) -> Result<BTreeMap<ArtifactPath, Option<u64>>> {
    let mut files = BTreeMap::new();
    let mut to_list = vec![directory.cloned()];
    let mut seen = 0;
    while let Some(directory) = to_list.pop() {
        let lied = |problem: String| Error::Damaged { artifact: place(store, directory.as_ref()), problem };
        let mut infos = store.list(directory.as_ref()).await?;
        seen += infos.len();
        if seen > MOST {
            return Err(lied(format!("the listing has more than {MOST} entries")));
        }
        infos.sort_by(|one, other| one.path.cmp(&other.path));
        for pair in infos.windows(2) {
            if let [one, other] = pair
                && one.path == other.path
            {
                return Err(lied(format!("the listing names {:?} twice", one.path)));
            }
        }
        for info in infos {
            if info.path.parent() != directory {
                return Err(lied(format!("the listing names {:?}, which is not in it", info.path)));
            }
            match info {
                FileInfo { path, is_dir: true, .. } if path.parts().count() > DEEPEST => {
                    return Err(lied(format!("directories lie more than {DEEPEST} deep")));
                }
                FileInfo { path, is_dir: true, .. } => to_list.push(Some(path)),
                FileInfo { path, file_size, .. } => {
                    files.insert(path, file_size);
                }
            }
        }
    }
    Ok(files)
}

/// Where a directory or file of a store is, for messages.
pub(super) fn place(store: &dyn ArtifactStore, path: Option<&ArtifactPath>) -> String {
    match path {
        Some(path) => format!("{}/{path}", store.location()),
        None => store.location(),
    }
}
