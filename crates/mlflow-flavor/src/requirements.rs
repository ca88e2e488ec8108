//! Pip requirements as MLflow reads, joins and writes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Requirements};

/// Deepest chain of `-r` lines.
const MAX_DEPTH: usize = 16;

/// What the environment files say of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// Lines of `requirements.txt`.
    pub(crate) requirements: Vec<String>,
    /// Lines of `constraints.txt`.
    pub(crate) constraints: Vec<String>,
}

/// Reads requirements; `-r` lines are replaced by what the file says, `-c` lines go to the constraints.
pub(crate) fn read(requirements: &Requirements) -> Result<Resolved, Error> {
    let mut resolved = Resolved::default();
    match requirements {
        Requirements::Lines(lines) => {
            collect(lines.iter().map(String::as_str), Path::new(""), Kind::Requirement, &mut resolved, 0)?;
        }
        Requirements::File(path) => {
            // As in Python, the file that is named by the caller refers to others from the working directory.
            collect(read_file(path)?.lines(), Path::new(""), Kind::Requirement, &mut resolved, 0)?;
        }
    }
    Ok(resolved)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Requirement,
    Constraint,
}

fn read_file(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

fn collect<'a>(
    lines: impl Iterator<Item = &'a str>,
    base: &Path,
    kind: Kind,
    resolved: &mut Resolved,
    depth: usize,
) -> Result<(), Error> {
    for line in joined(lines) {
        let referred = |short: &str, long: &str| {
            let rest = line.strip_prefix(short).or_else(|| line.strip_prefix(long))?;
            rest.starts_with(' ').then(|| base.join(rest.trim()))
        };
        let file: Option<(PathBuf, Kind)> =
            match (referred("-r", "--requirement"), referred("-c", "--constraint")) {
                (Some(file), _) => Some((file, Kind::Requirement)),
                (None, Some(file)) => Some((file, Kind::Constraint)),
                (None, None) => None,
            };
        match file {
            Some(_) if depth == MAX_DEPTH => {
                let problem = format!("is more than {MAX_DEPTH} files deep");
                return Err(Error::Requirement { requirement: line, problem });
            }
            Some((file, kind)) => {
                let base = file.parent().unwrap_or(Path::new(""));
                collect(read_file(&file)?.lines(), base, kind, resolved, depth + 1)?;
            }
            None if kind == Kind::Constraint => resolved.constraints.push(line),
            None => resolved.requirements.push(line),
        }
    }
    Ok(())
}

/// Lines without comments, blanks and continuations.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut joined = Vec::new();
    let mut open = String::new();
    for line in lines {
        let line = line.trim();
        let line = line.find(" #").map_or(line, |at| line.get(..at).unwrap_or(line).trim_end());
        open.push_str(line.trim_end_matches('\\'));
        if !line.ends_with('\\') {
            joined.push(std::mem::take(&mut open));
        }
    }
    joined.push(open);
    joined.retain(|line| !line.is_empty() && !line.starts_with('#'));
    joined
}

/// Puts mlflow first if nobody asks for it.
pub(crate) fn with_mlflow(requirements: &mut Vec<String>, version: &str) {
    if !requirements.iter().any(|line| is_mlflow(line)) {
        requirements.insert(0, format!("mlflow=={version}"));
    }
}

fn is_mlflow(line: &str) -> bool {
    match Requirement::parse(line) {
        Some(requirement) => {
            matches!(
                requirement.name.to_ascii_lowercase().as_str(),
                "mlflow" | "mlflow-skinny" | "mlflow-tracing"
            )
        }
        None => {
            let line = line.replace(' ', "").to_ascii_lowercase();
            ["/mlflow", "mlflow@git"].iter().any(|part| line.contains(part))
        }
    }
}

/// Joins the lines that ask for one package: extras and versions add up.
///
/// # Errors
///
/// [`Error::Requirement`] if two lines pin different versions of a package.
pub(crate) fn deduplicate(lines: &[String]) -> Result<Vec<String>, Error> {
    let mut kept: Vec<Entry> = Vec::new();
    for line in lines {
        let Some(new) = Requirement::parse(line) else {
            if !kept.iter().any(|entry| matches!(entry, Entry::Verbatim(other) if other == line)) {
                kept.push(Entry::Verbatim(line.clone()));
            }
            continue;
        };
        let same = kept.iter_mut().find_map(|entry| match entry {
            Entry::Package(old) if old.name == new.name && old.marker == new.marker => Some(old),
            _ => None,
        });
        match same {
            None => kept.push(Entry::Package(new)),
            Some(old) => old.join(new, line)?,
        }
    }
    Ok(kept
        .into_iter()
        .map(|entry| match entry {
            Entry::Verbatim(line) => line,
            Entry::Package(requirement) => requirement.to_string(),
        })
        .collect())
}

enum Entry {
    Verbatim(String),
    Package(Requirement),
}

/// `name[extras]specifiers; marker`, or `name @ url`.
struct Requirement {
    name: String,
    extras: BTreeSet<String>,
    specifiers: BTreeSet<String>,
    url: Option<String>,
    marker: Option<String>,
}

impl Requirement {
    /// None if the line is something else: a path, an address, an option of pip.
    fn parse(line: &str) -> Option<Self> {
        let name_char = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.');
        let line = line.trim();
        let end = line.find(|ch| !name_char(ch)).unwrap_or(line.len());
        let (name, mut rest) = line.split_at_checked(end)?;
        let edge = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphanumeric());
        if !edge(name.chars().next()) || !edge(name.chars().next_back()) {
            return None;
        }
        rest = rest.trim_start();
        let mut extras = BTreeSet::new();
        if let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            extras.extend(
                inside.split(',').map(|extra| extra.trim().to_owned()).filter(|extra| !extra.is_empty()),
            );
            rest = after.trim_start();
        }
        let (rest, marker) = match rest.split_once(';') {
            Some((rest, marker)) => (rest.trim(), Some(marker.trim().replace('\'', "\""))),
            None => (rest.trim(), None),
        };
        let name = name.to_owned();
        if let Some(url) = rest.strip_prefix('@') {
            let url = Some(url.trim().to_owned());
            return Some(Self { name, extras, specifiers: BTreeSet::new(), url, marker });
        }
        let rest = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
        let specifiers = rest.split(',').map(str::trim).filter(|part| !part.is_empty());
        let specifiers = specifiers.map(specifier).collect::<Option<BTreeSet<_>>>()?;
        Some(Self { name, extras, specifiers, url: None, marker })
    }

    fn join(&mut self, new: Self, line: &str) -> Result<(), Error> {
        let pin =
            |specifiers: &BTreeSet<String>| specifiers.iter().find(|part| part.starts_with("==")).cloned();
        if let (Some(old), Some(new)) = (pin(&self.specifiers), pin(&new.specifiers))
            && old != new
        {
            let problem = format!("contradicts `{}{old}`", self.name);
            return Err(Error::Requirement { requirement: line.to_owned(), problem });
        }
        self.specifiers.extend(new.specifiers);
        self.extras.extend(new.extras);
        self.url = new.url.or_else(|| self.url.take());
        Ok(())
    }
}

/// `>= 1.0` without its space; none if it is no comparison of versions.
fn specifier(part: &str) -> Option<String> {
    let operator =
        ["===", "==", "~=", "!=", "<=", ">=", "<", ">"].into_iter().find(|op| part.starts_with(op))?;
    let version = part.strip_prefix(operator)?.trim();
    let allowed = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '*' | '+' | '!' | '-' | '_');
    (!version.is_empty() && version.chars().all(allowed)).then(|| format!("{operator}{version}"))
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        let list = |parts: &BTreeSet<String>| parts.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        if !self.extras.is_empty() {
            write!(f, "[{}]", list(&self.extras))?;
        }
        if let Some(url) = &self.url {
            write!(f, " @ {url}")?;
        }
        f.write_str(&list(&self.specifiers))?;
        match &self.marker {
            Some(marker) => write!(f, "{}; {marker}", if self.url.is_some() { " " } else { "" }),
            None => Ok(()),
        }
    }
}
