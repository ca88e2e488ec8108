//! `st inspect`: what a model is made of.

use anyhow::Context;
use serde_json::json;
use st_model::{Model, ModelSpec};

use super::Outcome;
use crate::args::InspectArgs;
use crate::inspection;
use crate::model;
use crate::report;
use crate::settings::Settings;
use crate::weights;

pub(crate) fn run(args: &InspectArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let located = model::locate_for(&args.model, settings)?;
    let spec = ModelSpec::read(&located.folder)
        .with_context(|| format!("cannot read the model {}", args.model.model.display()))?;
    let mut report = inspection::overview(&located, &spec)?;
    report.insert("weights".to_owned(), weights::section(spec.default_route().input_folder())?);
    // What follows needs the runtime; a model can be looked at without.
    match Model::load(&located.folder, &settings.load_options(&args.model)) {
        Ok(loaded) => inspection::add_loaded(&mut report, &loaded)?,
        Err(error) => {
            let chain: Vec<_> = anyhow::Error::new(error).chain().map(ToString::to_string).collect();
            report.insert("graph".to_owned(), json!({"not_loaded": chain.join(": ")}));
        }
    }
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}
