//! A model of the stand-in: its commits and what the hub says of them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// Who gets a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gate {
    /// Everybody.
    #[default]
    Open,
    /// Who has this token; all others are told that the owner has to admit them.
    Gated(String),
    /// Who has this token; all others are told that there is no such model.
    Private(String),
}

/// A model with one commit, and what the stand-in says of it.
#[derive(Clone, Debug, Default)]
pub struct HubModel {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) gate: Gate,
    /// What the listing says is the name of a file.
    pub(super) renamed: HashMap<String, String>,
    /// What a file holds when it is fetched, whatever the listing says of it.
    pub(super) swapped: HashMap<String, Vec<u8>>,
    /// The listing says neither size nor digest.
    pub(super) is_terse: bool,
    /// Names of the one commit beside `main`.
    pub(super) revisions: Vec<String>,
}

impl HubModel {
    /// The files of a folder.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn of_folder(folder: &Path) -> Self {
        let mut model = Self::default();
        model.add_folder(folder, "");
        model
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                self.add_folder(&path, &format!("{name}/"));
            } else {
                self.files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }

    /// With a file, or with other content in it.
    #[must_use]
    pub fn with_file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), content.into());
        self
    }

    /// Without a file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    /// For those only whom the gate lets through.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// With a tag or a branch beside `main`.
    #[must_use]
    pub fn with_revision(mut self, revision: &str) -> Self {
        self.revisions.push(revision.to_owned());
        self
    }

    /// With a listing that gives a file another name.
    #[must_use]
    pub fn lying_about_name(mut self, path: &str, name: &str) -> Self {
        self.renamed.insert(path.to_owned(), name.to_owned());
        self
    }

    /// With other bytes than the listing announces.
    #[must_use]
    pub fn lying_about_content(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.swapped.insert(path.to_owned(), content.into());
        self
    }

    /// With a listing of names only, as mirrors have it.
    #[must_use]
    pub fn terse(mut self) -> Self {
        self.is_terse = true;
        self
    }

    /// The commit: 40 hexadecimal digits that depend on the files.
    pub fn commit(&self) -> String {
        let mut state = Sha1::new();
        for (path, content) in &self.files {
            state.update(format!("{path}\0{}\0", digest(path, content)));
        }
        hex(&state.finalize())
    }

    /// The name of a file's content in a cache.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn digest(&self, path: &str) -> String {
        digest(path, &self.files[path])
    }

    /// Whether a revision is one of this model.
    pub(super) fn has(&self, revision: &str) -> bool {
        revision == "main"
            || revision == self.commit()
            || self.revisions.iter().any(|known| known == revision)
    }
}

/// Whether the hub keeps such a file in its storage.
pub(super) fn is_large(path: &str) -> bool {
    [".safetensors", ".onnx", ".bin", ".h5"].iter().any(|ending| path.ends_with(ending))
}

/// The name of the content: SHA-256 of large files, git's digest of others.
pub(super) fn digest(path: &str, content: &[u8]) -> String {
    if is_large(path) { hex(&Sha256::digest(content)) } else { git(content) }
}

pub(super) fn git(content: &[u8]) -> String {
    let mut state = Sha1::new_with_prefix(format!("blob {}\0", content.len()));
    state.update(content);
    hex(&state.finalize())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("less than 16");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
