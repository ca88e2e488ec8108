//! `cargo xtask tidy`: what the compiler does not check about the shape of the workspace.

pub(crate) mod edges;
mod facades;
mod manifests;
mod masking;
pub(crate) mod rules;
mod sources;

use std::path::Path;

use anyhow::{Result, bail};

use self::rules::Rules;
use crate::places;

/// What tidy found: problems fail it, warnings do not.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// The command.
pub(crate) fn run() -> Result<()> {
    let findings = check(&places::workspace())?;
    for warning in &findings.warnings {
        eprintln!("tidy: warning: {warning}");
    }
    for problem in &findings.problems {
        eprintln!("tidy: {problem}");
    }
    if !findings.problems.is_empty() {
        bail!("tidy found {} problems", findings.problems.len());
    }
    eprintln!("tidy: edges, façades, manifests and sources are in order");
    Ok(())
}

/// All checks on one workspace.
pub(crate) fn check(workspace: &Path) -> Result<Findings> {
    let rules = Rules::read(workspace)?;
    let mut findings = Findings::default();
    manifests::check(workspace, &mut findings)?;
    sources::check(workspace, &rules, &mut findings)?;
    facades::check(workspace, &rules, &mut findings)?;
    edges::check(workspace, &rules, &mut findings)?;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_tidy() {
        let findings = check(&places::workspace()).unwrap();
        assert!(findings.problems.is_empty(), "{}", findings.problems.join("\n"));
    }
}
