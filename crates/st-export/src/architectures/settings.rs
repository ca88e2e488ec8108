//! Typed access to `config.json`, with the reference's defaults where a key is absent.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;

use crate::Error;
use crate::blocks::Activation;

/// Layers and widths beyond any real model, which a broken configuration must not make us allocate for.
pub(super) const LAYERS: RangeInclusive<usize> = 1..=1024;
pub(super) const WIDTHS: RangeInclusive<usize> = 1..=1 << 20;
pub(super) const ROWS: RangeInclusive<usize> = 1..=1 << 28;

/// A `config.json`, or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings<'a> {
    path: &'a Path,
    json: &'a Value,
}

impl<'a> Settings<'a> {
    pub(super) fn new(path: &'a Path, json: &'a Value) -> Self {
        Self { path, json }
    }

    /// The value of `key`; `null` is the same as absent.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    /// Whether `key` is there and says that there is none.
    pub(super) fn is_null(self, key: &str) -> bool {
        self.json.get(key).is_some_and(Value::is_null)
    }

    /// A size within `range`.
    pub(super) fn size(
        self,
        key: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, Error> {
        let expected = || format!("a whole number between {} and {}", range.start(), range.end());
        let Some(value) = self.get(key) else { return Ok(default) };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.filter(|size| range.contains(size)).ok_or_else(|| self.wrong(key, value, expected()))
    }

    pub(super) fn number(self, key: &'static str, default: f32) -> Result<f32, Error> {
        let Some(value) = self.get(key) else { return Ok(default) };
        #[expect(clippy::cast_possible_truncation, reason = "models compute in single precision")]
        let number = value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
        number.ok_or_else(|| self.wrong(key, value, "a number"))
    }

    /// A switch; to the reference `null` is off, not absent, so it is refused where that would make a difference.
    pub(super) fn flag(self, key: &'static str, default: bool) -> Result<bool, Error> {
        if default && self.is_null(key) {
            return Err(self.wrong(key, "null", "true or false"));
        }
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.wrong(key, value, "true or false"))
    }

    pub(super) fn text(self, key: &'static str, default: &'a str) -> Result<&'a str, Error> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_str().ok_or_else(|| self.wrong(key, value, "a word"))
    }

    pub(super) fn activation(self, key: &'static str, default: &str) -> Result<Activation, Error> {
        let name = self.text(key, default)?;
        Activation::from_name(name).ok_or_else(|| self.wrong(key, name, Activation::NAMES))
    }

    /// A number of heads that divides `width`.
    pub(super) fn heads(self, key: &'static str, default: usize, width: usize) -> Result<usize, Error> {
        let heads = self.size(key, default, 1..=width)?;
        if width.is_multiple_of(heads) {
            return Ok(heads);
        }
        Err(self.wrong(key, heads, format!("a divisor of the width {width}")))
    }

    /// Refuses any value of `key` but `only`, which is also the default; `1` is the same as `1.0`.
    pub(super) fn only(self, key: &'static str, only: impl Into<Value>) -> Result<(), Error> {
        let only = only.into();
        match self.get(key) {
            None if only == true && self.is_null(key) => Err(self.wrong(key, "null", "true")),
            Some(value) if !same(value, &only) => Err(self.wrong(key, value, plain(&only))),
            _ => Ok(()),
        }
    }

    /// Refuses other names of settings, which the reference takes for the same, where a file has both and they differ.
    pub(super) fn same_by_other_names(self, names: &[(&'static str, usize)]) -> Result<(), Error> {
        names.iter().try_for_each(|&(name, value)| self.only(name, value))
    }

    /// Refuses what would make tokens of an encoder look back only.
    pub(super) fn looks_both_ways(self) -> Result<(), Error> {
        self.only("is_decoder", false)?;
        self.only("is_causal", false)
    }

    /// The error for a value that cannot be honoured.
    pub(super) fn wrong(self, key: &'static str, value: impl Display, expected: impl Into<String>) -> Error {
        let value = value.to_string();
        let value = value.trim_matches('"').to_owned();
        Error::Setting { path: self.path.to_path_buf(), key, value, expected: expected.into() }
    }
}

fn same(left: &Value, right: &Value) -> bool {
    left == right || left.as_f64().is_some_and(|left| right.as_f64() == Some(left))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_the_same_with_and_without_decimals() {
        let check = |json: Value, only: Value| {
            let json = json!({ "key": json });
            Settings::new(Path::new("config.json"), &json)
                .only("key", only)
                .map_err(|error| error.to_string())
        };
        for (value, only) in [(json!(1), json!(1.0)), (json!(0.0), json!(0)), (json!(null), json!(1.0))] {
            assert_eq!(check(value, only), Ok(()));
        }
        for (value, only) in [(json!(0.5), json!(1.0)), (json!("1.0"), json!(1.0)), (json!(0), json!(false))]
        {
            let said = format!("`config.json` sets `key` to `{}` but it must be {only}", plain(&value));
            assert_eq!(check(value, only), Err(said));
        }
    }
}
