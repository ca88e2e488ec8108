//! `cargo xtask interop`: the same models in Python and here, vector by vector.
//!
//! The scripts in `fixtures/interop` print `N passed, N failed` and learn from variables where things are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::args::InteropArguments;
use crate::python::{self, Environment};
use crate::totals::Totals;
use crate::{binary, places, process, setup};

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
    python::interpreter(Environment::Models)
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
