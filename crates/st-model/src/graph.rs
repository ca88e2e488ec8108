//! Which graph runs the model, and what its outputs hold.

use std::path::{Path, PathBuf};

use st_core::Mode;
use st_export::onnx::GraphHeader;
use st_export::{CacheState, ElementType, GraphCache, Head, Quantization, Task, ValueInfo};

use crate::runtime::GraphSource;
use crate::spec::ModelKind;
use crate::{Error, LoadOptions, ModelSpec, Places};

/// Names that our exporter gives; the reference's own exporter uses the same.
const TOKENS: &str = "token_embeddings";
const SENTENCE: &str = "sentence_embedding";
const LOGITS: &str = "logits";

/// The graph that an encoder runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphInfo {
    /// The ONNX file; none if the graph was made in memory, for want of a cache.
    pub path: Option<PathBuf>,
    /// How the cache came to it.
    pub state: GraphState,
    /// In which numbers it computes; `None` where that was its maker's decision, not ours.
    pub mode: Option<Mode>,
}

impl GraphInfo {
    /// The graph that is the whole of a model for whoever runs it elsewhere, without loading the model: found in the
    /// cache, made from the weights, or the one that the folder brings.
    ///
    /// It takes no `pooling_mask`, which nobody else would know to fill. None where no one graph is the model: where a
    /// table reads the texts, where there are several routes, where values are chosen behind the graph, or where a graph of
    /// somebody else leaves modules out.
    ///
    /// ```no_run
    /// use st_model::{GraphInfo, LoadOptions, ModelSpec, Places};
    ///
    /// let spec = ModelSpec::read("ms-marco-MiniLM-L6-v2".as_ref())?;
    /// let options = LoadOptions::new(Places::from_env(|name| std::env::var_os(name)));
    /// let graph = GraphInfo::find(&spec, &options)?.and_then(|graph| graph.path);
    /// # drop(graph);
    /// # Ok::<(), st_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Graph`] if it cannot be made or read, [`Error::GraphOutputs`] and [`Error::FastGraph`] of one that
    /// the folder brings.
    pub fn find(spec: &ModelSpec, options: &LoadOptions) -> Result<Option<Self>, Error> {
        let [route] = spec.routes.as_slice() else { return Ok(None) };
        // The largest values of an autoencoder are chosen behind its graph.
        if !route.input.has_graph() || route.max_active_dims.is_some() {
            return Ok(None);
        }
        let head = route.head().with_pooling_mask(false);
        let graph = Graph::find(spec, route.input.folder(), &head, options)?;
        let is_whole = match spec.kind {
            _ if !graph.is_given() => true,
            ModelKind::MultiVectorEncoder => {
                graph.tokens.is_some() && route.module_beyond_pooling().is_none()
            }
            _ => graph.sentence.is_some(),
        };
        Ok(is_whole.then_some(graph.info))
    }
}

/// Where a graph comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphState {
    /// It was in the cache and undamaged.
    Cached,
    /// It was made from the weights just now.
    Built,
    /// It was in the cache but damaged, and was made again.
    Rebuilt,
    /// It came with the folder, or the caller named the file.
    Given,
}

/// A graph ready to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) source: GraphSource,
    pub(crate) info: GraphInfo,
    /// Output with token embeddings `[texts, tokens, hidden]`.
    pub(crate) tokens: Option<String>,
    /// Output with pooled and, where the model says so, normalised embeddings `[texts, dim]`.
    pub(crate) sentence: Option<String>,
    /// It rounds activations to few bits. Padding changes the last bit of an attention's sum, which nobody
    /// sees in floats; but where a number then rounds to the next code, the vector changes in the fourth digit.
    /// So texts of one length only run together.
    pub(crate) quantized: bool,
    /// It can be told which tokens to pool.
    pub(crate) pooling_mask: bool,
    /// Digest of the weights that it was made of, where the cache had to know it.
    pub(crate) weights_digest: Option<String>,
}

impl Graph {
    /// The graph that the caller names, else that of the folder: made from its weights, or the one that it has
    /// where it has no weights for us.
    pub(crate) fn find(
        spec: &ModelSpec,
        folder: &Path,
        head: &Head,
        options: &LoadOptions,
    ) -> Result<Self, Error> {
        match options.graph.clone().or_else(|| own_graph(folder, &spec.root)) {
            Some(path) if options.mode == Mode::Fast => Err(Error::FastGraph { path }),
            Some(path) => Self::of_file(&path, head),
            None => Self::of_weights(folder, head, &options.places, options.mode),
        }
    }

    /// Whether its maker was somebody else.
    pub(crate) fn is_given(&self) -> bool {
        self.info.state == GraphState::Given
    }

    /// The ONNX file, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.info.path.clone().unwrap_or_default()
    }

    /// The output with finished vectors; none if there is no such output, or if it would pool the tokens of a
    /// prompt that are to be left out.
    pub(crate) fn sentence_output(&self, without_prompt: bool) -> Option<&str> {
        self.sentence.as_deref().filter(|_| self.pooling_mask || !without_prompt)
    }

    /// The output with the embeddings of each token.
    pub(crate) fn tokens_output(&self) -> Result<&str, Error> {
        self.tokens.as_deref().ok_or_else(|| Error::GraphOutputs {
            path: self.path(),
            outputs: self.sentence.clone().unwrap_or_default(),
        })
    }

    /// Makes or finds the graph of a model's weights.
    fn of_weights(folder: &Path, head: &Head, places: &Places, mode: Mode) -> Result<Self, Error> {
        let fail = |source| Error::Graph { folder: folder.to_owned(), source: Box::new(source) };
        let quantization = match mode {
            Mode::Exact => Quantization::None,
            Mode::Fast => Quantization::Int8,
        };
        let (source, path, state, weights_digest) = match places.graphs() {
            Some(root) => {
                let cached =
                    GraphCache::new(root).get_or_export(folder, Some(head), quantization).map_err(fail)?;
                let state = match cached.state {
                    CacheState::Hit => GraphState::Cached,
                    CacheState::Built => GraphState::Built,
                    CacheState::Rebuilt => GraphState::Rebuilt,
                };
                (
                    GraphSource::File(cached.path.clone()),
                    Some(cached.path),
                    state,
                    Some(cached.weights_digest),
                )
            }
            None => {
                let bytes = st_export::export_bytes(folder, Some(head), quantization).map_err(fail)?;
                (GraphSource::Memory(bytes.into()), None, GraphState::Built, None)
            }
        };
        Ok(Self {
            source,
            info: GraphInfo { path, state, mode: Some(mode) },
            tokens: (head.task == Task::Features).then(|| TOKENS.to_owned()),
            sentence: Some(match head.task {
                Task::Classification { .. } => LOGITS.to_owned(),
                _ => SENTENCE.to_owned(),
            }),
            pooling_mask: head.pooling_mask,
            quantized: mode == Mode::Fast,
            weights_digest,
        })
    }

    /// Takes an ONNX file after a look at its header: nothing hostile, and outputs that we understand.
    fn of_file(path: &Path, head: &Head) -> Result<Self, Error> {
        let header = st_export::onnx::open_header(path)
            .map_err(|source| Error::Graph { folder: path.to_owned(), source: Box::new(source) })?;
        let (tokens, sentence) = outputs(&header, head.task);
        if tokens.is_none() && sentence.is_none() {
            let outputs: Vec<_> = header.outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(Error::GraphOutputs { path: path.to_owned(), outputs: outputs.join(", ") });
        }
        Ok(Self {
            source: GraphSource::File(path.to_owned()),
            info: GraphInfo { path: Some(path.to_owned()), state: GraphState::Given, mode: None },
            tokens,
            sentence,
            pooling_mask: header.inputs.iter().any(|input| input.name == "pooling_mask"),
            quantized: rounds_activations(&header),
            weights_digest: None,
        })
    }
}

/// The outputs with token embeddings and with finished vectors: by name, then by rank.
///
/// A lone output of two axes is finished; beside token embeddings it may be BERT's pooler, which sentence-transformers
/// does not use, so then only its name counts.
fn outputs(header: &GraphHeader, task: Task) -> (Option<String>, Option<String>) {
    let named = |name: &str| header.outputs.iter().find(|output| output.name == name);
    let floats =
        |output: &&ValueInfo| matches!(output.element_type, ElementType::Float32 | ElementType::Float16);
    let ranked =
        |rank: usize| header.outputs.iter().filter(floats).find(|output| output.rank() == Some(rank));
    let name = |output: Option<&ValueInfo>| output.map(|output| output.name.clone());
    let logits = named(LOGITS);
    match task {
        Task::Classification { .. } => (None, name(logits.or_else(|| ranked(2)))),
        Task::Vocabulary => (name(logits.or_else(|| ranked(3))), name(named(SENTENCE))),
        _ => {
            let tokens = named(TOKENS).or_else(|| named("last_hidden_state")).or_else(|| ranked(3));
            let alone = || ranked(2).filter(|_| tokens.is_none());
            (name(tokens), name(named(SENTENCE).or_else(alone)))
        }
    }
}

/// Whether a graph has operators that make 8-bit numbers of floats.
fn rounds_activations(header: &GraphHeader) -> bool {
    let names = ["QuantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "QAttention"];
    header.operators.values().any(|operators| names.iter().any(|name| operators.contains_key(*name)))
}

/// The ONNX file of a folder that has no safetensors, where exporters put it.
fn own_graph(folder: &Path, root: &Path) -> Option<PathBuf> {
    if ["model.safetensors", "model.safetensors.index.json"].iter().any(|name| folder.join(name).exists()) {
        return None;
    }
    let names = ["onnx/model.onnx", "model.onnx"];
    [folder, root].iter().flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}
