//! From `-m` to a model.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use mlflow_client::uri::ArtifactUri;
use mlflow_flavor::{
    DigestPolicy, FetchedModel, LoadOptions as OpenOptions, LoadedModel, LogError, fetch_files_with,
    fetch_model_with, load_model_with,
};
use st_core::{BoxError, EncodeOptions, Mode, SparseOptions};
use st_hub::Snapshot;
use st_model::{
    GraphInfo, LoadOptions, Model, ModelKind, ModelSpec, MultiVectorEncoder, Provenance, SentenceTransformer,
    SparseEncoder,
};

use crate::args::ModelArgs;
use crate::error::Error;
use crate::hub;
use crate::mlflow::{self, Mlflow};
use crate::settings::Settings;

/// The file that makes a folder an MLflow model.
const MLMODEL: &str = "MLmodel";

/// A model that is ready, and how long that took.
#[derive(Debug)]
pub(crate) struct Loaded<M = SentenceTransformer> {
    pub(crate) encoder: M,
    pub(crate) took: Duration,
    /// What people call it, where that is no secret of this machine.
    name: Option<String>,
    /// Its ID in MLflow.
    id: Option<String>,
}

impl Loaded {
    /// What made the vectors of a call with these options.
    pub(crate) fn provenance(&self, options: &EncodeOptions) -> anyhow::Result<Provenance> {
        self.named(self.encoder.provenance(options))
    }
}

impl Loaded<SparseEncoder> {
    /// What made the vectors of a call with these options.
    pub(crate) fn provenance(&self, options: &SparseOptions) -> anyhow::Result<Provenance> {
        self.named(self.encoder.provenance(options))
    }
}

impl Loaded<MultiVectorEncoder> {
    /// What made the vectors of a call with these options.
    pub(crate) fn provenance(&self, options: &EncodeOptions) -> anyhow::Result<Provenance> {
        self.named(self.encoder.provenance(options))
    }
}

impl<M> Loaded<M> {
    /// What a model says of its vectors, under the name that the model has here.
    fn named(&self, provenance: Result<Provenance, st_model::Error>) -> anyhow::Result<Provenance> {
        let mut provenance = provenance.context("cannot encode the texts")?;
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
    /// The model of the hub that the folder is, if it was named.
    pub(crate) hub: Option<Snapshot>,
    /// What the user called it.
    pub(crate) shown: String,
    /// Nobody makes room in the cache by removing it.
    _fetched: Option<FetchedModel>,
}

impl Located {
    /// Whether a change to the folder would be noticed as damage: it is part of an MLflow model, whose digests vouch
    /// for every file, or of the hub's cache, which Python shares.
    pub(crate) fn is_sealed(&self) -> bool {
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        self.mlflow.is_some()
            || self.hub.is_some()
            || folder.parent().is_some_and(|parent| parent.join(MLMODEL).is_file())
    }
}

/// Finds the sentence-transformers folder of a model; what is a URI or a name and no folder is fetched.
pub(crate) fn locate(path: &Path, settings: &Settings) -> anyhow::Result<Located> {
    locate_with(path, settings, &OpenOptions::default())
}

/// Finds the sentence-transformers folder of the model that a command works with.
pub(crate) fn locate_for(args: &ModelArgs, settings: &Settings) -> anyhow::Result<Located> {
    let digests = if args.require_digests { DigestPolicy::Require } else { DigestPolicy::IfPresent };
    let located = locate_with(&args.model, settings, &OpenOptions::default().with_digests(digests))?;
    if args.require_digests {
        match (&located.mlflow, &located.hub) {
            // They were compared when it was opened.
            (Some(_), _) => {}
            (None, Some(snapshot)) => snapshot.verify()?,
            (None, None) => {
                return Err(Error::NotMlflow { folder: args.model.display().to_string() }.into());
            }
        }
    }
    Ok(located)
}

fn locate_with(path: &Path, settings: &Settings, options: &OpenOptions) -> anyhow::Result<Located> {
    let text = path.to_string_lossy();
    if !path.exists() {
        return match hub::name(&text)? {
            None if is_uri(&text) => fetch(&text, settings, options),
            None => Err(Error::NoModel { folder: text.into_owned(), advice: None }.into()),
            Some(name) => {
                let snapshot = hub::fetch(&text, &name, settings)?;
                let (folder, shown) = (snapshot.folder.clone(), text.into_owned());
                Ok(Located { folder, mlflow: None, hub: Some(snapshot), shown, _fetched: None })
            }
        };
    }
    if path.join(MLMODEL).is_file() {
        let model = load_model_with(path, options)
            .with_context(|| format!("cannot open the MLflow model {}", path.display()))?;
        return Ok(Located {
            folder: model.data_path.clone(),
            mlflow: Some(model),
            hub: None,
            shown: text.into_owned(),
            _fetched: None,
        });
    }
    Ok(Located { folder: path.to_owned(), mlflow: None, hub: None, shown: text.into_owned(), _fetched: None })
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
        hub: None,
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
            .check(encoder, encoder.mode())
            .with_context(|| format!("cannot trust the model {}", located.shown))?;
        tracing::info!(?report, made_by = ?certificate.made_by, "certificate checked");
    }
    Ok(Loaded { took: started.elapsed(), ..loaded })
}

fn load_as(located: &Located, options: &LoadOptions) -> anyhow::Result<Loaded> {
    load_kind(located, ModelKind::SentenceTransformer, |folder| SentenceTransformer::load(folder, options))
}

/// Loads a sparse encoder that was found.
pub(crate) fn load_sparse(located: &Located, options: &LoadOptions) -> anyhow::Result<Loaded<SparseEncoder>> {
    load_kind(located, ModelKind::SparseEncoder, |folder| SparseEncoder::load(folder, options))
}

/// Loads a late-interaction model that was found.
pub(crate) fn load_multi_vector(
    located: &Located,
    options: &LoadOptions,
) -> anyhow::Result<Loaded<MultiVectorEncoder>> {
    load_kind(located, ModelKind::MultiVectorEncoder, |folder| MultiVectorEncoder::load(folder, options))
}

fn load_kind<M>(
    located: &Located,
    asked: ModelKind,
    load: impl FnOnce(&Path) -> Result<M, st_model::Error>,
) -> anyhow::Result<Loaded<M>> {
    let started = Instant::now();
    let folder = &located.folder;
    let encoder = check_kind(folder, asked).and_then(|()| load(folder));
    let encoder = encoder.with_context(|| format!("cannot load the model {}", located.shown))?;
    let took = started.elapsed();
    tracing::info!(folder = %folder.display(), kind = asked.name(), ?took, "model loaded");
    let id = located.mlflow.as_ref().and_then(|mlflow| mlflow.mlmodel.model_id.clone());
    // A branch moves, a commit is the same for everybody.
    let name = match &located.hub {
        Some(snapshot) => Some(format!("hf://{}@{}", snapshot.name.repository(), snapshot.commit)),
        None => public_name(&located.shown),
    };
    Ok(Loaded { encoder, took, name, id })
}

/// Python makes a sentence transformer of a bare cross-encoder by leaving its head out, with a warning. Nobody who
/// wants vectors means that. A bare transformer may be taken for what it is asked for.
fn check_kind(folder: &Path, asked: ModelKind) -> Result<(), st_model::Error> {
    match ModelSpec::read(folder) {
        Ok(spec) if spec.kind != asked && spec.kind != ModelKind::SentenceTransformer => {
            Err(st_model::Error::OtherKind {
                folder: folder.to_owned(),
                found: spec.kind.name(),
                asked: asked.name(),
            })
        }
        // What is wrong with the folder is told when it is loaded.
        _ => Ok(()),
    }
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
    mode_name(graph.map_or(Some(Mode::Exact), |graph| graph.mode))
}

/// The graph of a model of any kind; none for a table.
pub(crate) fn graph_of(model: &Model) -> Option<&GraphInfo> {
    match model {
        Model::SentenceTransformer(model) => model.graph(),
        Model::CrossEncoder(model) => Some(model.graph()),
        Model::SparseEncoder(model) => model.graph(),
        Model::MultiVectorEncoder(model) => Some(model.graph()),
        _ => None,
    }
}

/// What a mode is called.
pub(crate) fn mode_name(mode: Option<Mode>) -> &'static str {
    mode.map_or("that of the given graph", Mode::name)
}

/// `models:/name`, `runs:/id/path`, `s3://bucket`; a drive letter alone is none.
fn is_uri(text: &str) -> bool {
    text.split_once(":/").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
    })
}

/// The same for texts that come after others of the same input: a text is named by its row, from 1.
pub(crate) fn encoding_after(before: usize, error: BoxError) -> anyhow::Error {
    match error.downcast_ref() {
        Some(st_model::Error::TooLong { index, tokens, limit }) => {
            let error = Error::TooLong { row: before + index + 1, tokens: *tokens, limit: *limit };
            anyhow::Error::new(error).context("cannot encode the texts")
        }
        _ => encoding(error),
    }
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
