//! MLflow's rules for names and lengths, in the words of its server (`mlflow.utils.validation`, MLflow 3.17).
//!
//! One difference: a value that is too long for a param or a tag is refused, as by a server that runs with
//! `MLFLOW_TRUNCATE_LONG_VALUES=false`, unless the store was told to cut it before it comes here.

use std::collections::BTreeSet;

use mlflow_types::inputs::DatasetInput;
use mlflow_types::limits;
use mlflow_types::metrics::Metric;
use mlflow_types::tags::{Param, Tag};

use super::python_text::{quoted, repr, repr_list};
use super::refusal::{Outcome, invalid};

/// Characters of an experiment's location of artifacts.
const LOCATION_CHARACTERS: usize = 2048;
/// Characters of the key and of the value of a tag of an input.
const INPUT_TAG_CHARACTERS: (usize, usize) = (255, 500);

/// An experiment's identifier as the number that it is in the database.
pub(super) fn experiment_number(experiment_id: &str) -> Outcome<i64> {
    experiment_id.parse().map_err(|_| {
        invalid(format!("Invalid experiment ID '{experiment_id}'. Experiment ID must be a valid integer."))
    })
}

/// The name of an experiment.
pub(super) fn experiment_name(name: &str) -> Outcome<()> {
    if name.is_empty() {
        return Err(invalid("Invalid experiment name: ''"));
    }
    length("name", limits::EXPERIMENT_NAME_CHARACTERS, name)
}

/// Where the artifacts of an experiment are to be.
pub(super) fn artifact_location(location: &str) -> Outcome<()> {
    if location.chars().count() <= LOCATION_CHARACTERS {
        return Ok(());
    }
    Err(invalid(format!(
        "Invalid artifact path length. The length of the artifact path cannot be greater than {LOCATION_CHARACTERS} \
         characters. To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable."
    )))
}

/// A tag of an experiment.
pub(super) fn experiment_tag(tag: &Tag) -> Outcome<()> {
    name("key", &tag.key)?;
    length("key", limits::KEY_CHARACTERS, &tag.key)?;
    length("value", limits::EXPERIMENT_TAG_VALUE_CHARACTERS, &tag.value)
}

/// A tag of a registered model or of a version.
pub(super) fn registry_tag(tag: &Tag) -> Outcome<()> {
    name("key", &tag.key)?;
    length("key", limits::KEY_CHARACTERS, &tag.key)?;
    length("value", limits::REGISTERED_MODEL_TAG_VALUE_CHARACTERS, &tag.value)
}

/// A tag of a run; `path` is where it stands in the call: `tags[3].`, or nothing.
pub(super) fn run_tag(tag: &Tag, path: &str) -> Outcome<()> {
    name(&format!("{path}key"), &tag.key)?;
    length(&format!("{path}key"), limits::KEY_CHARACTERS, &tag.key)?;
    length(&format!("{path}value"), limits::TAG_VALUE_CHARACTERS, &tag.value)
}

/// A param of a run.
pub(super) fn param(param: &Param, path: &str) -> Outcome<()> {
    name(&format!("{path}key"), &param.key)?;
    length("Param key", limits::KEY_CHARACTERS, &param.key)?;
    length("Param value", limits::PARAM_VALUE_CHARACTERS, &param.value)
}

/// A value of a metric.
pub(super) fn metric(metric: &Metric, path: &str) -> Outcome<()> {
    if !is_name(&metric.key) {
        name(&format!("{path}name"), &metric.key)?;
    }
    if metric.timestamp < 0 {
        return Err(invalid(format!(
            "Invalid value {} for parameter '{path}timestamp' supplied: metric '{}' (value={}). Timestamp must be a \
             nonnegative long (64-bit integer) ",
            metric.timestamp, metric.key, metric.value
        )));
    }
    length("Metric name", limits::KEY_CHARACTERS, &metric.key)
}

/// What one `runs/log-batch` holds.
pub(super) fn batch(metrics: &[Metric], params: &[Param], tags: &[Tag]) -> Outcome<()> {
    for (index, value) in metrics.iter().enumerate() {
        metric(value, &format!("metrics[{index}]."))?;
    }
    for (index, value) in params.iter().enumerate() {
        param(value, &format!("params[{index}]."))?;
    }
    for (index, value) in tags.iter().enumerate() {
        run_tag(value, &format!("tags[{index}]."))?;
    }
    let total = metrics.len() + params.len() + tags.len();
    for (kind, limit, count) in [
        ("metrics", limits::BATCH_METRICS, metrics.len()),
        ("params", limits::BATCH_PARAMS, params.len()),
        ("tags", limits::BATCH_TAGS, tags.len()),
        ("metrics, params, and tags", limits::BATCH_TOTAL, total),
    ] {
        if count > limit {
            return Err(invalid(format!(
                "A batch logging request can contain at most {limit} {kind}. Got {count} {kind}. Please split up {kind} \
                 across multiple requests and try again."
            )));
        }
    }
    let mut seen = BTreeSet::new();
    let repeated: Vec<&str> =
        params.iter().map(|param| param.key.as_str()).filter(|key| !seen.insert(*key)).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Duplicate parameter keys have been submitted: {}. Please ensure the request contains only one param value per \
         param key.",
        repr_list(repeated)
    )))
}

/// A dataset that a run read.
pub(super) fn dataset_input(input: &DatasetInput) -> Outcome<()> {
    let dataset = &input.dataset;
    length("name", limits::DATASET_NAME_CHARACTERS, &dataset.name)?;
    length("digest", limits::DATASET_DIGEST_CHARACTERS, &dataset.digest)?;
    length("source", limits::DATASET_SOURCE_CHARACTERS, &dataset.source)?;
    length("schema", limits::DATASET_SCHEMA_CHARACTERS, dataset.schema.as_deref().unwrap_or_default())?;
    length("profile", limits::DATASET_PROFILE_CHARACTERS, dataset.profile.as_deref().unwrap_or_default())?;
    for tag in &input.tags {
        length("key", INPUT_TAG_CHARACTERS.0, &tag.key)?;
        length("value", INPUT_TAG_CHARACTERS.1, &tag.value)?;
    }
    Ok(())
}

/// The name of a registered model, beyond what its type has checked.
pub(super) fn registered_model_name(text: &str) -> Outcome<()> {
    if is_other_path(text) {
        return Err(bad_path("name", text));
    }
    Ok(())
}

/// A page's size. `word` is how MLflow names the field.
pub(super) fn page_size(size: u32, most: u32) -> Outcome<()> {
    if size == 0 {
        return Err(invalid(
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
        ));
    }
    if size > most {
        return Err(invalid(format!(
            "Invalid value {size} for parameter 'max_results' supplied. It must be at most {most}"
        )));
    }
    Ok(())
}

/// The key of a metric, a param or a tag.
fn name(path: &str, text: &str) -> Outcome<()> {
    if !text.chars().all(is_name_character) {
        return Err(invalid(format!(
            "Invalid value {} for parameter '{path}' supplied: Names may only contain alphanumerics, underscores (_), \
             dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
            quoted(text)
        )));
    }
    if is_other_path(text) {
        return Err(bad_path(path, text));
    }
    Ok(())
}

fn bad_path(path: &str, text: &str) -> super::refusal::Refusal {
    invalid(format!(
        "Invalid value {} for parameter '{path}' supplied: Names may be treated as files in certain cases, and must not \
         resolve to other names when treated as such. This name would resolve to {}",
        quoted(text),
        repr(&normal_path(text))
    ))
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_name_character) && !is_other_path(text)
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '/' | '.' | '-' | ' ' | ':')
}

fn is_other_path(text: &str) -> bool {
    let normal = normal_path(text);
    normal != text || normal == "." || normal.starts_with("..") || normal.starts_with('/')
}

/// A path as Python's `posixpath.normpath` has it.
fn normal_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    // Two slashes in front mean something of their own; three mean one.
    let root = if path.starts_with("//") && !path.starts_with("///") { "//" } else { "/" };
    match (rooted, parts.is_empty()) {
        (true, _) => format!("{root}{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn length(what: &str, limit: usize, text: &str) -> Outcome<()> {
    if text.len() <= limit || text.chars().count() <= limit {
        return Ok(());
    }
    Err(invalid(format!("'{what}' exceeds the maximum length of {limit} characters")))
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Refusal;
    use super::*;

    #[track_caller]
    fn check(outcome: Outcome<()>, expected: &str) {
        match outcome {
            Err(Refusal::Said(code, message)) => {
                assert_eq!((code.as_str(), message.as_str()), ("INVALID_PARAMETER_VALUE", expected));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names() {
        for name in ["loss", "val/loss", "a b.c-d_e:f", "größe"] {
            assert!(param(&Param::new(name, ""), "").is_ok(), "{name}");
        }
        check(
            run_tag(&Tag::new("a#b", ""), ""),
            "Invalid value \"a#b\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), \
             dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
        );
        for (name, resolved) in [
            ("", "."),
            ("a//b", "a/b"),
            ("../a", "../a"),
            ("/a", "/a"),
            ("a/../b", "b"),
            ("a/", "a"),
            ("//a", "//a"),
        ] {
            check(
                metric(&Metric::new(name, 0.0, 0, 0), "metrics[0]."),
                &format!(
                    "Invalid value \"{name}\" for parameter 'metrics[0].name' supplied: Names may be treated as files in \
                     certain cases, and must not resolve to other names when treated as such. This name would resolve \
                     to '{resolved}'"
                ),
            );
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(param(&Param::new("a", "ö".repeat(6000)), "").is_ok());
        check(
            param(&Param::new("a", "ö".repeat(6001)), ""),
            "'Param value' exceeds the maximum length of 6000 characters",
        );
        check(
            run_tag(&Tag::new("a", "x".repeat(8001)), "tags[0]."),
            "'tags[0].value' exceeds the maximum length of 8000 characters",
        );
    }

    #[test]
    fn batches() {
        let params = vec![Param::new("a", "1"), Param::new("b", "1"), Param::new("a", "1")];
        check(
            batch(&[], &params, &[]),
            "Duplicate parameter keys have been submitted: ['a']. Please ensure the request contains only one param \
             value per param key.",
        );
        let tags: Vec<Tag> = (0..101).map(|index| Tag::new(format!("t{index}"), "")).collect();
        check(
            batch(&[], &[], &tags),
            "A batch logging request can contain at most 100 tags. Got 101 tags. Please split up tags across multiple \
             requests and try again.",
        );
    }
}
