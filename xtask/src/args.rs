//! Every flag of every task, in one place.

use clap::{Args, Parser, Subcommand};

/// The command line of `cargo xtask`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Set-up, tests, checks and measurements of this workspace", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// One task, one file.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Fetch ONNX Runtime and the test models into the user's cache
    Setup(SetupArguments),
}

/// Flags of `setup`.
#[derive(Debug, Default, Args)]
pub(crate) struct SetupArguments {
    /// Only these packages, by name, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
}
