//! `st_defaults.json`: what a model's owner wants of every call, and Python has no setting for.
//!
//! It lies in the model folder, beside the files that Python reads: there it is copied wherever the model is, into
//! MLflow too, and Python passes over it.

use std::path::Path;

use serde_json::{Value, json};
use st_core::LongText;

use super::json::{Object, read_text};
use crate::Error;

/// The newest version of the format that is read, and the one that is written.
const FORMAT_VERSION: usize = 1;

/// Options that hold where a call says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defaults {
    /// What happens to texts that are too long.
    pub long_text: Option<LongText>,
}

impl Defaults {
    /// Name of the file in a model folder.
    pub const FILE: &'static str = "st_defaults.json";

    /// Sets what happens to texts that are too long.
    #[must_use]
    pub fn with_long_text(mut self, long_text: LongText) -> Self {
        self.long_text = Some(long_text);
        self
    }

    /// Parses the text of the file; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] and [`Error::Config`] for anything else, and for a format that is not known here.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let object = Object::parse(path, text)?;
        match object.count("format_version")? {
            Some(version) if version <= FORMAT_VERSION => {}
            found => {
                let found = found.map_or_else(|| "missing".to_owned(), |version| version.to_string());
                return Err(object.error(format!("`format_version` is {found}; known is {FORMAT_VERSION}")));
            }
        }
        let overlap = match object.object("long_text")?.and_then(|long_text| long_text.get("overlap")) {
            None | Some(Value::Null) => 0,
            Some(overlap) => overlap
                .as_u64()
                .and_then(|overlap| usize::try_from(overlap).ok())
                .ok_or_else(|| object.error("`long_text.overlap` must be a whole number, not negative"))?,
        };
        let policy =
            object.object("long_text")?.map(|long_text| long_text.get("policy").and_then(Value::as_str));
        let long_text = match policy {
            None => None,
            Some(Some("truncate")) => Some(LongText::Truncate),
            Some(Some("error")) => Some(LongText::Error),
            Some(Some("chunk")) => Some(LongText::Chunk { overlap }),
            Some(_) => return Err(object.error("`long_text.policy` must be truncate, error or chunk")),
        };
        Ok(Self { long_text })
    }

    /// Reads the file of `folder`, or takes none if there is none.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Error::Read`].
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        if path.is_file() { Self::parse(&path, &read_text(&path)?) } else { Ok(Self::default()) }
    }

    /// The content of the file.
    pub fn to_json(&self) -> String {
        let long_text = self.long_text.map(|long_text| match long_text {
            LongText::Chunk { overlap } => json!({"policy": long_text.name(), "overlap": overlap}),
            _ => json!({"policy": long_text.name()}),
        });
        let value = json!({"format_version": FORMAT_VERSION, "long_text": long_text});
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for long_text in [LongText::Truncate, LongText::Error, LongText::Chunk { overlap: 16 }] {
            let defaults = Defaults::default().with_long_text(long_text);
            assert_eq!(Defaults::parse(Path::new("d.json"), &defaults.to_json()).unwrap(), defaults);
        }
        let none = Defaults::default();
        assert_eq!(Defaults::parse(Path::new("d.json"), &none.to_json()).unwrap(), none);
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Defaults::parse(Path::new("d.json"), text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn wrong_values_are_named() {
        refused("{}", "d.json: `format_version` is missing; known is 1");
        refused(r#"{"format_version": 2}"#, "d.json: `format_version` is 2; known is 1");
        refused(
            r#"{"format_version": 1, "long_text": {"policy": "cut"}}"#,
            "d.json: `long_text.policy` must be truncate, error or chunk",
        );
        refused(
            r#"{"format_version": 1, "long_text": {"policy": "chunk", "overlap": -1}}"#,
            "d.json: `long_text.overlap` must be a whole number, not negative",
        );
    }
}
