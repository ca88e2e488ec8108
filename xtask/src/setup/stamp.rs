//! What makes "all is there" cheap: a stamp with sizes and times of the files that were once checked by digest.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::digest;
use super::packages::{Package, PackageFile};

/// One checked file, as the disk described it then.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    path: String,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    sha256: String,
}

/// Why a package has to be fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It never was.
    Absent,
    /// A sentence about the first file that is not as it should be.
    Damaged(String),
}

/// Whether every file has the size, the time and the expected digest of the stamp; a glance, nothing is read.
pub(super) fn is_current(cache: &Path, package: &Package) -> bool {
    let Ok(text) = fs::read_to_string(stamp_path(cache, package)) else { return false };
    let Ok(stamped) = serde_json::from_str::<Vec<Seen>>(&text) else { return false };
    let folder = cache.join(&package.folder);
    let now: Option<Vec<Seen>> = package.files.iter().map(|file| look(&folder, file)).collect();
    now.is_some_and(|now| now == stamped)
}

/// Reads every file. None: all is right, and the stamp is renewed. Otherwise what is wrong.
pub(super) fn verify(cache: &Path, package: &Package) -> Result<Option<Problem>> {
    let folder = cache.join(&package.folder);
    for file in &package.files {
        if let Some(problem) = problem(&folder, file)? {
            return Ok(Some(problem));
        }
    }
    write(cache, package)?;
    Ok(None)
}

/// Records the files as they lie there now; the caller has just checked them.
pub(super) fn write(cache: &Path, package: &Package) -> Result<()> {
    let folder = cache.join(&package.folder);
    let seen: Option<Vec<Seen>> = package.files.iter().map(|file| look(&folder, file)).collect();
    let seen = seen.with_context(|| format!("files vanished from {}", folder.display()))?;
    let path = stamp_path(cache, package);
    let parent = path.parent().unwrap_or(cache);
    let text = serde_json::to_string_pretty(&seen)?;
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn problem(folder: &Path, file: &PackageFile) -> Result<Option<Problem>> {
    let path = folder.join(&file.path);
    if !folder.exists() {
        return Ok(Some(Problem::Absent));
    }
    let Ok(data) = fs::metadata(&path) else {
        return Ok(Some(Problem::Damaged(format!("{} is missing", file.path))));
    };
    let same = data.len() == file.bytes && digest::of_file(&path)? == file.sha256;
    Ok((!same).then(|| Problem::Damaged(format!("{} was changed", file.path))))
}

fn look(folder: &Path, file: &PackageFile) -> Option<Seen> {
    let data = fs::metadata(folder.join(&file.path)).ok()?;
    let age = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let modified = u64::try_from(age.as_nanos()).ok()?;
    Some(Seen { path: file.path.clone(), bytes: data.len(), modified, sha256: file.sha256.clone() })
}

fn stamp_path(cache: &Path, package: &Package) -> PathBuf {
    cache.join("stamps").join(format!("{}.json", package.name))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn installed() -> (tempfile::TempDir, Package, PathBuf) {
        let cache = tempfile::tempdir().unwrap();
        let text = format!(
            "name = 'toy'\nwhat = 'a toy'\nlicence = 'MIT'\nfolder = 'toy'\nrequirement = 'toy==1'\nwheel = 'w'\n\
             wheel_bytes = 3\nwheel_sha256 = ''\ninside = 'toy/'\n\
             files = [{{ path = 'model', bytes = 3, sha256 = '{ABC}' }}]"
        );
        let package: Package = toml::from_str(&text).unwrap();
        let path = cache.path().join("toy/model");
        fs::create_dir_all(cache.path().join("toy")).unwrap();
        fs::write(&path, "abc").unwrap();
        (cache, package, path)
    }

    #[track_caller]
    fn check_problem(cache: &Path, package: &Package, expected: Option<Problem>) {
        assert!(!is_current(cache, package), "the glance missed it");
        assert_eq!(verify(cache, package).unwrap(), expected);
    }

    #[test]
    fn right_files_without_a_stamp_are_adopted() {
        let (cache, package, _) = installed();
        check_problem(cache.path(), &package, None);
        assert!(is_current(cache.path(), &package));
    }

    #[test]
    fn missing_shorter_and_touched_files_are_noticed() {
        let (cache, package, path) = installed();
        write(cache.path(), &package).unwrap();
        fs::write(&path, "ab").unwrap();
        check_problem(cache.path(), &package, Some(Problem::Damaged("model was changed".to_owned())));
        fs::write(&path, "abd").unwrap();
        check_problem(cache.path(), &package, Some(Problem::Damaged("model was changed".to_owned())));
        fs::remove_file(&path).unwrap();
        check_problem(cache.path(), &package, Some(Problem::Damaged("model is missing".to_owned())));
        fs::remove_dir(cache.path().join("toy")).unwrap();
        check_problem(cache.path(), &package, Some(Problem::Absent));
    }

    #[test]
    fn a_copy_of_the_same_bytes_is_adopted_after_one_look_inside() {
        let (cache, package, path) = installed();
        write(cache.path(), &package).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        check_problem(cache.path(), &package, None);
        assert!(is_current(cache.path(), &package));
    }
}
