//! A logged model becomes a version of a registered one.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use mlflow_client::Client;
use mlflow_client::artifacts::ArtifactPath;
use mlflow_client::types::logged_models::{LoggedModel, SearchLoggedModels};
use mlflow_client::types::model_versions::{CreateModelVersion, ModelVersion, ModelVersionStatus};
use mlflow_client::types::runs::RunInfo;
use mlflow_client::types::{LoggedModelName, ModelId, RunId};
use mlflow_client::uri::{ArtifactUri, RunUri};

use super::{LogError, Registration};

/// Between two looks at a version that is still being registered.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes a version of a model: Python's `register_model`.
///
/// `model_uri` is `models:/m-…`, `runs:/ID/PATH`, or a URI of files that the registry can read; always of a whole model. A
/// `runs:` URI means a model among the files of the run, or else a logged model that the run made. The registered model is
/// created if there is none; aliases are set when the version is ready.
///
/// # Errors
/// [`LogError::PartOfModel`] and [`LogError::NoModelOfRun`] if the URI is not that of a model;
/// [`LogError::Registration`] and [`LogError::StillPending`] if the version does not become ready; otherwise whatever the
/// registry refuses.
pub async fn register_model(
    client: &Client,
    model_uri: &str,
    registration: &Registration,
) -> Result<ModelVersion, LogError> {
    let source = Source::of(client, &model_uri.parse()?).await?;
    let call = CreateModelVersion {
        name: registration.name.clone(),
        source: source.uri,
        run_id: source.run_id,
        tags: registration.tags.clone(),
        run_link: None,
        description: None,
        model_id: source.model_id,
    };
    client.registered_models().get_or_create(&registration.name).await?;
    let version = client.model_versions().create(&call).await?;
    let mut version = ready(client, version, registration).await?;
    for alias in &registration.aliases {
        client.registered_models().set_alias(&registration.name, alias, version.version).await?;
        if !version.aliases.contains(&alias.to_string()) {
            version.aliases.push(alias.to_string());
        }
    }
    Ok(version)
}

/// What a version is made from.
struct Source {
    uri: String,
    run_id: Option<RunId>,
    model_id: Option<ModelId>,
}

impl Source {
    /// What a URI means: of a logged model its id, of other files their address.
    async fn of(client: &Client, uri: &ArtifactUri) -> Result<Self, LogError> {
        if let ArtifactUri::Run(uri) = uri {
            return Self::of_run(client, uri).await;
        }
        let resolved = client.resolve(uri).await?;
        if resolved.path.is_some() {
            return Err(LogError::PartOfModel { uri: uri.to_string() });
        }
        Ok(match resolved.model_id {
            Some(model_id) => Self::of_model(model_id, resolved.run_id),
            None => Self { uri: resolved.artifact_uri.to_string(), run_id: resolved.run_id, model_id: None },
        })
    }

    fn of_model(model_id: ModelId, run_id: Option<RunId>) -> Self {
        Self { uri: format!("models:/{model_id}"), run_id, model_id: Some(model_id) }
    }

    /// As Python: files of the run itself if a model is among them at this place, else the logged model that the run made
    /// under this name, of several the one of the largest step.
    async fn of_run(client: &Client, uri: &RunUri) -> Result<Self, LogError> {
        client.check_workspace(&ArtifactUri::Run(uri.clone()))?;
        let run = client.runs().get(&uri.run_id).await?;
        let run_id = Some(uri.run_id.clone());
        let root = run.info.artifact_uri.trim_end_matches('/');
        // The text that the server gave stays as it is: the server compares it with what it knows.
        let place = uri.path.as_ref().map_or_else(|| root.to_owned(), |path| format!("{root}/{path}"));
        if holds_model(client, &place.parse()?).await? {
            return Ok(Self { uri: place, run_id, model_id: None });
        }
        let step = |model: &LoggedModel| {
            let mut outputs = run.outputs.model_outputs.iter();
            outputs.find(|output| output.model_id == model.info.model_id).map(|output| output.step)
        };
        let made = models_of_run(client, &run.info, uri.path.as_ref()).await?;
        // Of several with one step the first counts, as in Python: that is the newest.
        let model = made.into_iter().rev().max_by_key(step);
        let model = model.ok_or_else(|| LogError::NoModelOfRun { uri: uri.to_string() })?;
        Ok(Self::of_model(model.info.model_id, run_id))
    }
}

/// Whether `MLmodel` lies in a folder of artifacts.
async fn holds_model(client: &Client, place: &ArtifactUri) -> Result<bool, LogError> {
    match client.artifacts().open_given(place)?.list(None).await {
        Ok(files) => Ok(files.iter().any(|file| file.path.as_str() == crate::load::MLMODEL_FILE)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The logged models of a name that a run made, the newest first; none on a server of MLflow 2. The search cannot be
/// narrowed to a run.
async fn models_of_run(
    client: &Client,
    run: &RunInfo,
    name: Option<&ArtifactPath>,
) -> Result<Vec<LoggedModel>, LogError> {
    let Some(Ok(name)) = name.map(|name| name.as_str().parse::<LoggedModelName>()) else {
        return Ok(Vec::new());
    };
    let call = SearchLoggedModels {
        experiment_ids: vec![run.experiment_id.clone()],
        filter: Some(format!("name = '{name}'")),
        ..SearchLoggedModels::default()
    };
    let of_run = |model: &LoggedModel| {
        let ours = model.info.source_run_id.as_deref() == Some(run.run_id.as_str());
        std::future::ready(ours && model.info.name == name.as_str())
    };
    match client.logged_models().search(call).try_filter(of_run).try_collect().await {
        Err(error) if error.is_unknown_route() => Ok(Vec::new()),
        models => Ok(models?),
    }
}

/// Waits until a version is ready, as long as there is patience.
async fn ready(
    client: &Client,
    mut version: ModelVersion,
    registration: &Registration,
) -> Result<ModelVersion, LogError> {
    let begun = Instant::now();
    loop {
        match version.status {
            ModelVersionStatus::Ready => return Ok(version),
            ModelVersionStatus::FailedRegistration => {
                return Err(LogError::Registration {
                    name: version.name,
                    version: version.version,
                    message: version.status_message.unwrap_or_default(),
                });
            }
            ModelVersionStatus::PendingRegistration if registration.await_for.is_zero() => {
                return Ok(version);
            }
            ModelVersionStatus::PendingRegistration if begun.elapsed() >= registration.await_for => {
                let waited = begun.elapsed();
                return Err(LogError::StillPending { name: version.name, version: version.version, waited });
            }
            ModelVersionStatus::PendingRegistration => {
                tokio::time::sleep(PAUSE.min(registration.await_for.saturating_sub(begun.elapsed()))).await;
                version = client.model_versions().get(&version.name, version.version).await?;
            }
        }
    }
}
