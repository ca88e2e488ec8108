//! `st experiments`.

use futures::{StreamExt, TryStreamExt};
use mlflow_client::types::experiments::{Experiment, SearchExperiments};

use super::Outcome;
use crate::args::{ExperimentsArgs, ExperimentsCommand, ListExperimentsArgs};
use crate::mlflow::Mlflow;
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, report, table};

const COLUMNS: [Column<'static>; 4] = [
    Column::whole("experiment"),
    Column::elastic("name", 16),
    Column::whole("updated (UTC)"),
    Column::elastic("artifacts", 16),
];

pub(crate) fn run(args: &ExperimentsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    match &args.command {
        ExperimentsCommand::List(args) => list(args, settings),
    }
}

fn list(args: &ListExperimentsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let call = SearchExperiments { filter: args.filter.clone(), ..Default::default() };
    let found = mlflow.client.experiments().search(call).take(args.limit).try_collect();
    let experiments: Vec<Experiment> = mlflow.wait(found)?;
    if settings.json {
        report::print_json(&experiments)?;
    } else if experiments.is_empty() {
        report::note("note", &format!("no experiment at {}", mlflow.tracking_shown()));
    } else {
        let rows: Vec<Vec<String>> = experiments.iter().map(row).collect();
        report::print_text(&table::lines(&COLUMNS, &rows))?;
    }
    Ok(Outcome::Done)
}

fn row(experiment: &Experiment) -> Vec<String> {
    vec![
        experiment.experiment_id.to_string(),
        experiment.name.clone(),
        moment::shown(experiment.last_update_time),
        experiment.artifact_location.clone(),
    ]
}
