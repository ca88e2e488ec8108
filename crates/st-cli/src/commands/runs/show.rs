//! `st runs show`.

use mlflow_client::types::runs::Run;
use serde_json::json;

use crate::args::ShowRunArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::moment;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &ShowRunArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let run = mlflow.wait(mlflow.client.runs().get(&args.run_id))?;
    if settings.json {
        report::print_json(&run)?;
    } else {
        report::print(&shown(&run), settings)?;
        report::print_text(&logged(&run))?;
    }
    Ok(Outcome::Done)
}

fn shown(run: &Run) -> Report {
    Report::from_iter([
        ("run".to_owned(), json!(run.info.run_id)),
        ("name".to_owned(), json!(run.info.run_name)),
        ("experiment".to_owned(), json!(run.info.experiment_id)),
        ("status".to_owned(), json!(run.info.status.as_str().to_ascii_lowercase())),
        ("started".to_owned(), json!(moment::shown(run.info.start_time))),
        ("ended".to_owned(), json!(run.info.end_time.map(|end| moment::shown(Some(end))))),
        ("artifacts".to_owned(), json!(run.info.artifact_uri)),
    ])
}

/// What was logged, in sections.
fn logged(run: &Run) -> String {
    let data = &run.data;
    let datasets = run.inputs.dataset_inputs.iter().map(|input| &input.dataset);
    let models = run.outputs.model_outputs.iter();
    let sections: [(&str, Vec<(String, String)>); 5] = [
        ("params", data.params.iter().map(|param| (param.key.clone(), param.value.clone())).collect()),
        (
            "metrics",
            data.metrics.iter().map(|metric| (metric.key.clone(), metric.value.to_string())).collect(),
        ),
        ("tags", data.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()),
        ("datasets", datasets.map(|dataset| (dataset.name.clone(), dataset.digest.clone())).collect()),
        (
            "models",
            models.map(|model| (model.model_id.to_string(), format!("step {}", model.step))).collect(),
        ),
    ];
    let filled = sections.into_iter().filter(|(_, entries)| !entries.is_empty());
    filled.map(|(title, entries)| report::foreign(title, &entries)).collect()
}
