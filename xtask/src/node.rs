//! Azurite in the cache, the server of the tests of Azure's storage: `npm ci` of what `fixtures/azurite` names, under the
//! digest of its lock.
//!
//! Nothing else here needs Node.js, so a machine without it is no failure: the tests of Azure's storage are then shown as
//! ignored, and set-up says what would bring them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup::digest;
use crate::{made, places, process};

/// The list of what is installed, with the digest of each package.
const LOCK: &str = "package-lock.json";

/// What asks for it.
const MANIFEST: &str = "package.json";

/// Azurite runs on this one.
const LEAST_MAJOR: u32 = 20;

/// What becomes of the tests that need Azurite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Azurite {
    /// It lies in the cache.
    Ready,
    /// It cannot be had on this machine.
    Absent,
}

/// Installs Azurite where it is missing and Node.js is there; says so where it is not.
pub(crate) fn ensure_azurite() -> Result<Azurite> {
    let asked = places::workspace().join("fixtures/azurite");
    let lock = asked.join(LOCK);
    let text = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if let Err(problem) = node_and_npm() {
        eprintln!("setup: {problem}: the tests against Azure's storage will be ignored");
        return Ok(Azurite::Absent);
    }
    let digest = digest::of_text(&text);
    let parent = places::cache()?.join("node");
    let folder = parent.join(digest.get(..16).unwrap_or(&digest));
    if !made::is_done(&folder, &text) {
        let _lock = made::only_one(&parent)?;
        // Another task may have made it while this one waited.
        if !made::is_done(&folder, &text) {
            install(&folder, &asked)?;
            made::mark(&folder, &text)?;
        }
    }
    Ok(Azurite::Ready)
}

/// Whether both can be run; what is wrong otherwise.
fn node_and_npm() -> Result<(), String> {
    let version = |program: &str| {
        process::output(Command::new(program).arg("--version"))
            .map_err(|_| format!("{program} is not on the PATH (Node.js {LEAST_MAJOR} or later brings it)"))
    };
    let node = version("node")?;
    version("npm")?;
    match major(&node) {
        Some(major) if major >= LEAST_MAJOR => Ok(()),
        _ => Err(format!("Node.js is {}, and Azurite needs {LEAST_MAJOR} or later", node.trim())),
    }
}

/// The first number of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn install(folder: &Path, asked: &Path) -> Result<()> {
    eprintln!("node: installing Azurite into {} (once, some 120 MB)", folder.display());
    made::clear(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for name in [MANIFEST, LOCK] {
        fs::copy(asked.join(name), folder.join(name))
            .with_context(|| format!("cannot write to {}", folder.display()))?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--omit=dev", "--ignore-scripts"]);
    process::run(npm.args(["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]))
        .context("npm could not install fixtures/azurite")?;
    let program = folder.join("node_modules/azurite/dist/src/blob/main.js");
    if !program.is_file() {
        bail!("npm installed no {}", program.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("20"), None);
    }

    /// What npm writes unasked names the registry of whoever made the lock, and the homes of sponsors.
    #[test]
    fn the_lock_pins_every_package_by_its_digest_and_names_no_host() {
        let text = fs::read_to_string(places::workspace().join("fixtures/azurite").join(LOCK)).unwrap();
        assert!(!text.contains("://") && !text.contains("hasInstallScript"));
        let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let (root, others): (Vec<_>, Vec<_>) = packages.iter().partition(|(name, _)| name.is_empty());
        assert_eq!(root[0].1["dependencies"]["azurite"], "3.33.0");
        assert!(others.len() > 300, "{}", others.len());
        for (name, package) in others {
            assert!(package["integrity"].as_str().is_some_and(|text| text.starts_with("sha512-")), "{name}");
            assert!(package["version"].is_string() && package["resolved"].is_null(), "{name}");
        }
    }
}
