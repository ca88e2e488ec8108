//! Which graph runs the model, and what its outputs hold.

use std::path::{Path, PathBuf};

use st_core::Mode;
use st_export::onnx::GraphHeader;
use st_export::{CacheState, GraphCache, Head, Quantization};

use crate::runtime::GraphSource;
use crate::{Error, LoadOptions, ModelSpec, Places};

/// Names that our exporter gives; the reference's own exporter uses the same.
const TOKENS: &str = "token_embeddings";
const SENTENCE: &str = "sentence_embedding";

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
    /// Digest of the weights that it was made of, where the cache had to know it.
    pub(crate) weights_digest: Option<String>,
}

impl Graph {
    /// The graph that the caller names, else that of the folder: made from its weights, or the one that it has
    /// where it has no weights for us.
    pub(crate) fn find(spec: &ModelSpec, options: &LoadOptions) -> Result<Self, Error> {
        match options.graph.clone().or_else(|| own_graph(spec)) {
            Some(path) if options.mode == Mode::Fast => Err(Error::FastGraph { path }),
            Some(path) => Self::of_file(&path),
            None => Self::of_weights(spec, &options.places, options.mode),
        }
    }

    /// Makes or finds the graph of a model's weights.
    fn of_weights(spec: &ModelSpec, places: &Places, mode: Mode) -> Result<Self, Error> {
        let head = Head::new(spec.pooling.modes.clone()).with_normalize(spec.normalize);
        let folder = spec.transformer.folder.as_path();
        let fail = |source| Error::Graph { folder: folder.to_owned(), source: Box::new(source) };
        let quantization = match mode {
            Mode::Exact => Quantization::None,
            Mode::Fast => Quantization::Int8,
        };
        let (source, path, state, weights_digest) = match places.graphs() {
            Some(root) => {
                let cached =
                    GraphCache::new(root).get_or_export(folder, Some(&head), quantization).map_err(fail)?;
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
                let bytes = st_export::export_bytes(folder, Some(&head), quantization).map_err(fail)?;
                (GraphSource::Memory(bytes.into()), None, GraphState::Built, None)
            }
        };
        Ok(Self {
            source,
            info: GraphInfo { path, state, mode: Some(mode) },
            tokens: Some(TOKENS.to_owned()),
            sentence: Some(SENTENCE.to_owned()),
            quantized: mode == Mode::Fast,
            weights_digest,
        })
    }

    /// Takes an ONNX file after a look at its header: nothing hostile, and outputs that we understand.
    fn of_file(path: &Path) -> Result<Self, Error> {
        let header = st_export::onnx::open_header(path)
            .map_err(|source| Error::Graph { folder: path.to_owned(), source: Box::new(source) })?;
        let named = |name: &str| header.outputs.iter().find(|output| output.name == name);
        let ranked = |rank: usize| header.outputs.iter().find(|output| output.rank() == Some(rank));
        let tokens = named(TOKENS).or_else(|| named("last_hidden_state")).or_else(|| ranked(3));
        let sentence = named(SENTENCE);
        if tokens.is_none() && sentence.is_none() {
            let outputs: Vec<_> = header.outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(Error::GraphOutputs { path: path.to_owned(), outputs: outputs.join(", ") });
        }
        Ok(Self {
            source: GraphSource::File(path.to_owned()),
            info: GraphInfo { path: Some(path.to_owned()), state: GraphState::Given, mode: None },
            tokens: tokens.map(|output| output.name.clone()),
            sentence: sentence.map(|output| output.name.clone()),
            quantized: rounds_activations(&header),
            weights_digest: None,
        })
    }
}

/// Whether a graph has operators that make 8-bit numbers of floats.
fn rounds_activations(header: &GraphHeader) -> bool {
    let names = ["QuantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "QAttention"];
    header.operators.values().any(|operators| names.iter().any(|name| operators.contains_key(*name)))
}

/// The ONNX file of a folder that has no safetensors, where exporters put it.
fn own_graph(spec: &ModelSpec) -> Option<PathBuf> {
    let folder = spec.transformer.folder.as_path();
    if ["model.safetensors", "model.safetensors.index.json"].iter().any(|name| folder.join(name).exists()) {
        return None;
    }
    let names = ["onnx/model.onnx", "model.onnx"];
    [folder, &spec.root]
        .iter()
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path| path.is_file())
}
