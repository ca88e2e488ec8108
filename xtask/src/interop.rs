//! `cargo xtask interop`: the same models in Python and here, vector by vector.
//!
//! The virtual environment lies in the cache under the digest of its requirements. The scripts in
//! `fixtures/interop` print `N passed, N failed` and learn from variables where things are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::args::InteropArguments;
use crate::setup::digest;
use crate::totals::Totals;
use crate::{binary, places, process, setup};

/// Written last into the environment; without it, the environment is made again.
const DONE: &str = "complete";

/// The command.
pub(crate) fn run(arguments: &InteropArguments) -> Result<()> {
    let mut totals = Totals::default();
    let outcome = all(arguments, &mut totals);
    totals.conclude(outcome)
}

/// Runs every script; `totals` holds what was counted, also when one fails.
pub(crate) fn all(arguments: &InteropArguments, totals: &mut Totals) -> Result<()> {
    setup::ensure(&[])?;
    let python = python()?;
    let st = binary::st(binary::Profile::Dev)?;
    for script in scripts()? {
        let mut command = Command::new(&python);
        command.arg(&script).args(&arguments.filter);
        environment(&mut command, &st)?;
        one(&mut command, totals)?;
    }
    Ok(())
}

fn one(command: &mut Command, totals: &mut Totals) -> Result<()> {
    let seen = process::witness(command.current_dir(places::workspace()))?;
    let mut found = Totals::of_script(&seen.text);
    if !seen.success && found.failed == 0 {
        found.failed = 1;
    }
    *totals = [*totals, found].into_iter().sum();
    if !seen.success || found.failed > 0 {
        bail!("`{}` failed", process::shown(command));
    }
    if found.passed == 0 {
        bail!("`{}` did not say how many checks passed", process::shown(command));
    }
    Ok(())
}

/// What a script may rely on.
pub(crate) fn environment<'a>(command: &'a mut Command, st: &Path) -> Result<&'a mut Command> {
    Ok(command
        .env("ST_BIN", st)
        .env("ST_CACHE", places::cache()?)
        .env("ORT_DYLIB_PATH", places::runtime()?)
        .env("TOKENIZERS_PARALLELISM", "false")
        .env("HF_HUB_OFFLINE", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The checks, in the order of their names; what measures (`bench_…`) or is shared (`_…`) is not among them.
fn scripts() -> Result<Vec<PathBuf>> {
    let folder = places::workspace().join("fixtures/interop");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut scripts: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    scripts.retain(|path| is_check(path));
    scripts.sort();
    if scripts.is_empty() {
        bail!("{} holds no script", folder.display());
    }
    Ok(scripts)
}

fn is_check(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let runs = !name.starts_with("bench_") && !name.starts_with('_');
    runs && name.ends_with(".py")
}

/// The interpreter of the environment, which is made if needed.
pub(crate) fn python() -> Result<PathBuf> {
    let requirements = places::workspace().join("fixtures/interop/requirements.txt");
    let text = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let version = process::output(Command::new("python3").arg("--version"))
        .context("python3 is not on the PATH; interop compares with the Python packages")?;
    let digest = digest::of_text(&format!("{version}{text}"));
    let folder = places::cache()?.join("python").join(digest.get(..16).unwrap_or(&digest));
    if !folder.join(DONE).is_file() {
        make(&folder, &requirements)?;
    }
    Ok(folder.join("bin/python"))
}

/// An environment cannot be renamed after it was made, so it is complete when the mark is there.
fn make(folder: &Path, requirements: &Path) -> Result<()> {
    eprintln!("interop: making a Python environment in {} (once, some minutes)", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder))
        .context("python3 cannot make a virtual environment (on Debian: install python3-venv)")?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::run(pip.arg(requirements)).context("pip could not install fixtures/interop/requirements.txt")?;
    fs::write(folder.join(DONE), "").with_context(|| format!("cannot write to {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_the_python_files_that_neither_measure_nor_are_shared() {
        let check = |name: &str| is_check(&Path::new("fixtures/interop").join(name));
        assert!(check("interop.py"));
        assert!(!check("bench_encode.py"));
        assert!(!check("_checks.py"));
        assert!(!check("requirements.txt"));
    }
}
