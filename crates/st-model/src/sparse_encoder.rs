//! Models that answer vectors as wide as a vocabulary, nearly all of it zero.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::path::Path;
use std::sync::OnceLock;

use ndarray::{Array1, Array2, Axis};
use st_core::{BoxError, EncodeOptions, Mode, Similarity, SparseEncoded, SparseOptions, SparseVectors};

use crate::engine::{Engine, Limits, shaped, tokenize_all};
use crate::graph::GraphInfo;
use crate::long_text::Pieces;
use crate::prepared::Prepared;
use crate::runtime::RuntimeInfo;
use crate::spec::{InputSpec, ModelKind, RouteSpec};
use crate::tokenizer::{self, JsonTokenizer, Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec, digest, prompt, table};

/// A loaded sparse encoder: SPLADE, its relatives without a transformer for questions, and sparse autoencoders.
#[derive(Debug)]
pub struct SparseEncoder {
    spec: ModelSpec,
    /// What answers for each of the routes.
    ways: Vec<Way>,
    digest: OnceLock<String>,
}

/// What answers for one route.
#[derive(Debug)]
enum Way {
    Graph(Box<Engine>),
    /// A number for each token, whatever its context.
    Table {
        tokenizer: Box<dyn Tokenizer>,
        numbers: Array1<f32>,
        max_tokens: Option<usize>,
    },
}

impl SparseEncoder {
    /// Loads a model folder; a bare masked language model becomes SPLADE with the maximum, as in the reference.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        Self::of_spec(ModelSpec::read_as(folder, Some(ModelKind::SparseEncoder))?, options)
    }

    pub(crate) fn of_spec(spec: ModelSpec, options: &LoadOptions) -> Result<Self, Error> {
        let ways = spec.routes.iter().map(|route| Way::load(&spec, route, options));
        let ways = ways.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { spec, ways, digest: OnceLock::new() })
    }

    /// Which model this is: a digest of everything in its folder that decides its vectors, `blake3:…`.
    ///
    /// Found out when first asked for; the weights need not be read again for it if the graph came from the cache.
    ///
    /// # Errors
    ///
    /// [`Error::Digest`] and [`Error::Read`] for files that cannot be read any more.
    pub fn digest(&self) -> Result<&str, Error> {
        if let Some(digest) = self.digest.get() {
            return Ok(digest);
        }
        let graphs = self.ways.iter().map(|way| way.engine().map(|engine| &engine.graph));
        let digest = digest::model_digest(&self.spec, graphs)?;
        Ok(self.digest.get_or_init(|| digest))
    }

    /// What the folder says of itself.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The graph that runs texts of which nothing is known; none for a table.
    pub fn graph(&self) -> Option<&GraphInfo> {
        self.default_way().engine().map(|engine| &engine.graph.info)
    }

    /// In which numbers it computes; a table is exact. `None` where that was the decision of the graph's maker.
    pub fn mode(&self) -> Option<Mode> {
        self.graph().map_or(Some(Mode::Exact), |graph| graph.mode)
    }

    /// The runtime that runs it; none for a table.
    pub fn runtime(&self) -> Option<&RuntimeInfo> {
        self.default_way().engine().map(|engine| &engine.runtime)
    }

    /// Values of a vector that are kept at most in a call with these options; all of them if none.
    pub(crate) fn most_active(&self, options: &SparseOptions) -> Result<Option<usize>, Error> {
        let route = &self.spec.routes[self.spec.route_for(options.task)?];
        // An autoencoder has a number of its own, which each of the others replaces, larger or not.
        Ok(options.max_active_dims.or(self.spec.sentence.max_active_dims).or(route.max_active_dims))
    }

    fn default_way(&self) -> &Way {
        &self.ways[self.spec.route_place(None).unwrap_or(0)]
    }

    /// Whether the dimensions are tokens of the tokenizer.
    fn speaks_tokens(&self) -> bool {
        self.spec.default_route().max_active_dims.is_none()
    }
}

impl Way {
    fn load(spec: &ModelSpec, route: &RouteSpec, options: &LoadOptions) -> Result<Self, Error> {
        match &route.input {
            InputSpec::Transformer(..) => Engine::load(spec, route, options).map(Box::new).map(Self::Graph),
            InputSpec::SparseStatic { folder } => {
                if let Some(module) = route.module_beyond_pooling() {
                    return Err(Error::TableModules { folder: folder.clone(), module: module.name() });
                }
                let tokenizer = tokenizer::load(&route.input)?;
                let numbers = table::read_numbers(folder)?;
                Ok(Self::Table { tokenizer, numbers, max_tokens: JsonTokenizer::limit(folder)? })
            }
            other => Err(Error::OtherKind {
                folder: other.folder().to_owned(),
                found: "table of vectors",
                asked: "sparse encoder",
            }),
        }
    }

    fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Graph(engine) => Some(engine),
            Self::Table { .. } => None,
        }
    }

    fn tokenizer(&self) -> &dyn Tokenizer {
        match self {
            Self::Graph(engine) => engine.tokenizer.as_ref(),
            Self::Table { tokenizer, .. } => tokenizer.as_ref(),
        }
    }

    fn max_tokens(&self) -> Option<usize> {
        match self {
            Self::Graph(engine) => engine.max_tokens,
            Self::Table { max_tokens, .. } => *max_tokens,
        }
    }

    fn workers(&self) -> usize {
        match self {
            Self::Graph(engine) => engine.workers(),
            Self::Table { .. } => 1,
        }
    }

    /// A table reads a text without special tokens.
    fn tokenize(&self, text: &str) -> Result<Tokenized, BoxError> {
        match self {
            Self::Graph(engine) => engine.tokenizer.tokenize(text, engine.max_tokens),
            Self::Table { tokenizer, max_tokens, .. } => {
                let mut ids = tokenizer.tokenize_plain(text)?;
                let full_length = ids.len();
                ids.truncate(max_tokens.unwrap_or(full_length));
                Ok(Tokenized { ids, full_length, ..Tokenized::default() })
            }
        }
    }

    /// The entries of each text.
    fn rows(
        &self,
        route: &RouteSpec,
        texts: &[Tokenized],
        prompt_tokens: usize,
        limits: Limits,
        keep: &Keep<'_>,
    ) -> Result<Vec<Vec<(u32, f32)>>, Error> {
        match self {
            Self::Graph(engine) => {
                let output = engine.graph.sentence_output(prompt_tokens > 0);
                let output = output.ok_or_else(|| Error::GraphModules {
                    path: engine.graph.path(),
                    module: "SpladePooling",
                })?;
                let mut rows = vec![Vec::new(); texts.len()];
                engine.run(texts, output, prompt_tokens, limits, |indices, batch, answer| {
                    let answer: Array2<f32> = shaped(answer, output, &[batch.dim().0, route.dim])?;
                    for (row, &index) in answer.axis_iter(Axis(0)).zip(indices) {
                        let mut entries = st_pooling::sparse_entries(row, None);
                        keep(&mut entries);
                        rows[index] = entries;
                    }
                    Ok(())
                })?;
                Ok(rows)
            }
            Self::Table { numbers, .. } => texts.iter().map(|text| weigh(text, numbers, keep)).collect(),
        }
    }
}

/// Drops the entries of a row that are not wanted.
type Keep<'a> = dyn Fn(&mut Vec<(u32, f32)>) + Sync + 'a;

/// Every token that occurs, once, with its number.
fn weigh(text: &Tokenized, numbers: &Array1<f32>, keep: &Keep<'_>) -> Result<Vec<(u32, f32)>, Error> {
    let mut ids = text.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    let number = |id: u32| {
        let number = numbers.get(id as usize);
        number.map(|number| (id, *number)).ok_or(Error::TokenOutsideTable { id, rows: numbers.len() })
    };
    let mut entries = ids.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    entries.retain(|(_, number)| *number != 0.0);
    keep(&mut entries);
    Ok(entries)
}

impl st_core::SparseEncoder for SparseEncoder {
    fn dim(&self) -> usize {
        self.spec.dim()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.default_way().max_tokens()
    }

    fn similarity(&self) -> Similarity {
        self.spec.similarity()
    }

    fn encode(&self, texts: &[&str], options: &SparseOptions) -> Result<SparseEncoded, BoxError> {
        let place = self.spec.route_for(options.task)?;
        let (way, route) = (&self.ways[place], &self.spec.routes[place]);
        let named = named(options);
        let prompt = prompt::resolve(&self.spec.sentence, &named)?;
        let limits = Limits { threads: options.threads, max_tokens_per_batch: options.max_tokens_per_batch };
        let tokens = tokenize_all(texts.len(), limits, way.workers(), |index| {
            let text = texts[index];
            let text = if prompt.is_empty() { Cow::Borrowed(text) } else { [prompt, text].concat().into() };
            way.tokenize(&text)
        })?;
        let prepared = Prepared::new(Pieces::truncated(tokens), 0);
        let most = self.most_active(options)?;
        let keep = |entries: &mut Vec<(u32, f32)>| {
            // An autoencoder keeps the largest and then what is above zero, which is the same as the other way round.
            if route.max_active_dims.is_some() {
                entries.retain(|(_, value)| *value > 0.0);
            }
            if let Some(most) = most {
                largest(entries, most);
            }
        };
        let rows = way.rows(route, &prepared.distinct, prepared.prompt_tokens, limits, &keep)?;
        let mut vectors = SparseVectors::new(self.dim());
        for &place in &prepared.places {
            vectors.push(rows[place].iter().copied());
        }
        let read = prepared.texts().map(|text| text.ids.len()).sum();
        Ok(SparseEncoded::new(vectors, prepared.truncated(), read).with_overlong(prepared.overlong))
    }

    fn decode(&self, vectors: &SparseVectors, top_k: Option<usize>) -> Vec<Vec<(String, f32)>> {
        let tokenizer = self.default_way().tokenizer();
        let token = |dimension: u32| {
            let token = if self.speaks_tokens() { tokenizer.token(dimension) } else { None };
            token.unwrap_or_else(|| dimension.to_string())
        };
        let decode = |(dimensions, values): (&[u32], &[f32])| {
            let mut entries: Vec<(u32, f32)> =
                dimensions.iter().copied().zip(values.iter().copied()).collect();
            entries.sort_by(|left, right| by_value(*left, *right));
            entries.truncate(top_k.unwrap_or(usize::MAX));
            entries.into_iter().map(|(dimension, value)| (token(dimension), value)).collect()
        };
        vectors.rows().map(decode).collect()
    }
}

/// The part of the options that decides the prompt.
pub(crate) fn named(options: &SparseOptions) -> EncodeOptions {
    let mut named = EncodeOptions::default().with_prompt(options.prompt.clone());
    named.task = options.task;
    named
}

/// Keeps the largest by magnitude, among equals the first.
fn largest(entries: &mut Vec<(u32, f32)>, most: usize) {
    if most < entries.len() {
        entries.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()).then(left.0.cmp(&right.0)));
        entries.truncate(most);
    }
}

fn by_value(left: (u32, f32), right: (u32, f32)) -> Ordering {
    right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
}
