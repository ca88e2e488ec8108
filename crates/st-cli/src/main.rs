//! `st`: sentence embeddings and their MLflow models on the command line, without Python.
//!
//! Two stages: `args` is what was typed, `settings` is what it means. A command builds library values, calls,
//! and hands the answer to `report` or `output`. Failures travel up as `anyhow` chains and are printed here,
//! with a `hints` line where there is good advice. This is the only crate that prints, reads the environment
//! or ends the process.

mod args;
mod commands;
mod encoding;
mod error;
mod facts;
mod folder;
mod hints;
mod hub;
mod input;
mod inspection;
mod interrupt;
mod label_scores;
mod long_texts;
mod mlflow;
mod model;
mod moment;
mod nearest;
mod onnx_flavor;
mod output;
mod probe;
mod profile;
mod progress;
mod ranking;
mod report;
mod reranker;
mod save_options;
mod saved_corpus;
mod scores;
mod searcher;
mod settings;
mod size;
mod spill;
mod table;
mod vectors;
mod weights;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command};
use commands::Outcome;
use settings::Settings;

/// The answer is no.
const NEGATIVE: u8 = 1;

/// What went wrong is on standard error.
const FAILURE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let settings = Settings::new(&cli.global);
    log_to_stderr(&settings.log);
    match interrupt::watch().and_then(|()| run(&cli.command, &settings)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(NEGATIVE),
        // Whoever reads the answer has read enough, as `head` does.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody to tell if standard error is closed.
            let _ = print_failure(&mut io::stderr().lock(), &error);
            ExitCode::from(if interrupt::was_asked() { interrupt::INTERRUPTED } else { FAILURE })
        }
    }
}

fn run(command: &Command, settings: &Settings) -> anyhow::Result<Outcome> {
    match command {
        Command::Encode(args) => commands::encode::run(args, settings),
        Command::Similarity(args) => commands::similarity::run(args, settings),
        Command::Search(args) => commands::search::run(args, settings),
        Command::Calibrate(args) => commands::calibrate::run(args, settings),
        Command::Configure(args) => commands::configure::run(args, settings),
        Command::Rerank(args) => commands::rerank::run(args, settings),
        Command::Save(args) => commands::save::run(args, settings),
        Command::Log(args) => commands::log::run(args, settings),
        Command::Models(args) => commands::models::run(args, settings),
        Command::Runs(args) => commands::runs::run(args, settings),
        Command::Experiments(args) => commands::experiments::run(args, settings),
        Command::Inspect(args) => commands::inspect::run(args, settings),
        Command::Predict(args) => commands::predict::run(args, settings),
        Command::Export(args) => commands::export::run(args, settings),
        Command::Doctor(args) => commands::doctor::run(args, settings),
    }
}

fn log_to_stderr(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(ansi).init();
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn print_failure(out: &mut impl Write, error: &anyhow::Error) -> io::Result<()> {
    writeln!(out, "error: {error}")?;
    for cause in error.chain().skip(1) {
        writeln!(out, "  caused by: {cause}")?;
    }
    if let Some(hint) = hints::hint(error) {
        writeln!(out, "hint: {hint}")?;
    }
    Ok(())
}
