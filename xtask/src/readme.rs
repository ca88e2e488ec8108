//! The README works as pasted: its shell lines are run, its Rust is the consumer of the façade.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::binary::{self, Profile};
use crate::totals::Totals;
use crate::{places, process};

/// The remark before a block that is tested.
const SHELL: &str = "<!-- tested: shell -->";
const RUST: [&str; 2] = ["fixtures/consumers/facade/src/main.rs", "fixtures/consumers/runs/src/main.rs"];

/// The lines for a shell and the programs; each kind is one test.
pub(crate) fn run(totals: &mut Totals) -> Result<()> {
    let readme = fs::read_to_string(places::workspace().join("README.md")).context("README.md")?;
    for (name, outcome) in [("shell", shell(&readme)), ("rust", rust(&readme))] {
        let one =
            Totals { passed: u64::from(outcome.is_ok()), failed: u64::from(outcome.is_err()), ignored: 0 };
        *totals = [*totals, one].into_iter().sum();
        outcome.with_context(|| format!("the {name} blocks of README.md"))?;
        println!("README.md: the {name} blocks work as pasted");
    }
    Ok(())
}

/// Runs the lines in a folder that looks like the checkout, so that what they write goes away with it.
fn shell(readme: &str) -> Result<()> {
    let lines = blocks(readme, SHELL)?.concat();
    let folder = tempfile::tempdir()?;
    let programs = folder.path().join("target/release");
    fs::create_dir_all(&programs)?;
    symlink(binary::st(Profile::Dev)?, programs.join("st"))?;
    symlink(places::workspace().join("fixtures"), folder.path().join("fixtures"))?;
    let mut script = script(&lines, folder.path());
    script.env("XDG_STATE_HOME", folder.path().join("state"));
    process::run(script.env("ORT_DYLIB_PATH", places::runtime()?))
}

fn script(lines: &str, folder: &Path) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", lines]).current_dir(folder);
    shell
}

/// The programs are compiled and run as consumers; here each only has to be the same text.
fn rust(readme: &str) -> Result<()> {
    for place in RUST {
        let path = places::workspace().join(place);
        let program = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if blocks(readme, &format!("<!-- tested: {place} -->"))?.concat() != program {
            bail!("it differs from {}", path.display());
        }
    }
    Ok(())
}

/// The fenced blocks behind a remark, each time that it occurs.
fn blocks(readme: &str, remark: &str) -> Result<Vec<String>> {
    let blocks: Vec<String> = readme.split(remark).skip(1).map(block).collect::<Result<_>>()?;
    if blocks.is_empty() {
        bail!("there is no {remark}");
    }
    Ok(blocks)
}

/// The first fenced block.
fn block(rest: &str) -> Result<String> {
    let (_, rest) = rest.split_once("```").context("no block begins behind it")?;
    let (_, rest) = rest.split_once('\n').context("the block is empty")?;
    let (text, _) = rest.split_once("```").context("the block does not end")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_what_stands_between_the_fences() {
        let readme = "a\n<!-- tested: shell -->\n```sh\nst doctor\necho\n```\nb";
        assert_eq!(blocks(readme, SHELL).unwrap(), ["st doctor\necho\n"]);
        assert_eq!(blocks(&readme.repeat(2), SHELL).unwrap().len(), 2);
        assert_eq!(blocks(readme, "<!-- x -->").unwrap_err().to_string(), "there is no <!-- x -->");
    }

    #[test]
    fn a_line_that_fails_stops_the_script() {
        let folder = tempfile::tempdir().unwrap();
        assert!(process::run(&mut script("true\nfalse\ntrue\n", folder.path())).is_err());
        assert!(process::run(&mut script("true\n", folder.path())).is_ok());
    }
}
