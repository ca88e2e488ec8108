//! `st runs list`.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use mlflow_client::types::ExperimentId;
use mlflow_client::types::experiments::SearchExperiments;
use mlflow_client::types::runs::{Run, SearchRuns};

use crate::args::ListRunsArgs;
use crate::commands::Outcome;
use crate::error::Error;
use crate::mlflow::Mlflow;
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, report, table};

/// Metrics that a line has room for.
const METRICS: usize = 3;

/// What matters most comes first: a narrow terminal leaves the last ones out.
const COLUMNS: [Column<'static>; 6] = [
    Column::whole("run"),
    Column::elastic("name", 12),
    Column::whole("status"),
    Column::elastic("metrics", 16),
    Column::whole("started (UTC)"),
    Column::elastic("experiment", 10),
];

pub(crate) fn run(args: &ListRunsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let experiments = mlflow.wait(experiments(args, &mlflow))?;
    let call = SearchRuns {
        experiment_ids: experiments.keys().cloned().collect(),
        filter: args.filter.clone(),
        order_by: args.order_by.clone(),
        ..Default::default()
    };
    let found = mlflow.client.runs().search(call).take(args.limit).try_collect();
    let runs: Vec<Run> = mlflow.wait(found)?;
    if settings.json {
        report::print_json(&runs)?;
    } else if runs.is_empty() {
        report::note("note", &format!("no run at {}", mlflow.tracking_shown()));
    } else {
        let rows: Vec<Vec<String>> = runs.iter().map(|run| row(run, &experiments)).collect();
        report::print_text(&table::lines(&COLUMNS, &rows))?;
    }
    Ok(Outcome::Done)
}

/// The experiments that were named, or all in use, by identifier.
async fn experiments(args: &ListRunsArgs, mlflow: &Mlflow) -> anyhow::Result<BTreeMap<ExperimentId, String>> {
    let handle = mlflow.client.experiments();
    let mut found = BTreeMap::new();
    for name in &args.experiment {
        let experiment =
            handle.by_name(name).await?.ok_or_else(|| Error::NoExperiment { name: name.clone() })?;
        found.insert(experiment.experiment_id, experiment.name);
    }
    for id in &args.experiment_id {
        let experiment = handle.get(id).await?;
        found.insert(experiment.experiment_id, experiment.name);
    }
    if found.is_empty() {
        let mut all = handle.search(SearchExperiments::default());
        while let Some(experiment) = all.try_next().await? {
            found.insert(experiment.experiment_id, experiment.name);
        }
    }
    Ok(found)
}

fn row(run: &Run, experiments: &BTreeMap<ExperimentId, String>) -> Vec<String> {
    let mut metrics: Vec<String> = run
        .data
        .metrics
        .iter()
        .take(METRICS)
        .map(|metric| format!("{} {:.4}", metric.key, metric.value))
        .collect();
    if run.data.metrics.len() > METRICS {
        metrics.push("…".to_owned());
    }
    vec![
        run.info.run_id.to_string(),
        run.info.run_name.clone(),
        run.info.status.as_str().to_ascii_lowercase(),
        metrics.join(", "),
        moment::shown(run.info.start_time),
        experiments.get(&run.info.experiment_id).cloned().unwrap_or_default(),
    ]
}
