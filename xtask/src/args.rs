//! Every flag of every task, in one place.

use std::path::PathBuf;

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
    /// Fetch ONNX Runtime, the test models and the MLflow servers of the tests into the user's cache
    Setup(SetupArguments),
    /// Build `st` and show what it does on a real model, everything included
    Quickstart,
    /// Set up, then run every test
    Test(TestArguments),
    /// Check what the compiler does not: edges, façades, manifests, sizes
    Tidy,
    /// Everything that the CI checks
    Ci,
    /// Compare with mlflow and sentence-transformers in Python, vector by vector
    Interop(InteropArguments),
    /// Write the ONNX graph of a model folder (`st export`)
    Export(ExportArguments),
    /// Measure, keep the numbers and compare them with older ones
    Bench(BenchArguments),
    /// Feed damaged files to every parser of foreign files
    Fuzz(FuzzArguments),
    /// Change configurations of tiny models at random, and compare with Python what comes of it
    Differ(DifferArguments),
    /// Say who made the fixtures, or check that they are unchanged
    Fixtures(FixturesArguments),
}

/// Flags of `setup`.
#[derive(Debug, Default, Args)]
pub(crate) struct SetupArguments {
    /// Only these packages, by name, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

/// Flags of `test`.
#[derive(Debug, Default, Args)]
pub(crate) struct TestArguments {
    /// Also run the tests that are ignored otherwise
    #[arg(long)]
    pub(crate) live: bool,
}

/// Flags of `interop`.
#[derive(Debug, Default, Args)]
pub(crate) struct InteropArguments {
    /// Only the checks with this in their name
    pub(crate) filter: Option<String>,
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// A sentence-transformers folder
    #[arg(short, long)]
    pub(crate) model: PathBuf,
    /// The folder to write the graph into
    #[arg(short, long)]
    pub(crate) output: PathBuf,
    /// More flags for `st export`
    #[arg(last = true)]
    pub(crate) more: Vec<String>,
}

/// Flags of `bench`.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchArguments {
    /// Keep the numbers as benches/baselines/NAME.json
    #[arg(long, value_name = "NAME")]
    pub(crate) save: Option<String>,
    /// Compare with the numbers in benches/baselines/NAME.json
    #[arg(long, value_name = "NAME")]
    pub(crate) against: Option<String>,
    /// Only the criterion benches, not the measurements of whole commands
    #[arg(long)]
    pub(crate) kernels: bool,
    /// Only the measurements of whole commands, not the criterion benches
    #[arg(long, conflicts_with = "kernels")]
    pub(crate) commands: bool,
    /// Only what has this in its id
    pub(crate) filter: Option<String>,
}

/// Flags of `fuzz`.
#[derive(Debug, Args)]
pub(crate) struct FuzzArguments {
    /// Only this target; all without it
    pub(crate) target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
}

/// Flags of `differ`.
#[derive(Debug, Args)]
pub(crate) struct DifferArguments {
    /// Only models of these kinds: architectures, modules, cross-encoders, sparse, multi-vector; all without it
    pub(crate) kinds: Vec<String>,
    /// How long it runs
    #[arg(long, default_value_t = 300)]
    pub(crate) seconds: u64,
    /// Where chance begins: another number, other changes
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// Flags of `fixtures`.
#[derive(Debug, Default, Args)]
pub(crate) struct FixturesArguments {
    /// Compare every file with its digest in fixtures/manifest.toml
    #[arg(long)]
    pub(crate) check: bool,
}
