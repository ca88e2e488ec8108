//! The program `st`, built and found.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::process;

/// How it is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// One line of cargo's JSON messages, as far as we need it.
#[derive(Debug, Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Builds `st` and returns where cargo put it.
pub(crate) fn st(profile: Profile) -> Result<PathBuf> {
    program("st-cli", "st", profile)
}

/// Builds a program of a package; its path.
pub(crate) fn program(package: &str, name: &str, profile: Profile) -> Result<PathBuf> {
    let mut build = process::cargo();
    build.args(["build", "--package", package, "--bin", name, "--message-format=json-render-diagnostics"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    let done = build.stderr(Stdio::inherit()).output().context("cargo did not start")?;
    if !done.status.success() {
        bail!("`{}` failed", process::shown(&build));
    }
    executable(&String::from_utf8_lossy(&done.stdout))
        .with_context(|| format!("cargo built no program {name}"))
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_in_the_last_artifact() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/release/st\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/release/st")));
        assert_eq!(executable("{\"reason\":\"build-finished\",\"success\":true}\n"), None);
    }
}
