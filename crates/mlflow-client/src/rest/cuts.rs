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
    for Cut { what, key, characters, kept } in cuts(params, tags) {
        let key = key.chars().take(limits::KEY_CHARACTERS).collect::<String>();
        tracing::warn!(route, key, characters, kept, "the server will cut the value of this {what}");
    }
}

fn cuts<'a>(params: &'a [Param], tags: &'a [Tag]) -> impl Iterator<Item = Cut<'a>> {
    let params = params
        .iter()
        .filter_map(|param| cut("param", &param.key, &param.value, limits::PARAM_VALUE_CHARACTERS));
    params.chain(tags.iter().filter_map(|tag| cut("tag", &tag.key, &tag.value, limits::TAG_VALUE_CHARACTERS)))
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
        let params = [Param::new("whole", "ö".repeat(6000)), Param::new("cut", "ö".repeat(6001))];
        let tags = [Tag::new("whole", "x".repeat(8000)), Tag::new("cut", "x".repeat(9000))];
        let expected = [
            Cut { what: "param", key: "cut", characters: 6001, kept: 6000 },
            Cut { what: "tag", key: "cut", characters: 9000, kept: 8000 },
        ];
        assert_eq!(cuts(&params, &tags).collect::<Vec<_>>(), expected);
    }
}
