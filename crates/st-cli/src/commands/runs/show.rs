//! `st runs show`.

use mlflow_client::types::runs::Run;
use serde_json::{Value, json};

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
    }
    Ok(Outcome::Done)
}

fn shown(run: &Run) -> Report {
    let mut report = Report::from_iter([
        ("run".to_owned(), json!(run.info.run_id)),
        ("name".to_owned(), json!(run.info.run_name)),
        ("experiment".to_owned(), json!(run.info.experiment_id)),
        ("status".to_owned(), json!(run.info.status.as_str().to_ascii_lowercase())),
        ("started".to_owned(), json!(moment::shown(run.info.start_time))),
        ("ended".to_owned(), json!(run.info.end_time.map(|end| moment::shown(Some(end))))),
        ("artifacts".to_owned(), json!(run.info.artifact_uri)),
    ]);
    let mut section = |name: &str, entries: Vec<(String, Value)>| {
        if !entries.is_empty() {
            report.insert(name.to_owned(), Value::Object(entries.into_iter().collect()));
        }
    };
    section("params", run.data.params.iter().map(|param| (param.key.clone(), json!(param.value))).collect());
    section(
        "metrics",
        run.data.metrics.iter().map(|metric| (metric.key.clone(), json!(metric.value))).collect(),
    );
    section("tags", run.data.tags.iter().map(|tag| (tag.key.clone(), json!(tag.value))).collect());
    let datasets = run.inputs.dataset_inputs.iter();
    section(
        "datasets",
        datasets.map(|input| (input.dataset.name.clone(), json!(input.dataset.digest))).collect(),
    );
    let models = run.outputs.model_outputs.iter();
    section(
        "models",
        models.map(|model| (model.model_id.to_string(), json!(format!("step {}", model.step)))).collect(),
    );
    report
}
