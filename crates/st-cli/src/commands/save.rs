//! `st save`: a model folder into an MLflow model folder.

use std::time::Instant;

use anyhow::Context;
use mlflow_flavor::{MlModel, save_model, staging_beside};
use serde_json::json;

use super::Outcome;
use crate::args::SaveArgs;
use crate::error::Error;
use crate::facts::{self, Wanted};
use crate::folder;
use crate::interrupt::Unfinished;
use crate::model;
use crate::onnx_flavor;
use crate::report::{self, Report};
use crate::save_options;
use crate::settings::Settings;

pub(crate) fn run(args: &SaveArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let located = model::locate(&args.model, settings)?;
    let mut options = save_options::read(&args.flavor)?;
    if args.certificate {
        facts::add(&mut options, &located, Wanted { certificate: true, profile: false }, settings)?;
        if options.certificate.is_none() {
            report::note(
                "warning",
                "saved without a certificate: that is about models with one dense vector a text",
            );
        }
    }
    onnx_flavor::add(&mut options, &located, &args.flavor, settings)?;
    let (staging, unfinished) = Unfinished::begin(|| staging_beside(&args.output))
        .map_err(|source| Error::Write { file: args.output.display().to_string(), source })?;
    options.staging = Some(staging.path().to_owned());
    let saved = save_model(&located.folder, &args.output, &options)
        .with_context(|| format!("cannot save {}", args.model.display()))?;
    drop((staging, unfinished));
    report::print(&summary(args, &saved, started)?, settings)?;
    Ok(Outcome::Done)
}

fn summary(args: &SaveArgs, saved: &MlModel, started: Instant) -> Result<Report, Error> {
    let size = folder::size(&args.output)?;
    Ok(Report::from_iter([
        ("saved".to_owned(), json!(args.output.display().to_string())),
        ("flavors".to_owned(), json!(saved.flavors.names())),
        ("task".to_owned(), json!(saved.task())),
        ("model_id".to_owned(), json!(saved.model_id.as_ref().or(saved.model_uuid.as_ref()))),
        ("files".to_owned(), json!(size.files)),
        ("bytes".to_owned(), json!(size.bytes)),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ]))
}
