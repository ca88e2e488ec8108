//! `st models alias`.

use serde_json::json;

use crate::args::AliasArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &AliasArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let models = mlflow.client.registered_models();
    match args.version {
        Some(version) => mlflow.wait(models.set_alias(&args.name, &args.alias, version))?,
        None => mlflow.wait(models.delete_alias(&args.name, &args.alias))?,
    }
    let report = Report::from_iter([
        ("model".to_owned(), json!(args.name)),
        ("alias".to_owned(), json!(args.alias)),
        ("version".to_owned(), args.version.map_or_else(|| json!("removed"), |version| json!(version))),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}
