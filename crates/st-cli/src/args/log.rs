//! `st log`.

use std::path::PathBuf;

use clap::Args;
use mlflow_client::types::{ExperimentId, LoggedModelName, ModelAlias, ModelId, RegisteredModelName, RunId};
use mlflow_flavor::PromptUri;

use super::FlavorArgs;

/// Log a model to MLflow, and register it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st log -m all-MiniLM-L6-v2 --name encoder\n  \
    st log -m all-MiniLM-L6-v2 --name encoder --register search-encoder --alias champion\n  \
    st encode -m models:/search-encoder@champion \"A man plays the guitar.\"\n  \
    st log -m all-MiniLM-L6-v2 --run-name baseline --metric spearman=0.81 --param pooling=mean\n\n\
    With no server named, MLflow's embedded store is used: mlflow.db and mlruns in this folder.\n\
    `mlflow ui` in the same folder shows what was logged.")]
pub(crate) struct LogArgs {
    /// A sentence-transformers folder, an MLflow model folder, an MLflow URI, or the name of a model on the hub.
    #[arg(short, long, value_name = "FOLDER|URI|NAME")]
    pub(crate) model: PathBuf,
    /// The name of the logged model [default: the store invents one].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<LoggedModelName>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Register the model under this name: a new version.
    #[arg(long, value_name = "NAME")]
    pub(crate) register: Option<RegisteredModelName>,
    /// Point this alias at the new version.
    #[arg(long, value_name = "ALIAS", requires = "register")]
    pub(crate) alias: Vec<ModelAlias>,
    /// Wait so long for the registry to finish; 0 does not wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) await_registration_for: u64,
    /// A tag of the logged model and of the version.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tag: Vec<(String, String)>,
    /// A param of the logged model, and of the new run if there is one.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) param: Vec<(String, String)>,
    /// A metric of the new run, which measures the model.
    #[arg(long, value_name = "KEY=NUMBER", value_parser = measure, requires = "run_name")]
    pub(crate) metric: Vec<(String, f64)>,
    /// A free word for what the model is.
    #[arg(long, value_name = "WORD")]
    pub(crate) model_type: Option<String>,
    /// A prompt of MLflow's prompt registry that the model goes with: `prompts:/NAME/VERSION` or `prompts:/NAME@ALIAS`.
    #[arg(long, value_name = "URI")]
    pub(crate) link_prompt: Vec<PromptUri>,
    /// Do not note what the model answers to fixed texts. With that note, whoever loads it learns if it answers otherwise.
    #[arg(long)]
    pub(crate) no_certificate: bool,
    /// Measure speed and memory of the model on this machine, and note them in its tags.
    #[arg(long)]
    pub(crate) profile: bool,
    #[command(flatten)]
    pub(crate) flavor: FlavorArgs,
}

/// Where a model is logged to.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The experiment, by name; created if there is none [default: `MLFLOW_EXPERIMENT_NAME`, or `Default`].
    #[arg(long, value_name = "NAME", conflicts_with_all = ["experiment_id", "run_id"])]
    pub(crate) experiment: Option<String>,
    /// The experiment, by its identifier.
    #[arg(long, value_name = "ID", conflicts_with = "run_id")]
    pub(crate) experiment_id: Option<ExperimentId>,
    /// The run that made the model; its params become the model's, its metrics are linked to it [default: `MLFLOW_RUN_ID`].
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<RunId>,
    /// Start a run of this name, log the model to it, and end it. With `MLFLOW_RUN_ID`, that run is gone on with instead.
    #[arg(long, value_name = "NAME", conflicts_with = "run_id")]
    pub(crate) run_name: Option<String>,
    /// The step of the run whose metrics are linked to the model.
    #[arg(long, value_name = "STEP", default_value_t = 0, requires = "run_id")]
    pub(crate) step: i64,
    /// A logged model that exists already and has no files yet.
    #[arg(long, value_name = "ID", conflicts_with = "name")]
    pub(crate) model_id: Option<ModelId>,
}

/// `key=value`, both text.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) => Err("the key is empty".to_owned()),
        None => Err("expected KEY=VALUE".to_owned()),
    }
}

/// `key=number`.
fn measure(text: &str) -> Result<(String, f64), String> {
    let (key, value) = pair(text)?;
    let number = value.parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok((key, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_a_number() {
        assert_eq!(measure("spearman=0.81"), Ok(("spearman".to_owned(), 0.81)));
        assert_eq!(measure("a=b=1"), Err("`b=1` is no number".to_owned()));
        assert_eq!(measure("spearman"), Err("expected KEY=VALUE".to_owned()));
        assert_eq!(measure("=1"), Err("the key is empty".to_owned()));
    }
}
