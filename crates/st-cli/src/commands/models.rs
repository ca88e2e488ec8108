//! `st models`: registered models and their versions.

mod alias;
mod diff;
mod download;
mod list;
mod prune;
mod register;
mod show;
mod tag;

use super::Outcome;
use crate::args::{ModelsArgs, ModelsCommand};
use crate::settings::Settings;

pub(crate) fn run(args: &ModelsArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    match &args.command {
        ModelsCommand::List(args) => list::run(args, settings),
        ModelsCommand::Show(args) => show::run(args, settings),
        ModelsCommand::Register(args) => register::run(args, settings),
        ModelsCommand::Alias(args) => alias::run(args, settings),
        ModelsCommand::Tag(args) => tag::run(args, settings),
        ModelsCommand::Diff(args) => diff::run(args, settings),
        ModelsCommand::Download(args) => download::run(args, settings),
        ModelsCommand::Prune(args) => prune::run(args, settings),
    }
}
