//! `cargo xtask fixtures`: the files in `fixtures/` are those that `fixtures/manifest.toml` describes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::places;
use crate::setup::digest;

#[derive(Debug, Deserialize)]
struct Manifest {
    file: Vec<Entry>,
}

/// One generated or copied file.
#[derive(Debug, Deserialize)]
struct Entry {
    /// Below `fixtures/`.
    path: String,
    made_by: String,
    sha256: String,
}

/// The command.
pub(crate) fn run(check_only: bool) -> Result<()> {
    if check_only { check() } else { list() }
}

/// Compares every file with its digest.
pub(crate) fn check() -> Result<()> {
    let folder = places::workspace().join("fixtures");
    let manifest = read(&folder)?;
    let problems = problems(&folder, &manifest)?;
    if !problems.is_empty() {
        bail!("{} of {} fixtures differ:\n{}", problems.len(), manifest.file.len(), problems.join("\n"));
    }
    println!("fixtures: {} files are as the manifest says", manifest.file.len());
    Ok(())
}

/// Who made what.
fn list() -> Result<()> {
    let manifest = read(&places::workspace().join("fixtures"))?;
    let mut makers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in &manifest.file {
        makers.entry(&entry.made_by).or_default().push(&entry.path);
    }
    let list: Vec<String> =
        makers.iter().map(|(maker, paths)| format!("{maker}\n    {}\n", paths.join("\n    "))).collect();
    match stdout().write_all(list.concat().as_bytes()) {
        // Whoever reads only the beginning (`| head`) has what they wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write the list"),
    }
}

fn read(folder: &Path) -> Result<Manifest> {
    let path = folder.join("manifest.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

fn problems(folder: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for entry in &manifest.file {
        let path = folder.join(&entry.path);
        if !path.is_file() {
            problems.push(format!("{} is missing ({} makes it)", entry.path, entry.made_by));
        } else if digest::of_file(&path)? != entry.sha256 {
            problems.push(format!("{} was changed ({} makes it)", entry.path, entry.made_by));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_changed_files_are_named_with_their_maker() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.npy"), "abc").unwrap();
        fs::write(folder.path().join("b.npy"), "abd").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let entry = |path: &str| Entry { path: path.into(), made_by: "make.py".into(), sha256: abc.into() };
        let manifest = Manifest { file: vec![entry("a.npy"), entry("b.npy"), entry("c.npy")] };
        let found = problems(folder.path(), &manifest).unwrap();
        assert_eq!(found, ["b.npy was changed (make.py makes it)", "c.npy is missing (make.py makes it)"]);
    }
}
