//! `st models diff`: what sets two models apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use mlflow_flavor::{Digests, LoadedModel, Value};
use serde_json::json;

use crate::args::DiffArgs;
use crate::commands::Outcome;
use crate::error::Error;
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::table::Column;
use crate::{model, table};

/// Keys that differ between any two models, and say nothing of what they do.
const IDENTITY: [&str; 5] = ["artifact_path", "model_id", "model_uuid", "run_id", "utc_time_created"];

/// What one model has under a key or a path, and the other has there.
type Difference = (String, Option<String>, Option<String>);

pub(crate) fn run(args: &DiffArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let (left, right) = (open(&args.left, settings)?, open(&args.right, settings)?);
    let described = differences(&description(&left), &description(&right));
    let files = differences(&files(&left)?, &files(&right)?);
    let same = described.is_empty() && files.is_empty();
    if settings.json {
        report::print_json(&json!({"same": same, "mlmodel": listed(&described), "files": listed(&files)}))?;
    } else if same {
        report::print(&Report::from_iter([("same".to_owned(), json!(true))]), settings)?;
    } else {
        report::print_text(&shown("MLmodel", &described, args))?;
        report::print_text(&shown("file", &files, args))?;
    }
    Ok(if same { Outcome::Done } else { Outcome::Negative })
}

fn open(model: &Path, settings: &Settings) -> anyhow::Result<LoadedModel> {
    let located = model::locate(model, settings)?;
    Ok(located.mlflow.ok_or_else(|| Error::NotMlflow { folder: model.display().to_string() })?)
}

/// Every value of the MLmodel under the path of its keys.
fn description(model: &LoadedModel) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    if let Value::Object(keys) = model.mlmodel.to_value() {
        for (key, value) in keys.into_iter().filter(|(key, _)| !IDENTITY.contains(&key.as_str())) {
            flatten(key, value, &mut flat);
        }
    }
    flat
}

fn flatten(path: String, value: Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(keys) => {
            keys.into_iter().for_each(|(key, value)| flatten(format!("{path}.{key}"), value, flat));
        }
        Value::Null => {}
        Value::String(text) => drop(flat.insert(path, text)),
        other => drop(flat.insert(path, other.to_string())),
    }
}

/// Every file but the MLmodel with its digest; a model that brings no digests cannot be compared.
fn files(model: &LoadedModel) -> anyhow::Result<BTreeMap<String, String>> {
    let digests = Digests::read(&model.path)?
        .with_context(|| format!("{} brings no digests of its files", model.path.display()))?;
    let files = digests.files().filter(|(path, _)| *path != "MLmodel");
    Ok(files.map(|(path, digest)| (path.to_owned(), digest.sha256.to_string())).collect())
}

fn differences(left: &BTreeMap<String, String>, right: &BTreeMap<String, String>) -> Vec<Difference> {
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    keys.into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| (key.clone(), left.get(key).cloned(), right.get(key).cloned()))
        .collect()
}

fn listed(differences: &[Difference]) -> Value {
    let each = differences.iter().map(|(key, left, right)| (key.clone(), json!({"a": left, "b": right})));
    Value::Object(each.collect())
}

fn shown(kind: &str, differences: &[Difference], args: &DiffArgs) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
    let rows: Vec<Vec<String>> =
        differences.iter().map(|(key, left, right)| vec![key.clone(), cell(left), cell(right)]).collect();
    let (left, right) = (args.left.to_string_lossy(), args.right.to_string_lossy());
    let columns = [Column::whole(kind), Column::elastic(&left, 12), Column::elastic(&right, 12)];
    table::lines(&columns, &rows) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_not_a_difference() {
        let left = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let right = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("c".to_owned(), "3".to_owned())]);
        assert_eq!(
            differences(&left, &right),
            [("b".to_owned(), Some("2".to_owned()), None), ("c".to_owned(), None, Some("3".to_owned()))]
        );
    }
}
