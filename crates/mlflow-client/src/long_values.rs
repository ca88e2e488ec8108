//! Values that are longer than MLflow keeps of them.
//!
//! Python cuts the value of a param or of a run's tag and goes on, in its own stores and in its server; only
//! `MLFLOW_TRUNCATE_LONG_VALUES=false` makes it refuse. Half of a value is no value, so here the default is the other way
//! round: a run and the embedded store refuse, and a call to a server, which may be one that takes all of it, warns. Who
//! says `true` gets what Python does, with a warning for each value.

use mlflow_types::limits;
use mlflow_types::tags::{Param, Tag};

/// Cuts a param's value to what MLflow keeps of it.
pub(crate) fn cut_param(param: &mut Param) {
    cut("param", &param.key, &mut param.value, limits::PARAM_VALUE_CHARACTERS);
}

/// The same of a run's tag.
pub(crate) fn cut_tag(tag: &mut Tag) {
    cut("tag", &tag.key, &mut tag.value, limits::TAG_VALUE_CHARACTERS);
}

/// Cuts a value to so many characters; Python counts characters, too.
pub(crate) fn cut(what: &str, key: &str, value: &mut String, most: usize) {
    // A text has at most as many characters as bytes: nearly all pass without being counted.
    if value.len() <= most {
        return;
    }
    if let Some((end, _)) = value.char_indices().nth(most) {
        let characters = value.chars().count();
        let key = key.chars().take(limits::KEY_CHARACTERS).collect::<String>();
        tracing::warn!(key, characters, kept = most, "the value of this {what} is cut");
        value.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(characters: usize, kept: usize) {
        let mut param = Param::new("k", "ö".repeat(characters));
        cut_param(&mut param);
        assert_eq!(param.value, "ö".repeat(kept));
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        check(0, 0);
        check(5999, 5999);
        check(6000, 6000);
        check(6001, 6000);
        let mut tag = Tag::new("k", "x".repeat(9000));
        cut_tag(&mut tag);
        assert_eq!(tag.value.len(), 8000);
    }
}
