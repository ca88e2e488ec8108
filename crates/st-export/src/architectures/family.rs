//! Which transformer a `config.json` is for.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{RefusedFamily, Settings, Transformer};
use crate::Error;
use crate::checkpoint::Naming;

/// Reads the settings of one family.
pub(super) type Maker = fn(Settings<'_>) -> Result<Box<dyn Transformer>, Error>;

/// A kind of transformer that can be written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Family {
    /// What we call it.
    pub name: &'static str,
    /// Values of `model_type` that mean it.
    pub model_types: &'static [&'static str],
    /// How the classes in `architectures` start, for files without `model_type`, and because repositories with
    /// code of their own keep the `model_type` of another family and change the class.
    pub classes: &'static [&'static str],
    /// Well-known models of the family.
    pub examples: &'static str,
    /// How files spell its weights.
    pub(crate) naming: Naming,
}

/// The part of `config.json` that says which architecture it is for.
#[derive(Deserialize)]
pub(super) struct Kind {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
}

/// Whether a class is one of those that transformers has for a family: others that begin alike, such as
/// `LlamaBidirectionalModel`, are code of a repository and may attend differently over the same tensors.
fn is_class_of(class: &str, start: &str) -> bool {
    const ENDINGS: [&str; 3] = ["Model", "LMHeadModel", "PreTrainedModel"];
    class.strip_prefix(start).is_some_and(|rest| ENDINGS.contains(&rest) || rest.starts_with("For"))
}

impl Kind {
    pub(super) fn read(path: &Path, json: &Value) -> Result<Self, Error> {
        Self::deserialize(json).map_err(|source| Error::Json { path: path.to_path_buf(), source })
    }

    /// Whether it means that family.
    pub(super) fn is(&self, family: &Family) -> bool {
        let mut classes = self.architectures.iter().flatten().peekable();
        let any = classes.peek().is_some();
        let fits = classes.all(|class| family.classes.iter().any(|start| is_class_of(class, start)));
        match self.model_type.as_deref() {
            Some(name) => family.model_types.contains(&name) && fits,
            None => any && fits,
        }
    }

    /// Whether it means one of those.
    pub(super) fn is_refused(&self, refused: &RefusedFamily) -> bool {
        let by_type = self.model_type.as_deref().is_some_and(|name| refused.model_types.contains(&name));
        by_type || self.has_refused_class(refused)
    }

    /// The same by its classes alone, which count before a `model_type` that another family has, too.
    pub(super) fn has_refused_class(&self, refused: &RefusedFamily) -> bool {
        let mut classes = self.architectures.iter().flatten();
        classes.any(|class| refused.classes.iter().any(|start| class.starts_with(start)))
    }

    /// What it says, for an error.
    pub(super) fn describe(&self) -> String {
        let classes = self.architectures.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (self.model_type.as_deref(), classes.as_str()) {
            (None, "") => "(none)".to_owned(),
            (None, classes) => classes.to_owned(),
            (Some(name), "") => name.to_owned(),
            (Some(name), classes) => format!("{name} ({classes})"),
        }
    }
}
