//! Values that a server would cut and say nothing: it answers 200 and keeps the beginning.

use mlflow_types::tags::{Param, Tag};
use mlflow_types::{InvalidCall, limits};

use super::RestStore;
use crate::Result;

/// A value that is longer than what a server keeps of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut<'a> {
    what: &'static str,
    key: &'a str,
    characters: usize,
    kept: usize,
}

impl RestStore {
    /// Says which values will not arrive whole, or refuses them if that was asked for. A server that runs with
    /// `MLFLOW_TRUNCATE_LONG_VALUES=false` refuses them by itself; which one it is, it does not tell.
    pub(super) fn check_lengths(&self, route: &'static str, params: &[Param], tags: &[Tag]) -> Result<()> {
        params.iter().try_for_each(|param| self.check_param_length(route, &param.key, &param.value))?;
        tags.iter().try_for_each(|tag| self.check_tag_length(route, &tag.key, &tag.value))
    }

    /// The same of one param.
    pub(super) fn check_param_length(&self, route: &'static str, key: &str, value: &str) -> Result<()> {
        self.check_length(route, cut("param", key, value, limits::PARAM_VALUE_CHARACTERS))
    }

    /// The same of one tag.
    pub(super) fn check_tag_length(&self, route: &'static str, key: &str, value: &str) -> Result<()> {
        self.check_length(route, cut("tag", key, value, limits::TAG_VALUE_CHARACTERS))
    }

    fn check_length(&self, route: &'static str, cut: Option<Cut<'_>>) -> Result<()> {
        let Some(Cut { what, key, characters, kept }) = cut else { return Ok(()) };
        let key = key.chars().take(limits::KEY_CHARACTERS).collect::<String>();
        if self.refuses_long_values() {
            let problem =
                format!("of the {what} `{key}` has {characters} characters, and the server keeps {kept}");
            return Err(InvalidCall { path: route, field: "value".to_owned(), problem }.into());
        }
        tracing::warn!(route, key, characters, kept, "the server will cut the value of this {what}");
        Ok(())
    }
}

fn cut<'a>(what: &'static str, key: &'a str, value: &str, kept: usize) -> Option<Cut<'a>> {
    // A text has at most as many characters as bytes: nearly all pass without being counted.
    let characters = if value.len() > kept { value.chars().count() } else { 0 };
    (characters > kept).then_some(Cut { what, key, characters, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_a_server_keeps_is_told() {
        for (characters, told) in [(0, false), (6000, false), (6001, true)] {
            let value = "ö".repeat(characters);
            let expected = told.then_some(Cut { what: "param", key: "key", characters, kept: 6000 });
            assert_eq!(cut("param", "key", &value, limits::PARAM_VALUE_CHARACTERS), expected);
        }
    }
}
