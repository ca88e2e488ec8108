//! Which packages a crate reaches through its normal dependencies.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Findings;
use super::manifests;
use super::rules::Rules;
use crate::process;

/// Checks `never` and `only` for every member of the workspace.
pub(super) fn check(workspace: &Path, rules: &Rules, findings: &mut Findings) -> Result<()> {
    let members = manifests::member_names(workspace)?;
    for rule in rules.never.iter().flat_map(|rule| &rule.from) {
        if !members.contains(rule) {
            findings.problems.push(format!("edges.toml speaks of {rule}, which is no member"));
        }
    }
    for member in &members {
        let reached = closure(process::cargo().current_dir(workspace).args(["tree", "--package", member]))?;
        findings.problems.extend(violations(rules, member, &reached));
    }
    Ok(())
}

/// The names in the tree of a `cargo tree …` command, itself included; macros run at compile time do not count.
pub(crate) fn closure(tree: &mut Command) -> Result<BTreeSet<String>> {
    tree.args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]);
    let text = process::output(tree)?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn violations(rules: &Rules, member: &str, reached: &BTreeSet<String>) -> Vec<String> {
    let never = rules.never.iter().filter(|rule| rule.from.iter().any(|name| name == member));
    let never = never.flat_map(|rule| rule.reach.iter().map(move |package| (package, &rule.because)));
    let only = rules.only.iter().filter(|rule| !rule.reached_by.iter().any(|name| name == member));
    let only = only.map(|rule| (&rule.package, &rule.because));
    never
        .chain(only)
        .filter(|(package, _)| reached.contains(*package))
        .map(|(package, because)| {
            format!("{member} reaches {package}, but {because} (cargo tree -p {member} -i {package})")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            "[[never]]\nfrom = ['st-core']\nreach = ['serde', 'ort']\nbecause = 'it does no work'\n\
             [[only]]\npackage = 'clap'\nreached_by = ['st-cli']\nbecause = 'a library has no command line'\n",
        )
        .unwrap()
    }

    #[track_caller]
    fn check_violations(member: &str, reached: &[&str], expected: &[&str]) {
        let reached = reached.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(violations(&rules(), member, &reached), expected);
    }

    #[test]
    fn forbidden_edges_are_named_with_their_reason() {
        check_violations("st-core", &["st-core", "ndarray"], &[]);
        check_violations(
            "st-core",
            &["st-core", "ort", "clap"],
            &[
                "st-core reaches ort, but it does no work (cargo tree -p st-core -i ort)",
                "st-core reaches clap, but a library has no command line (cargo tree -p st-core -i clap)",
            ],
        );
        check_violations("st-cli", &["clap", "ort"], &[]);
    }
}
