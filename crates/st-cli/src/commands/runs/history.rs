//! `st runs show --metric`: every value of a metric.

use futures::TryStreamExt;
use mlflow_client::types::metrics::Metric;

use crate::args::ShowRunArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::settings::Settings;
use crate::table::Column;
use crate::{moment, report, table};

const COLUMNS: [Column<'static>; 6] = [
    Column::elastic("metric", 12),
    Column::whole("step"),
    Column::whole("value"),
    Column::whole("time (UTC)"),
    Column::whole("model"),
    Column::elastic("dataset", 10),
];

pub(crate) fn run(args: &ShowRunArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let mut values: Vec<Metric> = Vec::new();
    for key in &args.metric {
        let history = mlflow.client.runs().metric_history(&args.run_id, key);
        let mut found: Vec<Metric> = mlflow.wait(history.try_collect())?;
        if found.is_empty() {
            report::note("note", &format!("run {} has no metric {key}", args.run_id));
        }
        found.sort_by_key(|metric| (metric.step, metric.timestamp));
        values.extend(found);
    }
    if settings.json {
        report::print_json(&values)?;
    } else if !values.is_empty() {
        let rows: Vec<Vec<String>> = values.iter().map(row).collect();
        report::print_text(&table::lines(&COLUMNS, &rows))?;
    }
    Ok(if values.is_empty() { Outcome::Negative } else { Outcome::Done })
}

fn row(metric: &Metric) -> Vec<String> {
    vec![
        metric.key.clone(),
        metric.step.to_string(),
        metric.value.to_string(),
        moment::shown(Some(metric.timestamp)),
        metric.model_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        metric.dataset_name.clone().unwrap_or_default(),
    ]
}
