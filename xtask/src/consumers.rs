//! The tiny programs under `fixtures/consumers`: each depends on one crate of ours and takes nothing else along.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use toml::Table;

use crate::tidy::edges;
use crate::tidy::rules::{Consumer, Rules};
use crate::totals::Totals;
use crate::{places, process};

/// Builds, runs and inspects every consumer; each is one test.
pub(crate) fn run(totals: &mut Totals) -> Result<()> {
    let workspace = places::workspace();
    let settings = tempfile::Builder::new().suffix(".toml").tempfile()?;
    fs::write(settings.path(), profile(&fs::read_to_string(workspace.join("Cargo.toml"))?)?)?;
    for consumer in Rules::read(&workspace)?.consumer {
        let outcome = check(&workspace, &consumer, settings.path());
        let one =
            Totals { passed: u64::from(outcome.is_ok()), failed: u64::from(outcome.is_err()), ignored: 0 };
        *totals = [*totals, one].into_iter().sum();
        outcome.with_context(|| format!("consumer {}", consumer.folder))?;
        println!("consumer {}: builds alone, runs, brings no {}", consumer.folder, consumer.never.join(", "));
    }
    Ok(())
}

fn check(workspace: &Path, consumer: &Consumer, profile: &Path) -> Result<()> {
    let folder = workspace.join("fixtures/consumers").join(&consumer.folder);
    // The versions of the workspace, so that nothing is compiled in two versions; cargo drops what is not needed.
    let lock = folder.join("Cargo.lock");
    fs::copy(workspace.join("Cargo.lock"), &lock)
        .with_context(|| format!("cannot write {}", lock.display()))?;
    let reached = edges::closure(cargo(&folder, profile).arg("tree"))?;
    if let Some(package) = consumer.never.iter().find(|package| reached.contains(*package)) {
        bail!("its dependencies contain {package} (in {}: cargo tree -i {package})", folder.display());
    }
    // What a program logs or writes goes away with it.
    let place = tempfile::tempdir()?;
    let mut run = cargo(&folder, profile);
    run.current_dir(place.path());
    run.env("MLFLOW_TRACKING_URI", format!("sqlite:///{}", place.path().join("mlflow.db").display()));
    run.args(["run", "--quiet", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    run.arg("--").arg(places::model("all-MiniLM-L6-v2")?);
    process::run(run.env("ORT_DYLIB_PATH", places::runtime()?))
}

/// Cargo in the consumer's workspace, with the build folder and the profile of ours, so that much is built already.
fn cargo(folder: &Path, profile: &Path) -> Command {
    let mut command = process::cargo();
    command.arg("--config").arg(profile);
    command.current_dir(folder).env("CARGO_TARGET_DIR", places::target());
    command
}

/// The development profile of our workspace as a file of settings for cargo.
fn profile(manifest: &str) -> Result<String> {
    let manifest: Table = manifest.parse().context("Cargo.toml is damaged")?;
    let dev = manifest.get("profile").and_then(|profile| profile.get("dev")).cloned();
    let dev = dev.unwrap_or_else(|| toml::Value::from(Table::new()));
    let profile = Table::from_iter([("dev".to_owned(), dev)]);
    let settings = Table::from_iter([("profile".to_owned(), toml::Value::from(profile))]);
    Ok(toml::to_string(&settings)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_development_profile_is_taken() {
        let manifest = "[package]\nname = 'a'\n[profile.dev]\ndebug = 1\n[profile.dev.package.b]\nopt-level = 2\n\
                        [profile.release]\nstrip = true\n";
        assert_eq!(
            profile(manifest).unwrap(),
            "[profile.dev]\ndebug = 1\n\n[profile.dev.package.b]\nopt-level = 2\n"
        );
    }
}
