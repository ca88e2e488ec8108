//! What was typed.

mod calibrate;
mod encode;
mod log;
mod long_text;
mod model;
mod models;
mod other;
mod rerank;
mod runs;
mod save;
mod search;

use clap::{ArgAction, Args, Parser, Subcommand};

pub(crate) use calibrate::CalibrateArgs;
pub(crate) use encode::{EncodeArgs, InputArgs, KindArgs, OutputValue};
pub(crate) use log::LogArgs;
pub(crate) use long_text::{LongTextArgs, LongTextPolicy};
pub(crate) use model::{ModelArgs, PromptArgs, parse_name};
pub(crate) use models::{
    AliasArgs, DiffArgs, DownloadArgs, ListModelsArgs, ModelsArgs, ModelsCommand, PruneArgs, RegisterArgs,
    ShowModelArgs, TagArgs,
};
pub(crate) use other::{ConfigureArgs, ContentType, DoctorArgs, ExportArgs, InspectArgs, PredictArgs};
pub(crate) use rerank::{PairArgs, RerankArgs, ScoreArgs};
pub(crate) use runs::{
    DownloadArtifactsArgs, ExperimentsArgs, ExperimentsCommand, ImportArgs, ListArtifactsArgs,
    ListExperimentsArgs, ListRunsArgs, ReplayArgs, RunArtifactsCommand, RunsArgs, RunsCommand, ShowRunArgs,
};
pub(crate) use save::{FlavorArgs, SaveArgs};
pub(crate) use search::{SearchArgs, SimilarityArgs};

/// Sentence embeddings and their MLflow models, without Python.
#[derive(Debug, Parser)]
#[command(
    name = "st",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 done, 1 the answer is negative, 2 failure.\n\n\
                  Start with:\n  st doctor\n  st encode -m ./all-MiniLM-L6-v2 \"A man plays the guitar.\""
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Print the answer as JSON, for programs.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Say more on standard error: -v what is done, -vv everything.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Ask the hub what a model that is named stands for today, instead of using what the cache has.
    #[arg(long, global = true, help_heading = "Model hub")]
    pub(crate) refresh: bool,
    /// The MLflow server or store: `http://host:5000`, `sqlite:///mlflow.db` [default: `MLFLOW_TRACKING_URI`, or
    /// `sqlite:///mlflow.db` in this folder].
    #[arg(long, global = true, value_name = "URI", help_heading = "MLflow")]
    pub(crate) tracking_uri: Option<String>,
    /// The model registry, if it is another [default: `MLFLOW_REGISTRY_URI`, or the tracking store].
    #[arg(long, global = true, value_name = "URI", help_heading = "MLflow")]
    pub(crate) registry_uri: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Turn texts into vectors.
    Encode(EncodeArgs),
    /// Compare texts.
    Similarity(SimilarityArgs),
    /// Find the texts of a corpus that are closest to a query.
    Search(SearchArgs),
    /// Find out where the 256 values of int8 and uint8 lie, and keep that with the model.
    Calibrate(CalibrateArgs),
    /// Keep with a model what happens to texts that are too long.
    Configure(ConfigureArgs),
    /// Score texts with a cross-encoder: documents for a query, or pairs.
    Rerank(Box<RerankArgs>),
    /// Put a model folder into an MLflow model folder.
    Save(SaveArgs),
    /// Log a model to MLflow, and register it.
    Log(Box<LogArgs>),
    /// Look at and change registered models.
    Models(ModelsArgs),
    /// Look at runs, and send what they could not send.
    Runs(RunsArgs),
    /// Look at experiments.
    Experiments(ExperimentsArgs),
    /// Show what a model is made of.
    Inspect(InspectArgs),
    /// Answer a request of MLflow's scoring protocol, without a server.
    Predict(PredictArgs),
    /// Write the ONNX graph of a model.
    Export(ExportArgs),
    /// Show what is installed, whether MLflow answers, what is missing, and the command that mends it.
    Doctor(DoctorArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declarations_are_sound_and_each_command_has_an_example() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("st {}", subcommand.get_name());
            let commands = help.lines().filter(|line| line.starts_with("  ") && line.contains(&example));
            assert!(help.starts_with("Example") && commands.count() > 0, "{}: {help}", subcommand.get_name());
        }
    }
}
