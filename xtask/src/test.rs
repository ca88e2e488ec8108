//! `cargo xtask test`: set-up, then every test there is, then the consumers and the README.

use std::process::Command;

use anyhow::{Result, bail};

use crate::args::TestArguments;
use crate::node::{self, Azurite};
use crate::process::{self, Witnessed};
use crate::totals::Totals;
use crate::{consumers, python, readme, setup};

/// The command; its last line is the totals.
pub(crate) fn run(arguments: &TestArguments) -> Result<()> {
    let mut totals = Totals::default();
    let outcome = all(arguments, &mut totals);
    if totals.ignored > 0 {
        println!(
            "{} ignored: processes of other tests, which start them, and Azurite's where there is no Node.js",
            totals.ignored
        );
    }
    totals.conclude(outcome)
}

/// All steps; `totals` holds what was counted, also when one fails.
pub(crate) fn all(arguments: &TestArguments, totals: &mut Totals) -> Result<()> {
    setup::ensure(&[])?;
    python::ensure_servers()?;
    let azurite = node::ensure_azurite()?;
    let read = if has_nextest() { Totals::of_nextest } else { Totals::of_libtest };
    count(&mut tests(arguments.live), read, totals)?;
    // Of a run of some tests, the others count as skipped, too.
    let read_some = |text: &str| Totals { ignored: 0, ..read(text) };
    if !arguments.live && azurite == Azurite::Ready {
        let before = totals.passed;
        count(&mut tests_with_azurite(), read_some, totals)?;
        totals.ignored = totals.ignored.saturating_sub(totals.passed - before);
    }
    count(&mut tests_without_features(), read_some, totals)?;
    count(process::cargo().args(["test", "--workspace", "--doc"]), Totals::of_libtest, totals)?;
    consumers::run(totals)?;
    readme::run(totals)
}

/// Unit and integration tests; cargo-nextest runs them side by side where it is installed.
fn tests(live: bool) -> Command {
    let mut command = process::cargo();
    if has_nextest() {
        command.args(["nextest", "run", "--workspace"]);
        command.args(live.then_some(["--run-ignored", "all"]).into_iter().flatten());
    } else {
        command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"]);
        command.args(live.then_some(["--", "--include-ignored"]).into_iter().flatten());
    }
    command
}

/// What needs Azurite. Where that cannot be had, it stays among the ignored.
fn tests_with_azurite() -> Command {
    let mut command = process::cargo();
    if has_nextest() {
        command.args(["nextest", "run", "--workspace", "--run-ignored", "only"]);
        command.args(["-E", "package(mlflow-client) & test(artifacts::)"]);
    } else {
        command.args(["test", "--workspace", "--lib", "--tests", "--", "--ignored", "artifacts::"]);
    }
    command
}

/// What only a build of the client without object stores and signatures has: `st` brings them all into the workspace.
fn tests_without_features() -> Command {
    let mut command = process::cargo();
    let (package, topic) = (["--package", "mlflow-client"], "without_");
    if has_nextest() {
        command.args(["nextest", "run"]).args(package).arg(topic);
    } else {
        command.arg("test").args(package).args(["--lib", "--tests", "--", topic]);
    }
    command
}

fn has_nextest() -> bool {
    process::output(process::cargo().args(["nextest", "--version"])).is_ok()
}

/// A run that fails before it counts anything counts as one failure.
fn count(command: &mut Command, read: impl Fn(&str) -> Totals, totals: &mut Totals) -> Result<()> {
    let Witnessed { success, text } = process::witness(command)?;
    let mut found = read(&text);
    if !success && found.failed == 0 {
        found.failed = 1;
    }
    *totals = [*totals, found].into_iter().sum();
    if !success {
        bail!("`{}` failed", process::shown(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_breaks_off_is_a_failure() {
        let mut totals = Totals { passed: 2, failed: 0, ignored: 0 };
        let error =
            count(Command::new("sh").args(["-c", "exit 1"]), Totals::of_libtest, &mut totals).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c 'exit 1'` failed");
        assert_eq!(totals, Totals { passed: 2, failed: 1, ignored: 0 });
    }
}
