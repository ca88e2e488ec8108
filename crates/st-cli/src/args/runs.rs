//! `st runs` and `st experiments`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mlflow_client::artifacts::ArtifactPath;
use mlflow_client::types::{ExperimentId, RunId};

/// Look at runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st runs list --filter \"metrics.spearman > 0.8\"\n  \
    st runs list --experiment encoders --order-by \"metrics.spearman DESC\"\n  \
    st runs show 0123456789abcdef0123456789abcdef --metric loss\n  \
    st runs artifacts list 0123456789abcdef0123456789abcdef\n  \
    st runs replay --list")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, the newest first.
    List(ListRunsArgs),
    /// Show a run: params, metrics, tags, inputs, models; or every value of a metric.
    Show(ShowRunArgs),
    /// List or download what a run made.
    Artifacts(RunArtifactsArgs),
    /// Send what runs could not send. Exit status 1 if something stays.
    Replay(ReplayArgs),
    /// Carry an old folder `mlruns` over into a database: experiments, runs, models, versions.
    Import(ImportArgs),
}

/// List runs.
#[derive(Debug, Args)]
pub(crate) struct ListRunsArgs {
    /// Only of this experiment, by name; may be given again [default: all].
    #[arg(long, value_name = "NAME")]
    pub(crate) experiment: Vec<String>,
    /// Only of this experiment, by its identifier; may be given again.
    #[arg(long, value_name = "ID")]
    pub(crate) experiment_id: Vec<ExperimentId>,
    /// Only these, such as `metrics.spearman > 0.8 AND params.pooling = 'mean'`.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Such as `metrics.spearman DESC`; may be given again.
    #[arg(long, value_name = "ORDER")]
    pub(crate) order_by: Vec<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// Show a run.
#[derive(Debug, Args)]
pub(crate) struct ShowRunArgs {
    /// The run.
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: RunId,
    /// Every value of this metric instead; may be given again.
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Vec<String>,
}

/// List or download what a run made.
#[derive(Debug, Args)]
pub(crate) struct RunArtifactsArgs {
    #[command(subcommand)]
    pub(crate) command: RunArtifactsCommand,
}

/// What to do with a run's artifacts.
#[derive(Debug, Subcommand)]
pub(crate) enum RunArtifactsCommand {
    /// List what lies directly in a directory.
    List(ListArtifactsArgs),
    /// Download a file or a directory with all below it.
    Download(DownloadArtifactsArgs),
}

/// List artifacts.
#[derive(Debug, Args)]
pub(crate) struct ListArtifactsArgs {
    /// The run.
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: RunId,
    /// A directory, or the name of a model that the run made [default: all of the run].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<ArtifactPath>,
}

/// Download artifacts.
#[derive(Debug, Args)]
pub(crate) struct DownloadArtifactsArgs {
    /// The run.
    #[arg(value_name = "RUN_ID")]
    pub(crate) run_id: RunId,
    /// A file, a directory, or the name of a model that the run made [default: all of the run].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<ArtifactPath>,
    /// The folder to write; must not exist, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}

/// Send what runs could not send.
#[derive(Debug, Args)]
#[command(after_help = "What a run of `st log` logs is on disk before it is sent. If the server is away or \
    the process is killed, it stays there until it is replayed. Each value arrives once, wherever a replay breaks \
    off. A run whose process was killed ends as failed.\n\n\
    Example:\n  st runs replay --tracking-uri http://127.0.0.1:5000")]
pub(crate) struct ReplayArgs {
    /// The folder of the spool [default: `mlflow-sentence-transformers/spool` in `XDG_STATE_HOME`, or in ~/.local/state].
    #[arg(long, value_name = "DIR")]
    pub(crate) spool: Option<PathBuf>,
    /// Only show what waits; nothing is sent.
    #[arg(long)]
    pub(crate) list: bool,
}

/// Carry an old folder `mlruns` over.
#[derive(Debug, Args)]
#[command(
    after_help = "All or nothing, under the same identifiers, into a database that holds nothing yet: mlflow.db in \
    this folder, or the file that `--tracking-uri sqlite:///FILE` names. The folder is only read; artifacts stay in it.\n\n\
    Example:\n  st runs import mlruns"
)]
pub(crate) struct ImportArgs {
    /// Where MLflow kept runs before it had a database.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// Look at experiments.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  st experiments list --filter \"name LIKE 'enc%'\"")]
pub(crate) struct ExperimentsArgs {
    #[command(subcommand)]
    pub(crate) command: ExperimentsCommand,
}

/// What to do with experiments.
#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentsCommand {
    /// List experiments, the newest first.
    List(ListExperimentsArgs),
}

/// List experiments.
#[derive(Debug, Args)]
pub(crate) struct ListExperimentsArgs {
    /// Only these, such as `name LIKE 'enc%'`.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}
