//! `st models register`.

use std::time::Duration;

use anyhow::Context;
use mlflow_client::types::tags::Tag;
use mlflow_flavor::{Registration, register_model};
use serde_json::json;

use crate::args::RegisterArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &RegisterArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let mlflow = Mlflow::open(settings)?;
    let mut registration = Registration::new(args.name.clone());
    registration.tags = args.tag.iter().map(|(key, value)| Tag::new(key, value)).collect();
    registration.aliases.clone_from(&args.alias);
    registration.await_for = Duration::from_secs(args.await_registration_for);
    let version = mlflow
        .wait(register_model(&mlflow.client, &args.model, &registration))
        .with_context(|| format!("cannot register {}", args.model))?;
    let report = Report::from_iter([
        ("model".to_owned(), json!(version.name)),
        ("version".to_owned(), json!(version.version)),
        ("aliases".to_owned(), json!(version.aliases)),
        ("source".to_owned(), json!(version.source)),
        ("uri".to_owned(), json!(format!("models:/{}/{}", version.name, version.version))),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}
