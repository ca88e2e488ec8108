//! Everything a person or the CI runs here: set-up, tests, checks and measurements.
//!
//! One file a command, flags in `args`. The two that a newcomer needs are `cargo xtask quickstart` and
//! `cargo xtask test`; both do their own set-up.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who runs it"
)]

mod args;
mod bench;
mod binary;
mod ci;
mod consumers;
mod differ;
mod environment;
mod export;
mod fixtures;
mod fuzz;
mod interop;
mod made;
mod node;
mod places;
mod process;
mod python;
mod quickstart;
mod readme;
mod setup;
mod style;
mod test;
mod tidy;
mod totals;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Arguments, Task};

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Setup(arguments) => setup::run(arguments),
        Task::Test(arguments) => test::run(arguments),
        Task::Tidy => tidy::run(),
        Task::Ci => ci::run(),
        Task::Interop(arguments) => interop::run(arguments),
        Task::Export(arguments) => export::run(arguments),
        Task::Fixtures(arguments) => fixtures::run(arguments.check),
        Task::Quickstart => quickstart::run(),
        Task::Bench(arguments) => bench::run(arguments),
        Task::Fuzz(arguments) => fuzz::run(arguments),
        Task::Differ(arguments) => differ::run(arguments),
    }
}
