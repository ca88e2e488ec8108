//! Values that a server would cut and say nothing: it answers 200 and keeps the beginning.

use mlflow_types::limits;
use mlflow_types::tags::{Param, Tag};

/// A value that is longer than what a server keeps of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut<'a> {
    what: &'static str,
    key: &'a str,
    characters: usize,
    kept: usize,
}

/// Says which values will not arrive whole. A server that runs with `MLFLOW_TRUNCATE_LONG_VALUES=false` refuses them
/// instead; which one it is, it does not tell.
pub(super) fn warn_of_cuts(route: &str, params: &[Param], tags: &[Tag]) {
    for Param { key, value } in params {
        warn_of_cut_param(route, key, value);
    }
    for Tag { key, value } in tags {
        warn_of_cut_tag(route, key, value);
    }
}

/// The same of one param.
pub(super) fn warn_of_cut_param(route: &str, key: &str, value: &str) {
    warn(route, cut("param", key, value, limits::PARAM_VALUE_CHARACTERS));
}

/// The same of one tag.
pub(super) fn warn_of_cut_tag(route: &str, key: &str, value: &str) {
    warn(route, cut("tag", key, value, limits::TAG_VALUE_CHARACTERS));
}

fn warn(route: &str, cut: Option<Cut<'_>>) {
    if let Some(Cut { what, key, characters, kept }) = cut {
        let key = key.chars().take(limits::KEY_CHARACTERS).collect::<String>();
        tracing::warn!(route, key, characters, kept, "the server will cut the value of this {what}");
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
