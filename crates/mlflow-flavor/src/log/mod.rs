//! Logging a model to MLflow, and registering it: Python's `log_model` and `register_model`.

mod download;
mod error;
mod fetch;
mod link;
mod options;
mod prompts;
mod register;
mod run_artifacts;
mod stop;
mod upload;

use mlflow_client::Client;
use mlflow_client::types::experiments::GetExperiment;
use mlflow_client::types::limits::BATCH_PARAMS;
use mlflow_client::types::logged_models::{
    CreateLoggedModel, FinalizeLoggedModel, GetLoggedModel, LogLoggedModelParams, LoggedModel,
    LoggedModelStatus, SetLoggedModelTags,
};
use mlflow_client::types::model_versions::ModelVersion;
use mlflow_client::types::runs::{GetRun, Run};
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::types::{ExperimentId, ModelId, RunId};

pub use download::download_model;
pub use error::LogError;
pub use fetch::{FetchedModel, fetch_files_with, fetch_model, fetch_model_with};
pub use options::{LogOptions, Registration};
pub use prompts::{InvalidPromptUri, PromptUri};
pub use register::register_model;
pub use stop::StopSwitch;

use crate::{LoggedAs, MlModel, ModelFacts, SaveOptions, SavePlan};

/// What came of a log: Python's `ModelInfo`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelInfo {
    /// How every tool calls the model from now on: `models:/m-…`, or `runs:/…` on a server of MLflow 2.
    pub model_uri: String,
    /// The logged model; none on a server of MLflow 2.
    pub model_id: Option<ModelId>,
    /// The name of the logged model.
    pub name: String,
    /// The run that made it.
    pub run_id: Option<RunId>,
    /// Where its files are.
    pub artifact_uri: String,
    /// The file `MLmodel`.
    pub mlmodel: MlModel,
    /// How many bytes were sent.
    pub bytes: u64,
    /// How many files were sent.
    pub files: usize,
    /// The version that was registered.
    pub registered: Option<ModelVersion>,
}

/// Logs the sentence-transformers model in `folder`, and registers it if the options say so.
///
/// In order, as Python does it: the logged model is created, linked to the run and to the run's metrics; the files of a
/// [`SavePlan`] go straight from where they lie to the artifact store; the model is declared ready; the version is made,
/// and aliases point at it. A server of MLflow 2 knows no logged models: there the files go to the run's artifacts.
///
/// # Errors
/// [`LogError::Upload`] if something failed once the model existed: it was then declared failed, and never is ready with
/// a byte missing. [`LogError::Stopped`] and [`LogError::StoppedRegistering`] if the options' switch was used. Otherwise
/// whatever the save, the store or the registry refuse.
pub async fn log_model(
    client: &Client,
    folder: &std::path::Path,
    options: &LogOptions,
) -> Result<ModelInfo, LogError> {
    // What cannot be saved is refused before anything exists on the server.
    SavePlan::new(folder, &options.save)?;
    let run = match &options.run_id {
        Some(run_id) => Some(client.tracking().get_run(&GetRun { run_id: run_id.clone() }).await?),
        None => None,
    };
    let prompts = prompts::find(client, &options.prompts).await?;
    let stop = &options.stop;
    if stop.is_stopped() {
        return Err(LogError::Stopped);
    }
    let model = match stop.or_stop_soon(Box::pin(begin(client, run.as_ref(), options))).await {
        Ok(model) => model,
        Err(LogError::Client(error)) if error.is_unknown_route() => {
            let run = run.ok_or(LogError::NeedsRun)?;
            return Box::pin(run_artifacts::log_model(client, folder, &run, &prompts, options)).await;
        }
        Err(error) => return Err(error),
    };
    let model_id = model.info.model_id.clone();
    let sent =
        match stop.or_stop(Box::pin(fill(client, folder, &model, run.as_ref(), &prompts, options))).await {
            Ok(sent) => sent,
            Err(source) => return Err(give_up(client, model_id, source).await),
        };
    let ready = FinalizeLoggedModel { model_id: model_id.clone(), status: LoggedModelStatus::Ready };
    let model = match client.tracking().finalize_logged_model(&ready).await {
        Ok(model) => model,
        Err(source) => return Err(give_up(client, model_id, source.into()).await),
    };
    let model_uri = format!("models:/{model_id}");
    let registered = registered(client, &model_uri, options).await?;
    Ok(ModelInfo {
        model_uri,
        model_id: Some(model_id),
        name: model.info.name,
        run_id: options.run_id.clone(),
        artifact_uri: model.info.artifact_uri,
        mlmodel: sent.mlmodel,
        bytes: sent.bytes,
        files: sent.files,
        registered,
    })
}

/// The version, if one is asked for.
async fn registered(
    client: &Client,
    model_uri: &str,
    options: &LogOptions,
) -> Result<Option<ModelVersion>, LogError> {
    let Some(mut registration) = options.registration.clone() else { return Ok(None) };
    add_facts(&mut registration.tags, options);
    match options.stop.or_stop(Box::pin(register_model(client, model_uri, &registration))).await {
        Err(LogError::Stopped) => Err(LogError::StoppedRegistering { model_uri: model_uri.to_owned() }),
        outcome => outcome.map(Some),
    }
}

/// The logged model, new or given, still without files.
async fn begin(client: &Client, run: Option<&Run>, options: &LogOptions) -> Result<LoggedModel, LogError> {
    let store = client.tracking();
    let mut tags = options.tags.clone();
    add_facts(&mut tags, options);
    if let Some(model_id) = &options.model_id {
        let model = store.get_logged_model(&GetLoggedModel { model_id: model_id.clone() }).await?;
        if model.info.status != LoggedModelStatus::Pending {
            return Err(LogError::NotPending { model_id: model_id.clone() });
        }
        if !tags.is_empty() {
            store.set_logged_model_tags(&SetLoggedModelTags { model_id: model_id.clone(), tags }).await?;
        }
        add_params(client, model_id, &options.params).await?;
        return Ok(model);
    }
    let experiment_id = experiment(client, run, options).await?;
    let params = with_params_of_run(&options.params, run);
    let first = params.len().min(BATCH_PARAMS);
    let model = store
        .create_logged_model(&CreateLoggedModel {
            experiment_id,
            name: options.name.clone(),
            model_type: options.model_type.clone(),
            source_run_id: options.run_id.clone(),
            params: params[..first].to_vec(),
            tags,
        })
        .await?;
    if let Err(source) = add_params(client, &model.info.model_id, &params[first..]).await {
        return Err(give_up(client, model.info.model_id, source).await);
    }
    Ok(model)
}

/// What the model is, for whoever searches; a tag that the caller set stays.
fn add_facts(tags: &mut Vec<Tag>, options: &LogOptions) {
    let facts = options.save.facts.iter().flat_map(ModelFacts::tags);
    let facts = facts.filter(|(key, _)| tags.iter().all(|tag| tag.key != *key));
    let facts: Vec<Tag> = facts.map(|(key, value)| Tag::new(key, value)).collect();
    tags.extend(facts);
}

async fn experiment(
    client: &Client,
    run: Option<&Run>,
    options: &LogOptions,
) -> Result<ExperimentId, LogError> {
    if let Some(run) = run {
        return Ok(run.info.experiment_id.clone());
    }
    let experiment_id = options.experiment_id.clone();
    // The store would make the model in an experiment that is not there or deleted: it does not look.
    Ok(client.tracking().get_experiment(&GetExperiment { experiment_id }).await?.experiment_id)
}

/// The caller's params, then the run's; of two with one key the run's counts, as in Python.
fn with_params_of_run(params: &[Param], run: Option<&Run>) -> Vec<Param> {
    let of_run = run.map_or(&[][..], |run| &run.data.params);
    let own = params.iter().filter(|param| of_run.iter().all(|other| other.key != param.key));
    own.chain(of_run).cloned().collect()
}

async fn add_params(client: &Client, model_id: &ModelId, params: &[Param]) -> Result<(), LogError> {
    for params in params.chunks(BATCH_PARAMS) {
        let call = LogLoggedModelParams { model_id: model_id.clone(), params: params.to_vec() };
        client.tracking().log_logged_model_params(&call).await?;
    }
    Ok(())
}

/// How the model is saved, with the prompts that `MLmodel` names.
fn with_prompts(options: &LogOptions) -> SaveOptions {
    let mut save = options.save.clone();
    if !options.prompts.is_empty() {
        let uris = options.prompts.iter().map(PromptUri::to_string).collect();
        save.mlflow_model.get_or_insert_default().prompts = Some(uris);
    }
    save
}

/// Everything between "it exists" and "it is ready".
async fn fill(
    client: &Client,
    folder: &std::path::Path,
    model: &LoggedModel,
    run: Option<&Run>,
    prompts: &[ModelVersion],
    options: &LogOptions,
) -> Result<upload::Sent, LogError> {
    if let Some(run) = run {
        link::to_run(client, run, &model.info.model_id, options.step).await?;
        prompts::link_to_run(client, run, prompts).await?;
    }
    prompts::link_to_model(client, model, prompts).await?;
    let mut logged = LoggedAs::new(model.info.model_id.to_string(), model.info.artifact_uri.clone());
    if let Some(run_id) = &options.run_id {
        logged = logged.with_run_id(run_id.to_string());
    }
    let plan = SavePlan::new(folder, &with_prompts(options).with_logged(logged))?;
    upload::send(client.artifacts(), &model.info.artifact_uri, plan, options.progress.as_ref()).await
}

/// Declares a model failed and says why. A server that cannot hear even that keeps the model as pending, never as ready.
async fn give_up(client: &Client, model_id: ModelId, source: LogError) -> LogError {
    let call = FinalizeLoggedModel { model_id: model_id.clone(), status: LoggedModelStatus::UploadFailed };
    let declare = async { client.tracking().finalize_logged_model(&call).await.map_err(LogError::from) };
    let declared = match &source {
        // Whoever has asked to stop does not wait for all attempts.
        LogError::Stopped => StopSwitch::used().or_stop_soon(declare).await.is_ok(),
        _ => declare.await.is_ok(),
    };
    LogError::Upload { model_id, declared, source: Box::new(source) }
}
