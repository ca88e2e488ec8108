//! `st runs`: what was logged, and what still has to be sent.

mod artifacts;
mod history;
mod import;
mod list;
mod replay;
mod show;

use super::Outcome;
use crate::args::{RunArtifactsCommand, RunsArgs, RunsCommand};
use crate::settings::Settings;

pub(crate) fn run(args: &RunsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    match &args.command {
        RunsCommand::List(args) => list::run(args, settings),
        RunsCommand::Show(args) if args.metric.is_empty() => show::run(args, settings),
        RunsCommand::Show(args) => history::run(args, settings),
        RunsCommand::Artifacts(args) => match &args.command {
            RunArtifactsCommand::List(args) => artifacts::list(args, settings),
            RunArtifactsCommand::Download(args) => artifacts::download(args, settings),
        },
        RunsCommand::Replay(args) => replay::run(args, settings),
        RunsCommand::Import(args) => import::run(args, settings),
    }
}
