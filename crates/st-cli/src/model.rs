//! From `-m` to a model.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use mlflow_client::uri::ArtifactUri;
use mlflow_flavor::{
    DigestPolicy, FetchedModel, LoadOptions as OpenOptions, LoadedModel, LogError, fetch_files_with,
    fetch_model_with, load_model_with,
};
use st_core::{BoxError, EncodeOptions, Mode};
use st_model::{GraphInfo, LoadOptions, ModelKind, ModelSpec, Provenance, SentenceTransformer};

use crate::args::ModelArgs;
use crate::error::Error;
use crate::mlflow::{self, Mlflow};
use crate::settings::Settings;

/// The file that makes a folder an MLflow model.
const MLMODEL: &str = "MLmodel";

/// A model that is ready, and how long that took.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) encoder: SentenceTransformer,
    pub(crate) took: Duration,
    /// What people call it, where that is no secret of this machine.
    name: Option<String>,
    /// Its ID in MLflow.
    id: Option<String>,
}

impl Loaded {
    /// What made the vectors of a call with these options.
    pub(crate) fn provenance(&self, options: &EncodeOptions) -> anyhow::Result<Provenance> {
        let mut provenance = self.encoder.provenance(options).context("cannot encode the texts")?;
        provenance.model.name.clone_from(&self.name);
        provenance.model.id.clone_from(&self.id);
        Ok(provenance)
    }
}

/// Where a model lies.
#[derive(Debug)]
pub(crate) struct Located {
    /// The sentence-transformers folder.
    pub(crate) folder: PathBuf,
    /// The MLflow model around it, if there is one.
    pub(crate) mlflow: Option<LoadedModel>,
    /// What the user called it.
    pub(crate) shown: String,
    /// Nobody makes room in the cache by removing it.
    _fetched: Option<FetchedModel>,
}

/// Finds the sentence-transformers folder of a model; what is a URI and no folder is fetched.
pub(crate) fn locate(path: &Path, settings: &Settings) -> anyhow::Result<Located> {
    locate_with(path, settings, &OpenOptions::default())
}

/// Finds the sentence-transformers folder of the model that a command works with.
pub(crate) fn locate_for(args: &ModelArgs, settings: &Settings) -> anyhow::Result<Located> {
    let digests = if args.require_digests { DigestPolicy::Require } else { DigestPolicy::IfPresent };
    let located = locate_with(&args.model, settings, &OpenOptions::default().with_digests(digests))?;
    if args.require_digests && located.mlflow.is_none() {
        return Err(Error::NotMlflow { folder: args.model.display().to_string() }.into());
    }
    Ok(located)
}

fn locate_with(path: &Path, settings: &Settings, options: &OpenOptions) -> anyhow::Result<Located> {
    let text = path.to_string_lossy();
    if !path.exists() {
        if is_uri(&text) {
            return fetch(&text, settings, options);
        }
        let advice = elsewhere(path, settings.places.cache.as_deref());
        return Err(Error::NoModel { folder: text.into_owned(), advice }.into());
    }
    if path.join(MLMODEL).is_file() {
        let model = load_model_with(path, options)
            .with_context(|| format!("cannot open the MLflow model {}", path.display()))?;
        return Ok(Located {
            folder: model.data_path.clone(),
            mlflow: Some(model),
            shown: text.into_owned(),
            _fetched: None,
        });
    }
    Ok(Located { folder: path.to_owned(), mlflow: None, shown: text.into_owned(), _fetched: None })
}

/// Where a model may be that was named as a hub names it: `all-MiniLM-L6-v2`, `sentence-transformers/all-MiniLM-L6-v2`.
fn elsewhere(path: &Path, cache: Option<&Path>) -> Option<String> {
    let parts: Vec<&str> = path.to_str()?.split('/').collect();
    let (owner, name) = match parts.as_slice() {
        [name] => ("sentence-transformers", *name),
        [owner, name] => (*owner, *name),
        _ => return None,
    };
    let is_plain = |part: &str| {
        part.starts_with(|character: char| character.is_ascii_alphanumeric())
            && part.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
    };
    if !is_plain(owner) || !is_plain(name) {
        return None;
    }
    if let Some(folder) = cache.map(|cache| cache.join("models").join(name)).filter(|folder| folder.is_dir())
    {
        return Some(format!("a model of that name was fetched before: `-m {}`", folder.display()));
    }
    Some(format!(
        "`-m` takes a folder or an MLflow URI, and asks no hub: `hf download {owner}/{name} --local-dir {name}` makes \
         such a folder"
    ))
}

fn fetch(uri: &str, settings: &Settings, options: &OpenOptions) -> anyhow::Result<Located> {
    let parsed: ArtifactUri = uri.parse()?;
    let cache = settings.model_cache()?;
    let fetched = if mlflow::needs_store(&parsed) {
        let mlflow = Mlflow::open(settings)?;
        mlflow.wait(fetch_model_with(&mlflow.client, &parsed, &cache, options)).map_err(|error| {
            let missing = is_not_found(&error).then_some(&parsed);
            mlflow.failed(format!("cannot fetch {uri} from {}", mlflow.tracking_shown()), error, missing)
        })?
    } else {
        let (artifacts, runtime) = mlflow::files(settings)?;
        let fetched = runtime.block_on(fetch_files_with(&artifacts, &parsed, &cache, options));
        fetched.with_context(|| format!("cannot fetch {uri}"))?
    };
    tracing::info!(uri, folder = %fetched.path.display(), "model fetched");
    Ok(Located {
        folder: fetched.data_path.clone(),
        mlflow: Some(LoadedModel::clone(&fetched)),
        shown: uri.to_owned(),
        _fetched: Some(fetched),
    })
}

fn is_not_found(error: &LogError) -> bool {
    matches!(error, LogError::Client(error) if error.is_not_found())
}

/// Loads a model.
pub(crate) fn load(args: &ModelArgs, settings: &Settings) -> anyhow::Result<Loaded> {
    load_located(&locate_for(args, settings)?, args, settings)
}

/// Loads a model that was found, as the arguments of a command say.
pub(crate) fn load_located(
    located: &Located,
    args: &ModelArgs,
    settings: &Settings,
) -> anyhow::Result<Loaded> {
    let options = settings.load_options(args);
    if args.no_certificate_check { load_as(located, &options) } else { load_certified(located, &options) }
}

/// Loads a model; if it carries a certificate, its answers have to be those of then.
pub(crate) fn load_certified(located: &Located, options: &LoadOptions) -> anyhow::Result<Loaded> {
    let started = Instant::now();
    let loaded = load_as(located, options)?;
    if let Some(mlflow) = &located.mlflow
        && let Some(certificate) = mlflow.certificate()?
    {
        let encoder = &loaded.encoder;
        let report = certificate
            .check(encoder, encoder.graph().map_or(Some(Mode::Exact), |graph| graph.mode))
            .with_context(|| format!("cannot trust the model {}", located.shown))?;
        tracing::info!(?report, made_by = ?certificate.made_by, "certificate checked");
    }
    Ok(Loaded { took: started.elapsed(), ..loaded })
}

fn load_as(located: &Located, options: &LoadOptions) -> anyhow::Result<Loaded> {
    let started = Instant::now();
    let folder = &located.folder;
    let encoder =
        load_encoder(folder, options).with_context(|| format!("cannot load the model {}", located.shown))?;
    let took = started.elapsed();
    tracing::info!(folder = %folder.display(), graph = ?encoder.graph(), ?took, "model loaded");
    let id = located.mlflow.as_ref().and_then(|mlflow| mlflow.mlmodel.model_id.clone());
    Ok(Loaded { encoder, took, name: public_name(&located.shown), id })
}

/// Python makes a sentence transformer of a bare cross-encoder by leaving its head out, with a warning. Nobody who
/// wants vectors means that.
fn load_encoder(folder: &Path, options: &LoadOptions) -> Result<SentenceTransformer, st_model::Error> {
    if let Ok(spec) = ModelSpec::read(folder)
        && spec.kind == ModelKind::CrossEncoder
    {
        return Err(st_model::Error::OtherKind {
            folder: folder.to_owned(),
            found: spec.kind.name(),
            asked: ModelKind::SentenceTransformer.name(),
        });
    }
    SentenceTransformer::load(folder, options)
}

/// A URI without passwords, or a folder's own name without the way to it.
fn public_name(shown: &str) -> Option<String> {
    let path = Path::new(shown);
    if !path.exists() && is_uri(shown) {
        return shown.parse().ok().map(|uri: ArtifactUri| uri.to_string());
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// In which numbers a model computes; a graph that was given computes as its maker decided.
pub(crate) fn mode(encoder: &SentenceTransformer) -> &'static str {
    mode_of(encoder.graph())
}

/// The same of its graph, where it has one.
pub(crate) fn mode_of(graph: Option<&GraphInfo>) -> &'static str {
    // A table of floats is what it is.
    let mode = graph.map_or(Some(Mode::Exact), |graph| graph.mode);
    mode.map_or("that of the given graph", Mode::name)
}

/// `models:/name`, `runs:/id/path`, `s3://bucket`; a drive letter alone is none.
fn is_uri(text: &str) -> bool {
    text.split_once(":/").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
    })
}

/// A failure of the encoder, with the type that it had.
pub(crate) fn encoding(error: BoxError) -> anyhow::Error {
    typed(error).context("cannot encode the texts")
}

/// A failure of a model with the type that it had, so that it can be told from others.
pub(crate) fn typed(error: BoxError) -> anyhow::Error {
    match error.downcast::<st_model::Error>() {
        Ok(error) => anyhow::Error::new(*error),
        Err(error) => anyhow::Error::from_boxed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_hub_is_told_from_a_path() {
        let cache = tempfile::tempdir().unwrap();
        let kept = cache.path().join("models/all-MiniLM-L6-v2");
        std::fs::create_dir_all(&kept).unwrap();
        let advice = |path: &str| elsewhere(Path::new(path), Some(cache.path()));

        let found = Some(format!("a model of that name was fetched before: `-m {}`", kept.display()));
        assert_eq!(advice("all-MiniLM-L6-v2"), found);
        assert_eq!(advice("sentence-transformers/all-MiniLM-L6-v2"), found);
        let hub = |name: &str, folder: &str| {
            Some(format!(
                "`-m` takes a folder or an MLflow URI, and asks no hub: `hf download {name} --local-dir {folder}` \
                 makes such a folder"
            ))
        };
        assert_eq!(advice("BAAI/bge-m3"), hub("BAAI/bge-m3", "bge-m3"));
        assert_eq!(advice("gte-small"), hub("sentence-transformers/gte-small", "gte-small"));
        for path in ["./model", "../model", "/srv/model", "a/b/c", "a b", "..", "~/x", "models/..", "", "a;b"]
        {
            assert_eq!(advice(path), None, "{path}");
        }
    }
}
