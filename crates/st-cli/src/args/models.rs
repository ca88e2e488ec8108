//! `st models`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mlflow_client::types::{ModelAlias, ModelVersionNumber, RegisteredModelName};

use super::log::pair;
use crate::size;

/// Look at and change registered models.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st models list\n  \
    st models show search-encoder\n  \
    st models register -m models:/m-0123456789abcdef0123456789abcdef --name search-encoder\n  \
    st models alias search-encoder champion 2\n  \
    st models diff models:/search-encoder/1 models:/search-encoder@champion\n  \
    st models download models:/search-encoder@champion -o model")]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

/// What to do with registered models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List registered models.
    List(ListModelsArgs),
    /// Show a registered model with its versions, or what a URI leads to.
    Show(ShowModelArgs),
    /// Make a logged model a version of a registered one.
    Register(RegisterArgs),
    /// Point an alias at a version, or remove it.
    Alias(AliasArgs),
    /// Set or remove tags of a registered model or of a version.
    Tag(TagArgs),
    /// Compare two models: files, signature, metadata, origin. Exit status 1 if they differ.
    Diff(DiffArgs),
    /// Download a model.
    Download(DownloadArgs),
    /// Remove downloaded models from the cache, the longest unused first.
    Prune(PruneArgs),
}

/// List registered models.
#[derive(Debug, Args)]
pub(crate) struct ListModelsArgs {
    /// Only these, such as `name LIKE 'search-%'`.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// Show a registered model with its versions, or what a URI leads to.
#[derive(Debug, Args)]
pub(crate) struct ShowModelArgs {
    /// A registered model's name, or an MLflow URI.
    #[arg(value_name = "NAME|URI")]
    pub(crate) model: String,
}

/// Make a logged model a version of a registered one.
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// `models:/m-…`, `runs:/ID/NAME`, or a URI of files that the server can read.
    #[arg(short, long, value_name = "URI")]
    pub(crate) model: String,
    /// The registered model; created if there is none.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: RegisteredModelName,
    /// Point this alias at the new version.
    #[arg(long, value_name = "ALIAS")]
    pub(crate) alias: Vec<ModelAlias>,
    /// A tag of the version.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tag: Vec<(String, String)>,
    /// Wait so long for the registry to finish; 0 does not wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) await_registration_for: u64,
}

/// Point an alias at a version, or remove it.
#[derive(Debug, Args)]
pub(crate) struct AliasArgs {
    /// The registered model.
    pub(crate) name: RegisteredModelName,
    /// The alias.
    pub(crate) alias: ModelAlias,
    /// The version.
    #[arg(required_unless_present = "delete", conflicts_with = "delete")]
    pub(crate) version: Option<ModelVersionNumber>,
    /// Remove the alias.
    #[arg(long)]
    pub(crate) delete: bool,
}

/// Set or remove tags of a registered model or of a version.
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    /// The registered model.
    pub(crate) name: RegisteredModelName,
    /// The version; the registered model itself if not given.
    #[arg(long = "model-version", value_name = "VERSION")]
    pub(crate) version: Option<ModelVersionNumber>,
    /// Tags to set.
    #[arg(value_name = "KEY=VALUE", value_parser = pair, required_unless_present = "delete")]
    pub(crate) set: Vec<(String, String)>,
    /// A tag to remove.
    #[arg(long, value_name = "KEY")]
    pub(crate) delete: Vec<String>,
}

/// Compare two models.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A folder or an MLflow URI.
    #[arg(value_name = "A")]
    pub(crate) left: PathBuf,
    /// Another.
    #[arg(value_name = "B")]
    pub(crate) right: PathBuf,
}

/// Download a model.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// An MLflow URI.
    #[arg(value_name = "URI")]
    pub(crate) model: String,
    /// The folder to write; must not exist, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}

/// Remove fetched models from the cache, the longest unused first. What another process uses stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st models prune --dry-run                  what is there, and what would go\n  \
    st models prune --keep 10GB\n  \
    st models prune --older-than 30\n\n\
    Without any of --keep, --older-than and --all, the limit of the cache is kept: ST_CACHE_LIMIT, or 50 GB.\n\
    It is kept after each download, too.")]
pub(crate) struct PruneArgs {
    /// Keep at most so much, such as `10GB` or `500MB` [default: the limit of the cache].
    #[arg(long, value_name = "SIZE", value_parser = size::parse, conflicts_with = "all")]
    pub(crate) keep: Option<u64>,
    /// Remove what was not used for so many days.
    #[arg(long, value_name = "DAYS", conflicts_with = "all")]
    pub(crate) older_than: Option<u32>,
    /// Remove all.
    #[arg(long)]
    pub(crate) all: bool,
    /// Remove nothing; show what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
