//! `st models tag`.

use mlflow_client::types::model_versions::DeleteModelVersionTag;
use mlflow_client::types::registered_models::DeleteRegisteredModelTag;
use serde_json::json;

use crate::args::TagArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &TagArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    mlflow.wait(apply(args, &mlflow))?;
    let set: Report = args.set.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let report = Report::from_iter([
        ("model".to_owned(), json!(args.name)),
        ("version".to_owned(), json!(args.version)),
        ("removed".to_owned(), if args.delete.is_empty() { json!(null) } else { json!(args.delete) }),
        ("tags".to_owned(), json!(set)),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

async fn apply(args: &TagArgs, mlflow: &Mlflow) -> mlflow_client::Result<()> {
    let name = &args.name;
    for (key, value) in &args.set {
        match args.version {
            Some(version) => mlflow.client.model_versions().set_tag(name, version, key, value).await?,
            None => mlflow.client.registered_models().set_tag(name, key, value).await?,
        }
    }
    let registry = mlflow.client.registry();
    for key in args.delete.iter().cloned() {
        let name = name.clone();
        match args.version {
            Some(version) => {
                registry.delete_model_version_tag(&DeleteModelVersionTag { name, version, key }).await?;
            }
            None => registry.delete_registered_model_tag(&DeleteRegisteredModelTag { name, key }).await?,
        }
    }
    Ok(())
}
