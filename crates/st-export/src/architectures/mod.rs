//! The transformers that can be written, one file each.
//!
//! An architecture knows four things: how to read its `config.json`, how files spell its weights, its graph,
//! and which settings the graph depends on. Adding one is a file here and a line in each `match` below.

mod bert;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::checkpoint::Naming;
use crate::ir::Graph;
use crate::json::read_json;
use crate::{Error, Head};

/// What is printed when something else is asked for.
const SUPPORTED: &str = "bert";

/// A transformer with its settings.
#[derive(Clone, Debug)]
pub(crate) enum Architecture {
    Bert(bert::Config),
}

/// The part of `config.json` that says which architecture it is for.
#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
}

impl Kind {
    fn is(&self, model_type: &str, class: &str) -> bool {
        // Repositories with code of their own keep `model_type` and change the class.
        let class_fits = self.architectures.iter().flatten().all(|name| name.starts_with(class));
        match self.model_type.as_deref() {
            Some(name) => name == model_type && class_fits,
            None => class_fits && self.architectures.iter().flatten().next().is_some(),
        }
    }

    fn describe(&self) -> String {
        let classes = self.architectures.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (self.model_type.as_deref(), classes.as_str()) {
            (None, "") => "(none)".to_owned(),
            (None, classes) => classes.to_owned(),
            (Some(name), "") => name.to_owned(),
            (Some(name), classes) => format!("{name} ({classes})"),
        }
    }
}

impl Architecture {
    /// Reads `config.json` of a checkpoint folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        if !path.exists() {
            return Err(Error::ConfigMissing { folder: folder.to_path_buf() });
        }
        let json: Value = read_json(&path)?;
        let kind: Kind = parse(&path, &json)?;
        if kind.is("bert", "Bert") {
            return bert::Config::read(&path, &json).map(Self::Bert);
        }
        Err(Error::UnknownArchitecture { path, found: kind.describe(), supported: SUPPORTED.to_owned() })
    }

    /// The reference's word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Bert(_) => "bert",
        }
    }

    /// How files spell its weights.
    pub(crate) fn naming(&self) -> &'static Naming {
        match self {
            Self::Bert(_) => &bert::NAMING,
        }
    }

    /// Its graph, with `head` on top.
    pub(crate) fn graph(&self, head: Option<&Head>) -> Graph {
        match self {
            Self::Bert(config) => config.graph(head),
        }
    }

    /// The settings that its graph depends on, always spelled alike.
    pub(crate) fn settings(&self) -> String {
        match self {
            Self::Bert(config) => format!("bert {config:?}"),
        }
    }
}

/// Reads the part of a JSON file that is of interest.
fn parse<T: serde::de::DeserializeOwned>(path: &Path, json: &Value) -> Result<T, Error> {
    T::deserialize(json).map_err(|source| Error::Json { path: path.to_path_buf(), source })
}
