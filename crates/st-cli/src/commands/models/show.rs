//! `st models show`.

use futures::TryStreamExt;
use mlflow_client::types::RegisteredModelName;
use mlflow_client::types::model_versions::{ModelVersion, SearchModelVersions};
use mlflow_client::types::registered_models::RegisteredModel;
use mlflow_client::uri::{ArtifactUri, ModelReference, ModelUri};
use mlflow_flavor::FACT_TAGS;
use serde_json::json;

use crate::args::ShowModelArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, table};

const COLUMNS: [Column<'static>; 7] = [
    Column::whole("version"),
    Column::elastic("aliases", 10),
    Column::elastic("status", 5),
    Column::elastic("source", 20),
    Column::whole("created (UTC)"),
    Column::whole("run"),
    Column::elastic("tags", 10),
];

pub(crate) fn run(args: &ShowModelArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    match args.model.parse::<RegisteredModelName>() {
        Ok(name) => registered(&name, &mlflow, settings)?,
        Err(_) => place(&args.model, &mlflow, settings)?,
    }
    Ok(Outcome::Done)
}

/// A registered model with its versions, the newest first.
fn registered(name: &RegisteredModelName, mlflow: &Mlflow, settings: &Settings) -> anyhow::Result<()> {
    let model = mlflow.wait(mlflow.client.registered_models().get(name)).map_err(|error| {
        let latest = ArtifactUri::Model(ModelUri::new(ModelReference::Latest { name: name.clone() }));
        let missing = error.is_not_found().then_some(&latest);
        mlflow.failed(format!("cannot show {name}"), error, missing)
    })?;
    // A name may hold quotes; the filter's own are doubled by its builder.
    let call = SearchModelVersions {
        filter: Some(format!("name = {}", quoted(name.as_str()))),
        ..Default::default()
    };
    let mut versions: Vec<ModelVersion> =
        mlflow.wait(mlflow.client.model_versions().search(call).try_collect::<Vec<_>>())?;
    versions.sort_by_key(|version| std::cmp::Reverse(version.version));
    if settings.json {
        return Ok(report::print_json(&json!({"registered_model": model, "model_versions": versions}))?);
    }
    report::print(&shown(&model), settings)?;
    if !model.tags.is_empty() {
        let tags: Vec<_> = model.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        report::print_text(&report::foreign("tags", &tags))?;
    }
    if !versions.is_empty() {
        let rows: Vec<Vec<String>> = versions.iter().map(|version| row(version, &model)).collect();
        report::print_text(&format!("\n{}", table::lines(&COLUMNS, &rows)))?;
    }
    Ok(())
}

/// What a URI leads to.
fn place(uri: &str, mlflow: &Mlflow, settings: &Settings) -> anyhow::Result<()> {
    let resolved = mlflow.resolve(uri)?;
    let report = Report::from_iter([
        ("uri".to_owned(), json!(uri)),
        ("files".to_owned(), json!(resolved.artifact_uri.to_string())),
        ("model_id".to_owned(), json!(resolved.model_id)),
        ("version".to_owned(), json!(resolved.version)),
        ("run_id".to_owned(), json!(resolved.run_id)),
    ]);
    Ok(report::print(&report, settings)?)
}

fn shown(model: &RegisteredModel) -> Report {
    Report::from_iter([
        ("name".to_owned(), json!(model.name)),
        ("description".to_owned(), json!(model.description.as_ref().filter(|text| !text.is_empty()))),
        ("created".to_owned(), json!(moment::shown(model.creation_timestamp))),
        ("updated".to_owned(), json!(moment::shown(model.last_updated_timestamp))),
    ])
}

fn row(version: &ModelVersion, model: &RegisteredModel) -> Vec<String> {
    let aliases: Vec<&str> = model
        .aliases
        .iter()
        .filter(|alias| alias.version == version.version)
        .map(|alias| alias.alias.as_str())
        .collect();
    // Facts of the model would hide what people wrote; `--json` has all.
    let own = version.tags.iter().filter(|tag| !tag.key.starts_with(FACT_TAGS));
    let tags: Vec<String> = own.map(|tag| format!("{}={}", tag.key, tag.value)).collect();
    vec![
        version.version.to_string(),
        aliases.join(", "),
        version.status.as_str().to_ascii_lowercase().replace('_', " "),
        version.source.clone(),
        moment::shown(version.creation_timestamp),
        version.run_id.clone().unwrap_or_default(),
        tags.join(", "),
    ]
}

/// A text as the filter language has it.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
