//! ONNX Runtime. The only file that names `ort`, a release candidate.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use ndarray::ArrayD;
use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, PrepackedWeights};
use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{TensorElementType, TensorRef};
use st_core::BoxError;

use crate::batch::Batch;
use crate::{Error, Places};

/// A process has one shared library and one environment; the loader itself is global, so this is too.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The runtime that this process uses.
#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    environment: Environment,
    info: RuntimeInfo,
}

/// Which ONNX Runtime runs the graphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// The shared library.
    pub path: PathBuf,
    /// What the library says of its build: version control, flags.
    pub build: String,
}

impl RuntimeInfo {
    /// Loads the runtime of `places` without a model, to see whether it works.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeMissing`], [`Error::RuntimeTooOld`], [`Error::RuntimeLoad`] or
    /// [`Error::RuntimeConflict`].
    pub fn open(places: &Places) -> Result<Self, Error> {
        Runtime::open(places).map(|runtime| runtime.info)
    }
}

impl Runtime {
    /// Loads the first library of `places` that exists, or takes the one that is loaded already.
    pub(crate) fn open(places: &Places) -> Result<Self, Error> {
        let path = find(places)?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            if runtime.info.path == path {
                return Ok(runtime.clone());
            }
            return Err(Error::RuntimeConflict { loaded: runtime.info.path.clone(), asked: path });
        }
        let builder = ort::init_from(&path).map_err(|error| load_error(&path, error))?;
        let environment = builder
            .with_name("sentence-transformers")
            .with_telemetry(false)
            .build()
            .map_err(|error| Error::RuntimeLoad { path: path.clone(), source: error.into() })?;
        let runtime = Self { environment, info: RuntimeInfo { path, build: ort::info().to_owned() } };
        Ok(loaded.insert(runtime).clone())
    }

    pub(crate) fn info(&self) -> &RuntimeInfo {
        &self.info
    }
}

/// The path that will be loaded; made absolute, since the loader would look beside the executable first.
fn find(places: &Places) -> Result<PathBuf, Error> {
    let found = places.runtimes.iter().find(|path| path.is_file());
    match found {
        Some(path) => std::path::absolute(path).map_err(|source| Error::Read { path: path.clone(), source }),
        None => {
            let looked: Vec<_> = places.runtimes.iter().map(|path| path.display().to_string()).collect();
            let looked = if looked.is_empty() { "nothing".to_owned() } else { looked.join(", ") };
            Err(Error::RuntimeMissing { looked })
        }
    }
}

fn load_error(path: &Path, error: LoadDynamicError) -> Error {
    match error {
        LoadDynamicError::BadVersion { version_str, path } => {
            Error::RuntimeTooOld { path, found: version_str, needed: format!("1.{}", ort::MINOR_VERSION) }
        }
        other => Error::RuntimeLoad { path: path.to_owned(), source: other.into() },
    }
}

/// Where a session finds its graph.
#[derive(Clone, Debug)]
pub(crate) enum GraphSource {
    /// An ONNX file, with its weights beside it or inside.
    File(PathBuf),
    /// The bytes of an ONNX file.
    Memory(std::sync::Arc<[u8]>),
}

/// The graph as one worker runs it. Exclusive: the pool hands it out.
#[derive(Debug)]
pub(crate) struct GraphSession {
    session: Session,
    /// Which of the inputs beside ids and mask the graph has.
    wants_types: bool,
    wants_pooling_mask: bool,
}

/// What all sessions of one graph share.
#[derive(Debug)]
pub(crate) struct SessionFactory {
    runtime: Runtime,
    source: GraphSource,
    prepacked: PrepackedWeights,
}

impl SessionFactory {
    pub(crate) fn new(runtime: Runtime, source: GraphSource) -> Self {
        Self { runtime, source, prepacked: PrepackedWeights::new() }
    }

    /// Opens one more session, of one thread: several of them beat one wide session on batches.
    pub(crate) fn open(&self) -> Result<GraphSession, Error> {
        let session = self.commit().map_err(|error| Error::Session {
            path: match &self.source {
                GraphSource::File(path) => path.clone(),
                GraphSource::Memory(_) => PathBuf::from("the graph in memory"),
            },
            source: error.into(),
        })?;
        let wants = |name: &str| session.inputs().iter().any(|input| input.name() == name);
        let (wants_types, wants_pooling_mask) = (wants("token_type_ids"), wants("pooling_mask"));
        Ok(GraphSession { session, wants_types, wants_pooling_mask })
    }

    fn commit(&self) -> ort::Result<Session> {
        let mut builder = Session::builder(&self.runtime.environment)?
            .with_log_level(LogLevel::Error)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            // Idle workers must not burn the cores of the busy ones.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            // Shapes vary from batch to batch.
            .with_memory_pattern(false)?
            .with_prepacked_weights(&self.prepacked)?
            // Weights without a sign cannot overflow there; elsewhere they would only be slower, by two thirds.
            .with_config_entry("session.x64quantprecision", if products_overflow() { "1" } else { "0" })?;
        match &self.source {
            GraphSource::File(path) => builder.commit_from_file(path),
            GraphSource::Memory(bytes) => builder.commit_from_memory(bytes),
        }
    }
}

/// Whether the runtime adds pairs of 8-bit products in 16 bits, where they can overflow: on processors that have
/// no instruction for it that adds in 32.
fn products_overflow() -> bool {
    #[cfg(target_arch = "x86_64")]
    return !(is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni"));
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl GraphSession {
    /// Runs one batch and fetches `output` only; the first `prompt_tokens` of each text are not to be pooled.
    pub(crate) fn run(
        &mut self,
        batch: &Batch,
        prompt_tokens: usize,
        output: &str,
    ) -> Result<ArrayD<f32>, Error> {
        let (texts, tokens) = batch.dim();
        self.fetch(batch, prompt_tokens, output).map_err(|source| Error::Run { texts, tokens, source })
    }

    fn fetch(&mut self, batch: &Batch, prompt_tokens: usize, output: &str) -> Result<ArrayD<f32>, BoxError> {
        let pooled = self.wants_pooling_mask.then(|| batch.pooled(prompt_tokens));
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![
            ("input_ids", TensorRef::from_array_view(batch.ids.view())?.into()),
            ("attention_mask", TensorRef::from_array_view(batch.mask.view())?.into()),
        ];
        if self.wants_types {
            inputs.push(("token_type_ids", TensorRef::from_array_view(batch.types.view())?.into()));
        }
        if let Some(pooled) = &pooled {
            inputs.push(("pooling_mask", TensorRef::from_array_view(pooled.view())?.into()));
        }
        let options = RunOptions::new()?.with_outputs(OutputSelector::no_default().with(output));
        let outputs = self.session.run_with_options(inputs, &options)?;
        let value = outputs.get(output).ok_or_else(|| format!("the graph has no output `{output}`"))?;
        // Graphs of others may answer in half precision; from there on everything is single.
        match value.dtype().tensor_type() {
            Some(TensorElementType::Float16) => {
                Ok(value.try_extract_array::<half::f16>()?.mapv(half::f16::to_f32))
            }
            _ => Ok(value.try_extract_array::<f32>()?.to_owned()),
        }
    }
}
