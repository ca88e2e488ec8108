//! Sizes of files and words that do not belong in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::rules::{NamedOnce, Rules, Word};
use super::{Findings, manifests, masking};

/// A file longer than this has more than one topic.
const MOST_LINES: usize = 600;
const MANY_LINES: usize = 400;

/// How many files of a package name a foreign crate.
type Names<'r> = BTreeMap<(&'r str, &'r str), usize>;

/// One file of one member.
struct Source {
    /// From the root of the workspace.
    path: String,
    /// Below `src/`, and no integration test.
    library: bool,
    text: String,
    code: String,
}

/// Checks every Rust file of every member.
pub(super) fn check(workspace: &Path, rules: &Rules, findings: &mut Findings) -> Result<()> {
    let mut names = Names::new();
    for folder in manifests::members(workspace)? {
        let member = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for path in rust_files(&folder)? {
            let source = read(workspace, &folder, &path)?;
            size(&source, findings);
            unfinished(&source, findings);
            words(&source, &rules.word, findings);
            count_names(&source, &member, &rules.named_once, &mut names, findings);
        }
    }
    named_once(&rules.named_once, &names, findings);
    Ok(())
}

fn read(workspace: &Path, folder: &Path, path: &Path) -> Result<Source> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let code = masking::code(&text);
    let relative = path.strip_prefix(workspace).unwrap_or(path).to_string_lossy().into_owned();
    Ok(Source { path: relative, library: path.starts_with(folder.join("src")), text, code })
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The lines before the unit tests.
fn net_lines(code: &str) -> usize {
    code.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

fn size(source: &Source, findings: &mut Findings) {
    let lines = net_lines(&source.code);
    let sentence = format!("{} has {lines} lines without its tests", source.path);
    if lines > MOST_LINES {
        findings.problems.push(format!("{sentence}; {MOST_LINES} is the limit, split it by topic"));
    } else if lines > MANY_LINES {
        findings.warnings.push(sentence);
    }
}

/// Notes to oneself, in comments too.
fn unfinished(source: &Source, findings: &mut Findings) {
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    for (number, line) in source.text.lines().enumerate() {
        if let Some(note) = notes.iter().find(|note| says(line, note)) {
            findings.problems.push(format!(
                "{}:{}: {note}; write an issue or do it",
                source.path,
                number + 1
            ));
        }
    }
}

fn words(source: &Source, rules: &[Word], findings: &mut Findings) {
    let tests_begin = net_lines(&source.code);
    for rule in rules.iter().filter(|rule| !rule.at_home.iter().any(|home| lives_in(&source.path, home))) {
        // Tests may print and panic as they like; what never has a reason is forbidden there too.
        let lines = if !rule.at_home.is_empty() && !source.library {
            0
        } else if rule.at_home.is_empty() {
            usize::MAX
        } else {
            tests_begin
        };
        for (number, line) in source.code.lines().take(lines).enumerate() {
            if let Some(word) = rule.words.iter().find(|word| says(line, word)) {
                findings.problems.push(format!(
                    "{}:{}: {word}, but {}",
                    source.path,
                    number + 1,
                    rule.because
                ));
            }
        }
    }
}

fn lives_in(path: &str, home: &str) -> bool {
    if home.ends_with('/') { path.starts_with(home) } else { path == home }
}

/// Whether the line contains the word, and not as a part of a longer one.
fn says(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let ends_open = word.ends_with(|c: char| c.is_alphanumeric());
    line.match_indices(word).any(|(position, _)| {
        let (before, after) = line.split_at(position);
        let next = after.get(word.len()..).and_then(|rest| rest.chars().next());
        !is_part(before.chars().next_back()) && (!ends_open || !is_part(next))
    })
}

/// Whether the code says `name::` or `use name`, not as a part of a longer path.
fn names_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let as_root = |line: &str| {
        line.match_indices(&path).any(|(position, _)| {
            let before = line.get(..position).and_then(|before| before.chars().next_back());
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    };
    code.lines().any(|line| as_root(line) || line.trim() == format!("use {name};"))
}

/// Counts the names of foreign crates in one file of `member`; a name has a rule for each of its packages.
fn count_names<'r>(
    source: &Source,
    member: &str,
    rules: &'r [NamedOnce],
    names: &mut Names<'r>,
    findings: &mut Findings,
) {
    for rule in rules.iter().filter(|rule| source.library && names_crate(&source.code, &rule.name)) {
        if rule.package == member {
            *names.entry((&rule.package, &rule.name)).or_default() += 1;
        } else if !rules.iter().any(|other| other.name == rule.name && other.package == member) {
            findings
                .problems
                .push(format!("{} names {}, which belongs to {}", source.path, rule.name, rule.package));
        }
    }
}

fn named_once(rules: &[NamedOnce], names: &Names<'_>, findings: &mut Findings) {
    for rule in rules {
        let count = names.get(&(rule.package.as_str(), rule.name.as_str())).copied().unwrap_or(0);
        if count != rule.files {
            findings
                .problems
                .push(format!("{count} files of {} name {}, not {}", rule.package, rule.name, rule.files));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), library: true, text: text.to_owned(), code: masking::code(text) }
    }

    #[test]
    fn words_are_found_outside_their_home_only() {
        let rules: Rules = toml::from_str(
            "[[word]]\nwords = ['println!']\nat_home = ['xtask/']\nbecause = 'only programs print'\n",
        )
        .unwrap();
        let text =
            "fn f() {\n    // println!\n    println!();\n    eprintln!();\n}\n#[cfg(test)]\nprintln!()";
        let mut findings = Findings::default();
        words(&source("xtask/src/main.rs", text), &rules.word, &mut findings);
        assert!(findings.problems.is_empty());
        words(&source("crates/a/src/lib.rs", text), &rules.word, &mut findings);
        assert_eq!(findings.problems, ["crates/a/src/lib.rs:3: println!, but only programs print"]);
    }

    #[test]
    fn long_files_are_named_without_their_tests() {
        let mut findings = Findings::default();
        let long = "\n".repeat(601);
        size(&source("long.rs", &long), &mut findings);
        size(&source("tested.rs", &format!("#[cfg(test)]\n{long}")), &mut findings);
        size(&source("middle.rs", &"\n".repeat(401)), &mut findings);
        assert_eq!(
            findings.problems,
            ["long.rs has 601 lines without its tests; 600 is the limit, split it by topic"]
        );
        assert_eq!(findings.warnings, ["middle.rs has 401 lines without its tests"]);
    }

    #[test]
    fn notes_to_oneself_are_found_in_comments() {
        let mut findings = Findings::default();
        let text = concat!("fn f() {} // FIX", "ME later\n// TO", "DOs are words\n");
        unfinished(&source("a.rs", text), &mut findings);
        assert_eq!(findings.problems, [concat!("a.rs:1: FIX", "ME; write an issue or do it")]);
    }

    #[test]
    fn a_name_may_belong_to_several_packages_and_each_is_counted() {
        let rules: Rules = toml::from_str(
            "[[named_once]]\nname = 'ort'\npackage = 'a'\nfiles = 1\n[[named_once]]\nname = 'ort'\npackage = 'b'\nfiles = 1\n",
        )
        .unwrap();
        let mut findings = Findings::default();
        let mut names = Names::new();
        for member in ["a", "b", "b", "c"] {
            let path = format!("crates/{member}/src/lib.rs");
            count_names(&source(&path, "use ort;"), member, &rules.named_once, &mut names, &mut findings);
        }
        named_once(&rules.named_once, &names, &mut findings);
        assert_eq!(
            findings.problems,
            [
                "crates/c/src/lib.rs names ort, which belongs to a",
                "crates/c/src/lib.rs names ort, which belongs to b",
                "2 files of b name ort, not 1"
            ]
        );
    }

    #[test]
    fn a_crate_is_named_by_a_path_that_begins_with_it() {
        assert!(names_crate("use ort::session::Session;", "ort"));
        assert!(names_crate("let x = ort::info();", "ort"));
        assert!(!names_crate("use crate::export::x; effort::y; a::ort::z", "ort"));
    }
}
