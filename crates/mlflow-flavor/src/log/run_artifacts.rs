//! Servers of MLflow 2: a model lies among the artifacts of a run, and is noted on the run.

use std::path::Path;

use mlflow_client::Client;
use mlflow_client::types::model_versions::ModelVersion;
use mlflow_client::types::runs::{LogModel, Run};

use super::{LogError, LogOptions, ModelInfo, prompts, registered, upload, with_prompts};
use crate::{MlModel, SavePlan};

/// The folder among the run's artifacts if no name is given; Python's own examples call it so.
const MODEL: &str = "model";

/// Logs a model to a run's artifacts.
pub(super) async fn log_model(
    client: &Client,
    folder: &Path,
    run: &Run,
    prompts: &[ModelVersion],
    options: &LogOptions,
) -> Result<ModelInfo, LogError> {
    let name = options.name.as_ref().map_or(MODEL, |name| name.as_str());
    let run_id = &run.info.run_id;
    let artifact_uri = format!("{}/{name}", run.info.artifact_uri.trim_end_matches('/'));
    let mut save = with_prompts(options);
    let given = save.mlflow_model.take().unwrap_or_default();
    save.mlflow_model =
        Some(MlModel { artifact_path: Some(name.to_owned()), run_id: Some(run_id.to_string()), ..given });
    let plan = SavePlan::new(folder, &save)?;
    let upload = upload::send(client.artifacts(), &artifact_uri, plan, options.progress.as_ref());
    let sent = options.stop.or_stop(upload).await?;
    prompts::link_to_run(client, run, prompts).await?;
    let model_json = sent.mlmodel.to_value().to_string();
    client.tracking().log_model(&LogModel { run_id: run_id.clone(), model_json, model_id: None }).await?;
    let model_uri = format!("runs:/{run_id}/{name}");
    let registered = registered(client, &model_uri, options).await?;
    Ok(ModelInfo {
        model_uri,
        model_id: None,
        name: name.to_owned(),
        run_id: Some(run_id.clone()),
        artifact_uri,
        mlmodel: sent.mlmodel,
        bytes: sent.bytes,
        files: sent.files,
        registered,
    })
}
