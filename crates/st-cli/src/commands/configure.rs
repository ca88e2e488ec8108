//! `st configure`: what a model's owner wants of every call.

use std::io::Write;

use anyhow::Context;
use serde_json::json;
use st_model::{Defaults, ModelSpec};

use super::Outcome;
use crate::args::ConfigureArgs;
use crate::error::Error;
use crate::inspection;
use crate::model;
use crate::output::Stream;
use crate::report::{self, Report};
use crate::settings::{self, Settings};

pub(crate) fn run(args: &ConfigureArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let located = model::locate(&args.model, settings)?;
    ModelSpec::read(&located.folder)
        .with_context(|| format!("cannot read the model {}", args.model.display()))?;
    if located.is_sealed() {
        return Err(Error::Sealed { model: located.shown }.into());
    }
    let mut defaults = Defaults::read(&located.folder)?;
    defaults.long_text = settings::long_text(Some(args.long_text), args.overlap)?;
    let path = located.folder.join(Defaults::FILE);
    let mut stream = Stream::open(Some(&path), true)?;
    stream.write_all(defaults.to_json().as_bytes()).map_err(|source| stream.fail(source))?;
    stream.finish()?;
    let report = Report::from_iter([
        ("long_text".to_owned(), inspection::long_text(defaults.long_text)),
        ("output".to_owned(), json!(path.display().to_string())),
    ]);
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}
