//! `edges.toml` as values.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// All rules.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    pub(crate) never: Vec<Never>,
    pub(crate) only: Vec<Only>,
    pub(crate) named_once: Vec<NamedOnce>,
    pub(crate) word: Vec<Word>,
    pub(crate) facade: Vec<Facade>,
    pub(crate) consumer: Vec<Consumer>,
}

/// Crates that may not reach some packages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Never {
    pub(crate) from: Vec<String>,
    pub(crate) reach: Vec<String>,
    pub(crate) because: String,
}

/// A package that only some crates may reach.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Only {
    pub(crate) package: String,
    pub(crate) reached_by: Vec<String>,
    pub(crate) because: String,
}

/// A foreign crate whose name stands in this many files of one of ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedOnce {
    pub(crate) name: String,
    pub(crate) package: String,
    pub(crate) files: usize,
}

/// Words that only some files may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    pub(crate) words: Vec<String>,
    pub(crate) at_home: Vec<String>,
    pub(crate) because: String,
}

/// Files without code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facade {
    pub(crate) files: Vec<String>,
}

/// A program under `fixtures/consumers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consumer {
    pub(crate) folder: String,
    pub(crate) never: Vec<String>,
}

impl Rules {
    /// Reads `xtask/edges.toml`.
    pub(crate) fn read(workspace: &Path) -> Result<Self> {
        let path = workspace.join("xtask/edges.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}
