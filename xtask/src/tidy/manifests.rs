//! Every member inherits its version, its lints and its dependencies from the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Findings;

const INHERITED: [&str; 6] = ["version", "edition", "rust-version", "license", "repository", "publish"];
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks every member's `Cargo.toml`.
pub(super) fn check(workspace: &Path, findings: &mut Findings) -> Result<()> {
    for folder in members(workspace)? {
        let manifest = read(&folder)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        findings.problems.extend(
            own_settings(&manifest)
                .into_iter()
                .map(|what| format!("{name}/Cargo.toml: {what} is not inherited from the workspace")),
        );
    }
    Ok(())
}

/// The folders of the members: `crates/*` without the fuzz crate, `xtask` and `benches`.
pub(super) fn members(workspace: &Path) -> Result<Vec<PathBuf>> {
    let crates = workspace.join("crates");
    let entries = fs::read_dir(&crates).with_context(|| format!("cannot list {}", crates.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    folders.retain(|folder| folder.join("Cargo.toml").is_file() && !folder.ends_with("fuzz"));
    folders.sort();
    folders.extend(["xtask", "benches"].map(|name| workspace.join(name)));
    Ok(folders)
}

/// The names of the members.
pub(super) fn member_names(workspace: &Path) -> Result<Vec<String>> {
    let name = |folder: &PathBuf| {
        let manifest = read(folder)?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        name.map(str::to_owned).with_context(|| format!("{} has no name", folder.display()))
    };
    members(workspace)?.iter().map(name).collect()
}

fn read(folder: &Path) -> Result<Table> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is damaged", path.display()))
}

fn own_settings(manifest: &Table) -> Vec<String> {
    let package = manifest.get("package").and_then(Value::as_table);
    let settings = INHERITED.iter().filter(|key| !inherits(package.and_then(|package| package.get(**key))));
    let mut own: Vec<String> = settings.map(|key| format!("package.{key}")).collect();
    if !inherits(manifest.get("lints")) {
        own.push("lints".to_owned());
    }
    for kind in DEPENDENCIES {
        let Some(table) = manifest.get(kind).and_then(Value::as_table) else { continue };
        let names = table.iter().filter(|(_, value)| !inherits(Some(value)));
        own.extend(names.map(|(name, _)| format!("{kind}.{name}")));
    }
    own
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_inherited_is_listed() {
        let manifest = "[package]\nname = 'a'\nversion.workspace = true\nedition.workspace = true\n\
                        rust-version = '1.95'\nlicense.workspace = true\nrepository.workspace = true\n\
                        [lints]\nworkspace = true\n\
                        [dependencies]\nserde = '1'\nndarray = { workspace = true, features = ['rayon'] }\n";
        let own = own_settings(&manifest.parse().unwrap());
        assert_eq!(own, ["package.rust-version", "package.publish", "dependencies.serde"]);
    }
}
