//! `modules.json`: which modules a model is made of, in which order.

use std::path::{Component, Path};

use serde_json::Value;

use super::json::kind;
use crate::Error;

/// The classes that we run; what each needs from its folder is in the files beside this one.
const SUPPORTED: &str = "Transformer, Pooling, Normalize and Dropout";

/// What a module does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// A transformer: text to token embeddings.
    Transformer,
    /// Token embeddings to a sentence embedding.
    Pooling,
    /// Scales each sentence embedding to length one.
    Normalize,
    /// Switches values off in training; does nothing here.
    Dropout,
}

/// One entry of `modules.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEntry {
    /// What it does.
    pub kind: ModuleKind,
    /// Folder below the model folder; empty for the model folder itself.
    pub path: String,
}

impl ModuleEntry {
    /// Parses the text of a `modules.json`; `path` is only named in errors.
    ///
    /// All three generations of class paths are understood, by their last part.
    ///
    /// # Errors
    ///
    /// Text that is no such list, a path that leaves the folder, a class that is not supported.
    pub fn parse_list(path: &Path, text: &str) -> Result<Vec<Self>, Error> {
        let value: Value =
            serde_json::from_str(text).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        let Value::Array(entries) = value else {
            return Err(config(path, format!("expected a list of modules, found {}", kind(&value))));
        };
        entries.iter().enumerate().map(|(index, entry)| Self::parse(path, index, entry)).collect()
    }

    fn parse(path: &Path, index: usize, entry: &Value) -> Result<Self, Error> {
        let text = |key: &str| {
            entry
                .get(key)
                .and_then(Value::as_str)
                .ok_or_else(|| config(path, format!("module {index}: `{key}` must be a string")))
        };
        let class = text("type")?;
        let folder = text("path")?;
        if !is_inside(folder) {
            return Err(Error::UnsafePath { path: path.to_owned(), module: folder.to_owned() });
        }
        let kind = ModuleKind::of_class(class).ok_or_else(|| Error::UnknownModule {
            path: path.to_owned(),
            index,
            kind: class.to_owned(),
            supported: SUPPORTED,
        })?;
        Ok(Self { kind, path: folder.to_owned() })
    }
}

impl ModuleKind {
    /// Only classes of the library itself: anything else is Python code of the repository, which we never run.
    fn of_class(class: &str) -> Option<Self> {
        if !class.starts_with("sentence_transformers.") {
            return None;
        }
        match class.rsplit('.').next()? {
            // The last three are names of before 1.0 and hold an ordinary transformer.
            "Transformer" | "BERT" | "RoBERTa" | "DistilBERT" => Some(Self::Transformer),
            "Pooling" => Some(Self::Pooling),
            "Normalize" => Some(Self::Normalize),
            "Dropout" => Some(Self::Dropout),
            _ => None,
        }
    }

    /// The class name of the reference.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformer => "Transformer",
            Self::Pooling => "Pooling",
            Self::Normalize => "Normalize",
            Self::Dropout => "Dropout",
        }
    }
}

/// Plain names below the folder only: no `..`, no root, no drive, no backslash, no NUL.
fn is_inside(folder: &str) -> bool {
    !folder.contains(['\\', '\0', ':'])
        && Path::new(folder).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn config(path: &Path, problem: String) -> Error {
    Error::Config { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = match ModuleEntry::parse_list(Path::new("modules.json"), text) {
            Ok(list) => list
                .iter()
                .map(|entry| format!("{}={}", entry.kind.name(), entry.path))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn three_generations_of_class_paths() {
        check(
            r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
                {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
                {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.base.modules.normalize.Normalize"}]"#,
            "Transformer= Pooling=1_Pooling Normalize=2_Normalize",
        );
        check(r#"[{"path":"0_BERT","type":"sentence_transformers.models.BERT"}]"#, "Transformer=0_BERT");
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for path in ["../other", "/etc", "1_Pooling/../../x", r"..\\x", "C:/x", "a\\u0000b"] {
            let text = format!(r#"[{{"path":"{path}","type":"sentence_transformers.models.Pooling"}}]"#);
            let error = ModuleEntry::parse_list(Path::new("m/modules.json"), &text).unwrap_err();
            assert!(matches!(error, Error::UnsafePath { .. }), "{path}: {error}");
        }
        check(
            r#"[{"path":"../x","type":"sentence_transformers.models.Pooling"}]"#,
            "modules.json: the path `../x` leaves the model folder",
        );
    }

    #[test]
    fn unknown_modules_are_named() {
        check(
            r#"[{"path":"","type":"sentence_transformers.models.CNN"}]"#,
            "modules.json: module 0 is a `sentence_transformers.models.CNN`, which is not supported; \
             supported are Transformer, Pooling, Normalize and Dropout",
        );
        check(
            r#"[{"path":"","type":"custom_code.Transformer"}]"#,
            "modules.json: module 0 is a `custom_code.Transformer`, which is not supported; \
             supported are Transformer, Pooling, Normalize and Dropout",
        );
    }

    #[test]
    fn other_json_is_refused() {
        check("{}", "modules.json: expected a list of modules, found an object");
        check(r#"[{"path":""}]"#, "modules.json: module 0: `type` must be a string");
        check("[", "modules.json is not valid JSON");
    }
}
