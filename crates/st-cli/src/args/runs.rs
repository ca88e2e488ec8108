//! `st runs`.

use clap::{Args, Subcommand};
use mlflow_client::types::{ExperimentId, RunId};

/// Look at runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st runs list --experiment encoders --filter \"metrics.spearman > 0.8\"\n  \
    st runs show 0123456789abcdef0123456789abcdef")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, the newest first.
    List(ListRunsArgs),
    /// Show a run: params, metrics, tags, inputs, models.
    Show(ShowRunArgs),
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
}
