//! Python environments in the cache: `python3 -m venv` and pip, under the digest of their requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::setup::digest;
use crate::{made, places, process};

/// One list of requirements in `fixtures/interop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Everything that the comparisons with Python need, torch included.
    Models,
    /// The MLflow server and client of the tests.
    Mlflow,
    /// A server of the series before.
    Mlflow2,
}

impl Environment {
    fn requirements(self) -> &'static str {
        match self {
            Self::Models => "requirements.txt",
            Self::Mlflow => "requirements-mlflow.txt",
            Self::Mlflow2 => "requirements-mlflow-2.txt",
        }
    }

    /// Whether the list names every package there is to install.
    fn is_complete_list(self) -> bool {
        self != Self::Models
    }
}

/// Makes the environments of the servers that tests start, where they are missing.
pub(crate) fn ensure_servers() -> Result<()> {
    [Environment::Mlflow, Environment::Mlflow2]
        .into_iter()
        .try_for_each(|environment| interpreter(environment).map(drop))
}

/// The interpreter of an environment, which is made if needed.
pub(crate) fn interpreter(environment: Environment) -> Result<PathBuf> {
    let requirements = places::workspace().join("fixtures/interop").join(environment.requirements());
    let text = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let version = process::output(Command::new("python3").arg("--version"))
        .context("python3 is not on the PATH; tests compare with the Python packages")?;
    let digest = digest::of_text(&format!("{version}{text}"));
    let parent = places::cache()?.join("python");
    let folder = parent.join(digest.get(..16).unwrap_or(&digest));
    if !made::is_done(&folder, &text) {
        let _lock = made::only_one(&parent)?;
        // Another task may have made it while this one waited.
        if !made::is_done(&folder, &text) {
            make(&folder, environment, &requirements, &text)?;
        }
    }
    Ok(folder.join("bin/python"))
}

/// An environment cannot be renamed after it was made, so it is complete when the mark is there.
fn make(folder: &Path, environment: Environment, requirements: &Path, text: &str) -> Result<()> {
    // The digest is right all the same.
    if !made::is_done_unsaid(folder) {
        install(folder, environment, requirements)?;
    }
    made::mark(folder, text)
}

fn install(folder: &Path, environment: Environment, requirements: &Path) -> Result<()> {
    eprintln!(
        "python: making the environment of {} in {} (once, about a minute; with torch some)",
        environment.requirements(),
        folder.display()
    );
    made::clear(folder)?;
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder))
        .context("python3 cannot make a virtual environment (on Debian: install python3-venv)")?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(environment.is_complete_list().then_some("--no-deps"));
    process::run(pip.arg("--requirement").arg(requirements))
        .with_context(|| format!("pip could not install fixtures/interop/{}", environment.requirements()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_list_pins_every_package_exactly() {
        for environment in [Environment::Mlflow, Environment::Mlflow2] {
            assert!(environment.is_complete_list());
            let path = places::workspace().join("fixtures/interop").join(environment.requirements());
            let text = fs::read_to_string(path).unwrap();
            let packages: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(packages.len() > 40, "{packages:?}");
            assert!(packages.iter().all(|line| line.split_once("==").is_some()), "{packages:?}");
        }
    }
}
