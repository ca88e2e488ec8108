//! A logged model becomes a version of a registered one.

use std::time::{Duration, Instant};

use mlflow_client::Client;
use mlflow_client::types::model_versions::{CreateModelVersion, ModelVersion, ModelVersionStatus};

use super::{LogError, Registration};

/// Between two looks at a version that is still being registered.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes a version of a model: Python's `register_model`.
///
/// `model_uri` is `models:/m-…`, `runs:/ID/PATH`, or a URI of files that the registry can read. The registered model is
/// created if there is none; aliases are set when the version is ready.
///
/// # Errors
/// [`LogError::Registration`] and [`LogError::StillPending`] if the version does not become ready; otherwise whatever the
/// registry refuses.
pub async fn register_model(
    client: &Client,
    model_uri: &str,
    registration: &Registration,
) -> Result<ModelVersion, LogError> {
    let call = source(client, model_uri, registration).await?;
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

/// What the registry is asked for: of a logged model with its id, of a run's files with their address.
async fn source(
    client: &Client,
    model_uri: &str,
    registration: &Registration,
) -> Result<CreateModelVersion, LogError> {
    let mut call = CreateModelVersion {
        name: registration.name.clone(),
        source: model_uri.to_owned(),
        run_id: None,
        tags: registration.tags.clone(),
        run_link: None,
        description: None,
        model_id: None,
    };
    let resolved = client.resolve(&model_uri.parse()?).await?;
    call.run_id = resolved.run_id;
    match resolved.model_id {
        Some(model_id) => {
            call.source = format!("models:/{model_id}");
            call.model_id = Some(model_id);
        }
        None => call.source = resolved.artifact_uri.to_string(),
    }
    Ok(call)
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
