//! `st models list`.

use futures::{StreamExt, TryStreamExt};
use mlflow_client::types::registered_models::{RegisteredModel, SearchRegisteredModels};

use crate::args::ListModelsArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, report, table};

/// Prompts live among the registered models; Python's client leaves them out in the same words.
const NO_PROMPTS: &str = "tag.`mlflow.prompt.is_prompt` != 'true'";

const COLUMNS: [Column<'static>; 5] = [
    Column::elastic("name", 16),
    Column::whole("latest version"),
    Column::elastic("aliases", 12),
    Column::whole("updated (UTC)"),
    Column::elastic("description", 12),
];

pub(crate) fn run(args: &ListModelsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let filter =
        args.filter.as_ref().map_or_else(|| NO_PROMPTS.to_owned(), |own| format!("{own} AND {NO_PROMPTS}"));
    let call = SearchRegisteredModels { filter: Some(filter), ..Default::default() };
    let found = mlflow.client.registered_models().search(call).take(args.limit).try_collect();
    let models: Vec<RegisteredModel> = mlflow.wait(found)?;
    if settings.json {
        report::print_json(&models)?;
    } else if models.is_empty() {
        report::note("note", &format!("no registered model at {}", mlflow.registry_shown()));
    } else {
        let rows: Vec<Vec<String>> = models.iter().map(row).collect();
        report::print_text(&table::lines(&COLUMNS, &rows))?;
    }
    Ok(Outcome::Done)
}

fn row(model: &RegisteredModel) -> Vec<String> {
    let latest = model.latest_versions.iter().map(|version| version.version).max();
    let aliases: Vec<String> =
        model.aliases.iter().map(|alias| format!("{}={}", alias.alias, alias.version)).collect();
    vec![
        model.name.to_string(),
        latest.map_or_else(String::new, |version| version.to_string()),
        aliases.join(", "),
        moment::shown(model.last_updated_timestamp),
        model.description.clone().unwrap_or_default(),
    ]
}
