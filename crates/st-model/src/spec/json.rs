//! Typed access to the JSON files of a model folder, with errors that name file and key.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Error;

/// Larger configuration files are not read: the reference's are a few kilobytes.
const MAX_CONFIG_BYTES: u64 = 64 << 20;

/// A JSON object together with the path that errors name.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    path: &'a Path,
    map: Map<String, Value>,
}

/// Reads a file of the folder, refusing what cannot be a configuration.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MAX_CONFIG_BYTES {
        return Err(Error::Config {
            path: path.to_owned(),
            problem: format!("{size} bytes are too many for a configuration"),
        });
    }
    fs::read_to_string(path).map_err(fail)
}

impl<'a> Object<'a> {
    /// Parses `text`; `path` is only named in errors.
    pub(crate) fn parse(path: &'a Path, text: &str) -> Result<Self, Error> {
        let value: Value =
            serde_json::from_str(text).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        match value {
            Value::Object(map) => Ok(Self { path, map }),
            other => Err(Error::Config {
                path: path.to_owned(),
                problem: format!("expected an object, found {}", kind(&other)),
            }),
        }
    }

    /// The value of `key`, with `null` the same as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether `key` is there and null.
    pub(crate) fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<&str>, Error> {
        self.typed(key, "a string", Value::as_str)
    }

    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(crate) fn object(&self, key: &str) -> Result<Option<&Map<String, Value>>, Error> {
        self.typed(key, "an object", Value::as_object)
    }

    /// A count; Python writes "no limit" as a float of about 1e30, which reads as absent.
    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>, Error> {
        const NO_LIMIT: f64 = 1e15;
        if self.get(key).and_then(Value::as_f64).is_some_and(|value| value >= NO_LIMIT) {
            return Ok(None);
        }
        self.typed(key, "a whole number, not negative", |value| {
            value.as_u64().and_then(|count| usize::try_from(count).ok())
        })
    }

    /// An error of this file about `key`.
    pub(crate) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Config { path: self.path.to_owned(), problem: problem.into() }
    }

    fn typed<'v, T>(
        &'v self,
        key: &str,
        expected: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value)
            .map(Some)
            .ok_or_else(|| self.error(format!("`{key}` must be {expected}, found {}", kind(value))))
    }
}

/// Reads a file whose content has the form of `T`.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let value: Value = serde_json::from_str(&read_text(path)?)
        .map_err(|source| Error::Json { path: path.to_owned(), source })?;
    serde_json::from_value(value)
        .map_err(|problem| Error::Config { path: path.to_owned(), problem: problem.to_string() })
}

/// How an error calls a JSON value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
