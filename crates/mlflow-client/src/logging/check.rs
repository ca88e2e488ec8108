//! MLflow's rules for keys and values (`mlflow.utils.validation`), asked before an entry is accepted: a refusal that comes
//! minutes later, from another thread, helps nobody.

use mlflow_types::inputs::Dataset;
use mlflow_types::{InvalidCall, keys, limits};

use super::Entry;
use crate::long_values::{cut_param, cut_tag};

const ROUTE: &str = "runs/log-batch";

impl Entry {
    /// Cuts a value that is longer than the server keeps.
    pub(crate) fn cut(&mut self) {
        match self {
            Self::Param(param) => cut_param(param),
            Self::Tag(tag) => cut_tag(tag),
            _ => {}
        }
    }

    /// Whether the server would take the entry, and take all of it.
    pub(crate) fn check(&self) -> Result<(), InvalidCall> {
        match self {
            Self::Metric(metric) => key("metrics.key", &metric.key),
            Self::Param(param) => {
                key("params.key", &param.key)?;
                length("params.value", &param.value, limits::PARAM_VALUE_CHARACTERS)
            }
            Self::Tag(tag) => {
                key("tags.key", &tag.key)?;
                length("tags.value", &tag.value, limits::TAG_VALUE_CHARACTERS)
            }
            Self::DeleteTag(name) => key("key", name),
            Self::Inputs { datasets, .. } => datasets.iter().try_for_each(|input| dataset(&input.dataset)),
            Self::Outputs(_) | Self::End { .. } => Ok(()),
        }
    }
}

fn dataset(dataset: &Dataset) -> Result<(), InvalidCall> {
    length("dataset.name", &dataset.name, limits::DATASET_NAME_CHARACTERS)?;
    length("dataset.digest", &dataset.digest, limits::DATASET_DIGEST_CHARACTERS)?;
    length("dataset.source", &dataset.source, limits::DATASET_SOURCE_CHARACTERS)?;
    length("dataset.schema", dataset.schema.as_deref().unwrap_or(""), limits::DATASET_SCHEMA_CHARACTERS)?;
    length("dataset.profile", dataset.profile.as_deref().unwrap_or(""), limits::DATASET_PROFILE_CHARACTERS)
}

fn key(field: &str, key: &str) -> Result<(), InvalidCall> {
    match keys::problem(key) {
        Some(problem) => {
            Err(invalid(field, format!("{:?} {problem}", key.chars().take(80).collect::<String>())))
        }
        None => Ok(()),
    }
}

fn length(field: &str, text: &str, most: usize) -> Result<(), InvalidCall> {
    // A text has at most as many characters as bytes: nearly all pass without being counted.
    if text.len() <= most {
        return Ok(());
    }
    match text.chars().count() {
        count if count > most => {
            Err(invalid(field, format!("has {count} characters, and the server keeps {most}")))
        }
        _ => Ok(()),
    }
}

fn invalid(field: &str, problem: String) -> InvalidCall {
    InvalidCall { path: ROUTE, field: field.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use mlflow_types::tags::Param;

    use super::*;

    #[track_caller]
    fn check(key: &str, value: &str, expected: Result<(), &str>) {
        let got = Entry::Param(Param::new(key, value)).check().map_err(|error| error.to_string());
        assert_eq!(got, expected.map_err(str::to_owned));
    }

    #[test]
    fn keys_and_values_follow_the_rules_of_the_server() {
        let long = "ü".repeat(6000);
        check("lr", "0.1", Ok(()));
        check("eval/sts-dev_cosine: 1.2 é", "", Ok(()));
        check("k", &long, Ok(()));
        check(
            "k",
            &format!("{long}x"),
            Err("runs/log-batch: `params.value` has 6001 characters, and the server keeps 6000"),
        );
        let allowed =
            "may only have letters, digits, underscores, dashes, periods, spaces, colons and slashes";
        check("a=b", "x", Err(&format!("runs/log-batch: `params.key` \"a=b\" {allowed}")));
        check("", "x", Err("runs/log-batch: `params.key` \"\" would, as a path, be \".\""));
        check("a//b", "x", Err("runs/log-batch: `params.key` \"a//b\" would, as a path, be \"a/b\""));
        for path in ["/a", "a/", "../a", "a/./b", ".", ".."] {
            assert!(Entry::DeleteTag(path.to_owned()).check().is_err(), "{path}");
        }
    }
}
