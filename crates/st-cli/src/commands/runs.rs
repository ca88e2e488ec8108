//! `st runs`: what was logged.

mod list;
mod show;

use super::Outcome;
use crate::args::{RunsArgs, RunsCommand};
use crate::settings::Settings;

pub(crate) fn run(args: &RunsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    match &args.command {
        RunsCommand::List(args) => list::run(args, settings),
        RunsCommand::Show(args) => show::run(args, settings),
    }
}
