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
mod environment;
mod places;
mod process;
mod setup;
mod style;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Task};

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Setup(arguments) => setup::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
