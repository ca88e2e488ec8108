//! What a `models:` or `runs:` URI means today.

use mlflow_types::logged_models::{GetLoggedModel, LoggedModel, LoggedModelStatus, SearchLoggedModels};
use mlflow_types::model_versions::{
    GetModelVersion, GetModelVersionDownloadUri, ModelVersion, ModelVersionStatus,
};
use mlflow_types::registered_models::{GetLatestVersions, GetModelVersionByAlias};
use mlflow_types::runs::GetRun;
use mlflow_types::{ErrorCode, LoggedModelName, ModelId, ModelVersionNumber, RegisteredModelName, RunId};

use super::{ArtifactUri, ModelReference, ModelUri, RunUri, Workspaces};
use crate::artifacts::ArtifactPath;
use crate::{Error, RegistryStore, Result, TrackingStore};

/// As many pages are looked through; a server that gives the same page for ever would keep us here for ever.
const MOST_PAGES: usize = 10_000;

/// Where the files behind a URI are, and what they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The folder of the whole model, or what was asked for where there is no model. Never `models:` or `runs:`.
    pub artifact_uri: ArtifactUri,
    /// What was asked for inside [`Resolved::artifact_uri`]; absent for all of it.
    pub path: Option<ArtifactPath>,
    /// Files of a run that stand beside those of a logged model of the same name; the model's win.
    pub run_artifacts: Option<ArtifactUri>,
    /// The logged model.
    pub model_id: Option<ModelId>,
    /// The registered model and the number of its version.
    pub version: Option<(RegisteredModelName, ModelVersionNumber)>,
    /// The run that was named, or that made the model.
    pub run_id: Option<RunId>,
    /// When the version or the logged model was made, in milliseconds since the Unix epoch.
    pub created: Option<i64>,
    /// Whether the files are all there and will not change: the store says that the model is ready.
    pub complete: bool,
    /// Whether a store has named [`Resolved::artifact_uri`], and not the caller.
    pub by_store: bool,
}

/// Asks the stores what a URI means. A URI that is neither `models:` nor `runs:` means itself.
///
/// # Errors
/// [`Error::Uri`] for a URI that names a workspace of Databricks: only a [`Client`](crate::Client) knows whether its stores
/// are that workspace.
/// What the stores refuse; [`Error::Api`] with "not found" where a model has no version that fits; [`Error::Uri`] where
/// the stores give a URI that cannot be used.
pub async fn resolve(
    uri: &ArtifactUri,
    tracking: &dyn TrackingStore,
    registry: &dyn RegistryStore,
) -> Result<Resolved> {
    Workspaces::default().check(uri)?;
    resolve_here(uri, tracking, registry).await
}

/// The same, where the stores are those of the workspace that the URI names, if it names one.
pub(crate) async fn resolve_here(
    uri: &ArtifactUri,
    tracking: &dyn TrackingStore,
    registry: &dyn RegistryStore,
) -> Result<Resolved> {
    match uri {
        ArtifactUri::Model(uri) => model(uri, tracking, registry).await,
        ArtifactUri::Run(uri) => run(uri, tracking).await,
        other => Ok(Resolved::of(other.clone())),
    }
}

impl Resolved {
    /// Files that belong to no model and no run.
    pub fn of(artifact_uri: ArtifactUri) -> Self {
        Self {
            artifact_uri,
            path: None,
            run_artifacts: None,
            model_id: None,
            version: None,
            run_id: None,
            created: None,
            complete: false,
            by_store: false,
        }
    }

    /// Files that a store has named.
    pub fn of_store(artifact_uri: ArtifactUri) -> Self {
        Self { by_store: true, ..Self::of(artifact_uri) }
    }

    fn of_model(model: &LoggedModel) -> Result<Self> {
        Ok(Self {
            model_id: Some(model.info.model_id.clone()),
            run_id: parsed(model.info.source_run_id.as_deref()),
            created: model.info.creation_timestamp_ms,
            complete: model.info.status == LoggedModelStatus::Ready,
            ..Self::of_store(final_uri(&model.info.artifact_uri)?)
        })
    }
}

async fn model(
    uri: &ModelUri,
    tracking: &dyn TrackingStore,
    registry: &dyn RegistryStore,
) -> Result<Resolved> {
    if let ModelReference::Logged(model_id) = &uri.model {
        let call = GetLoggedModel { model_id: model_id.clone() };
        let found = tracking.get_logged_model(&call).await?;
        return Ok(Resolved { path: uri.path.clone(), ..Resolved::of_model(&found)? });
    }
    let version = find_version(&uri.model, registry).await?.ok_or_else(|| Error::Uri {
        uri: ArtifactUri::Model(uri.clone()).to_string(),
        problem: "names no version of a registered model".to_owned(),
    })?;
    resolve_version(version, uri.path.clone(), tracking, registry).await
}

/// The version that a reference to a registered model means today; none for a logged model.
pub(crate) async fn find_version(
    model: &ModelReference,
    registry: &dyn RegistryStore,
) -> Result<Option<ModelVersion>> {
    let version = match model {
        ModelReference::Logged(_) => return Ok(None),
        ModelReference::Version { name, version } => {
            registry.get_model_version(&GetModelVersion { name: name.clone(), version: *version }).await?
        }
        ModelReference::Alias { name, alias } => {
            let call = GetModelVersionByAlias { name: name.clone(), alias: alias.clone() };
            registry.get_model_version_by_alias(&call).await?
        }
        ModelReference::Latest { name } => latest(registry, name, None).await?,
        ModelReference::Stage { name, stage } => latest(registry, name, Some(stage)).await?,
    };
    Ok(Some(version))
}

/// Where the files of a version are.
pub(crate) async fn resolve_version(
    version: ModelVersion,
    path: Option<ArtifactPath>,
    tracking: &dyn TrackingStore,
    registry: &dyn RegistryStore,
) -> Result<Resolved> {
    let call = GetModelVersionDownloadUri { name: version.name.clone(), version: version.version };
    let files = source(&registry.get_model_version_download_uri(&call).await?, tracking).await?;
    Ok(Resolved {
        path,
        model_id: parsed(version.model_id.as_deref()).or(files.model_id).or_else(|| logged(&version.source)),
        run_id: parsed(version.run_id.as_deref()).or(files.run_id),
        created: version.creation_timestamp,
        complete: version.status == ModelVersionStatus::Ready && files.complete,
        version: Some((version.name, version.version)),
        run_artifacts: None,
        artifact_uri: files.artifact_uri,
        by_store: true,
    })
}

/// The logged model that a version was registered from: a server keeps its id in the source alone.
fn logged(source: &str) -> Option<ModelId> {
    match source.parse() {
        Ok(ArtifactUri::Model(ModelUri { model: ModelReference::Logged(model_id), .. })) => Some(model_id),
        _ => None,
    }
}

/// What a version was made from. Where the registry kept no address of its own, that is the `models:` or `runs:` URI that
/// the version was registered with.
async fn source(uri: &str, tracking: &dyn TrackingStore) -> Result<Resolved> {
    match uri.parse()? {
        ArtifactUri::Model(ModelUri {
            model: ModelReference::Logged(model_id),
            path: None,
            authority: None,
        }) => Resolved::of_model(&tracking.get_logged_model(&GetLoggedModel { model_id }).await?),
        ArtifactUri::Run(uri) if uri.authority.is_none() => {
            let found = run(&uri, tracking).await?;
            let artifact_uri = match &found.path {
                Some(path) => found.artifact_uri.join(path)?,
                None => found.artifact_uri.clone(),
            };
            Ok(Resolved { artifact_uri, path: None, complete: true, ..found })
        }
        _ => Ok(Resolved { complete: true, ..Resolved::of_store(final_uri(uri)?) }),
    }
}

/// The highest version, of all or in a stage. A server gives one for each stage, in no particular order.
async fn latest(
    registry: &dyn RegistryStore,
    name: &RegisteredModelName,
    stage: Option<&str>,
) -> Result<ModelVersion> {
    let stages = stage.map(str::to_owned).into_iter().collect();
    let versions = registry.get_latest_versions(&GetLatestVersions { name: name.clone(), stages }).await?;
    versions.into_iter().max_by_key(|version| version.version).ok_or_else(|| {
        let stage = stage.map(|stage| format!(" and stage '{stage}'")).unwrap_or_default();
        let message = format!("No versions of model with name '{name}'{stage} found");
        Error::api("registered-models/get-latest-versions", 404, ErrorCode::ResourceDoesNotExist, message)
    })
}

/// A run's own artifacts, and a logged model of the run whose name is the first part of the path. MLflow 3 keeps models
/// there and not among the run's artifacts; the URI of both is the same.
async fn run(uri: &RunUri, tracking: &dyn TrackingStore) -> Result<Resolved> {
    let info = tracking.get_run(&GetRun { run_id: uri.run_id.clone() }).await?.info;
    let root = final_uri(&info.artifact_uri)?;
    let Some(path) = &uri.path else {
        return Ok(Resolved { run_id: Some(uri.run_id.clone()), ..Resolved::of_store(root) });
    };
    let (first, rest) = path.as_str().split_once('/').map_or((path.as_str(), None), |(a, b)| (a, Some(b)));
    let model = match first.parse::<LoggedModelName>() {
        Ok(name) => model_of_run(tracking, &info.experiment_id, &uri.run_id, &name).await?,
        Err(_) => None,
    };
    match model {
        Some(model) => Ok(Resolved {
            path: rest.map(ArtifactPath::try_new).transpose().map_err(|error| bad_path(uri, &error))?,
            run_artifacts: Some(
                root.join(&ArtifactPath::try_new(first).map_err(|error| bad_path(uri, &error))?)?,
            ),
            run_id: Some(uri.run_id.clone()),
            ..Resolved::of_model(&model)?
        }),
        None => Ok(Resolved {
            path: Some(path.clone()),
            run_id: Some(uri.run_id.clone()),
            ..Resolved::of_store(root)
        }),
    }
}

fn bad_path(uri: &RunUri, error: &crate::artifacts::InvalidArtifactPath) -> Error {
    Error::Uri { uri: uri.to_string(), problem: format!("its path {}", error.problem) }
}

/// The first logged model of that name that the run made. The search cannot be narrowed to a run, so it goes through the
/// pages of all models of that name. Servers of MLflow 2 have no logged models.
async fn model_of_run(
    tracking: &dyn TrackingStore,
    experiment: &mlflow_types::ExperimentId,
    run_id: &RunId,
    name: &LoggedModelName,
) -> Result<Option<LoggedModel>> {
    let mut call = SearchLoggedModels {
        experiment_ids: vec![experiment.clone()],
        filter: Some(format!("name = '{name}'")),
        ..SearchLoggedModels::default()
    };
    for _ in 0..MOST_PAGES {
        let page = match tracking.search_logged_models(&call).await {
            Err(error) if error.is_unknown_route() => return Ok(None),
            page => page?,
        };
        let made_by_run = |model: &LoggedModel| {
            model.info.source_run_id.as_deref() == Some(run_id.as_str()) && model.info.name == name.as_str()
        };
        if let Some(model) = page.models.into_iter().find(made_by_run) {
            return Ok(Some(model));
        }
        match page.next_page_token.filter(|token| !token.is_empty()) {
            Some(token) => call.page_token = Some(token),
            None => return Ok(None),
        }
    }
    let problem = format!("the server gave more than {MOST_PAGES} pages");
    Err(Error::Decode { route: "logged-models/search".to_owned(), source: problem.into() })
}

/// A URI of files that a store gave.
fn final_uri(uri: &str) -> Result<ArtifactUri> {
    match uri.parse()? {
        ArtifactUri::Model(_) | ArtifactUri::Run(_) => Err(Error::Uri {
            uri: uri.to_owned(),
            problem: "the store gave this where the address of files was asked for".to_owned(),
        }),
        uri => Ok(uri),
    }
}

/// An identifier that a store gave, where empty means none.
fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests;
