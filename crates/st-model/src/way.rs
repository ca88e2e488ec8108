//! One way through a loaded model: from prepared texts to rows.

use ndarray::{Array2, Array3, ArrayD, Axis, Slice};
use st_core::{BoxError, TokenView};

use crate::batch::Batch;
use crate::engine::{Engine, Limits, scatter, shaped};
use crate::lookup::Lookup;
use crate::prepared::Prepared;
use crate::spec::{InputSpec, RouteSpec};
use crate::tokenizer::{Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec};

/// What answers for one [`RouteSpec`].
#[derive(Debug)]
pub(crate) enum Way {
    /// A graph on the runtime.
    Graph(Box<Engine>),
    /// A table.
    Lookup(Lookup),
}

impl Way {
    /// Loads what one route needs.
    pub(crate) fn load(spec: &ModelSpec, route: &RouteSpec, options: &LoadOptions) -> Result<Self, Error> {
        match &route.input {
            InputSpec::Transformer(..) | InputSpec::Words(_) => {
                Engine::load(spec, route, options).map(Box::new).map(Self::Graph)
            }
            InputSpec::Static { .. } | InputSpec::Bag { .. } => {
                Lookup::load(route, options).map(Self::Lookup)
            }
            InputSpec::SparseStatic { folder } => Err(Error::OtherKind {
                folder: folder.clone(),
                found: "sparse table",
                asked: "table of vectors",
            }),
        }
    }

    /// The graph and its workers, where there is one.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Graph(engine) => Some(engine),
            Self::Lookup(_) => None,
        }
    }

    pub(crate) fn tokenizer(&self) -> &dyn Tokenizer {
        match self {
            Self::Graph(engine) => engine.tokenizer.as_ref(),
            Self::Lookup(lookup) => lookup.tokenizer.as_ref(),
        }
    }

    /// Longest text in tokens.
    pub(crate) fn max_tokens(&self) -> Option<usize> {
        match self {
            Self::Graph(engine) => engine.max_tokens,
            Self::Lookup(lookup) => lookup.max_tokens,
        }
    }

    /// Threads that tokenising may use.
    pub(crate) fn workers(&self) -> usize {
        self.engine().map_or(1, Engine::workers)
    }

    /// One text as the model reads it, cut to `limit`.
    pub(crate) fn tokenize(&self, text: &str, limit: Option<usize>) -> Result<Tokenized, BoxError> {
        self.tokenizer().tokenize(text, limit)
    }

    /// Rows `[distinct texts, dim]`, pooled by the graph if it can, else by our kernels.
    pub(crate) fn rows(
        &self,
        route: &RouteSpec,
        prepared: &Prepared,
        limits: Limits,
    ) -> Result<Array2<f32>, Error> {
        match self {
            Self::Graph(engine) => graph_rows(engine, route, prepared, limits),
            Self::Lookup(lookup) => lookup.rows(&prepared.distinct),
        }
    }

    /// For each distinct text `[its tokens, width]`.
    pub(crate) fn token_rows(
        &self,
        route: &RouteSpec,
        prepared: &Prepared,
        limits: Limits,
    ) -> Result<Vec<Array2<f32>>, Error> {
        let Self::Graph(engine) = self else { return Err(Error::NoTokenEmbeddings) };
        let output = engine.graph.tokens_output()?;
        let mut answers = vec![Array2::zeros((0, 0)); prepared.distinct.len()];
        engine.run(
            &prepared.distinct,
            output,
            prepared.prompt_tokens,
            limits,
            |indices, batch, answer| {
                let hidden = hidden(route, answer, output, batch)?;
                for (row, &index) in indices.iter().enumerate() {
                    let length = prepared.distinct[index].ids.len();
                    let text = hidden.index_axis(Axis(0), row);
                    answers[index] = text.slice_axis(Axis(0), Slice::from(..length)).to_owned();
                }
                Ok(())
            },
        )?;
        Ok(answers)
    }
}

fn graph_rows(
    engine: &Engine,
    route: &RouteSpec,
    prepared: &Prepared,
    limits: Limits,
) -> Result<Array2<f32>, Error> {
    let texts = &prepared.distinct;
    if !route.pools() && !engine.graph.is_given() {
        return Err(Error::NoSentenceEmbeddings { folder: route.input.folder().to_owned() });
    }
    if let Some(output) = engine.graph.sentence_output(prepared.prompt_tokens > 0) {
        let mut rows = engine.rows(texts, output, route.dim, prepared.prompt_tokens, limits)?;
        // A graph of somebody else may or may not have done so; twice is as good as once.
        if engine.graph.is_given() && route.normalizes() {
            st_pooling::normalize_in_place(rows.view_mut());
        }
        return Ok(rows);
    }
    let output = engine.graph.tokens_output()?;
    if let Some(module) = route.module_beyond_pooling() {
        return Err(Error::GraphModules { path: engine.graph.path(), module: module.name() });
    }
    let mut rows = Array2::zeros((texts.len(), route.dim));
    engine.run(texts, output, prepared.prompt_tokens, limits, |indices, batch, answer| {
        let pooled = pool(route, hidden(route, answer, output, batch)?, batch, prepared.prompt_tokens)?;
        scatter(&mut rows, indices, &pooled);
        Ok(())
    })?;
    Ok(rows)
}

fn hidden(route: &RouteSpec, answer: ArrayD<f32>, output: &str, batch: &Batch) -> Result<Array3<f32>, Error> {
    let (texts, tokens) = batch.dim();
    shaped(answer, output, &[texts, tokens, route.token_dim()])
}

fn pool(
    route: &RouteSpec,
    hidden: Array3<f32>,
    batch: &Batch,
    prompt_tokens: usize,
) -> Result<Array2<f32>, Error> {
    let view = TokenView::new(hidden.view(), batch.mask.view()).map_err(|source| Error::Shape { source })?;
    let prompts = vec![prompt_tokens; batch.dim().0];
    let mut pooled = st_pooling::pool(view, route.pooling_modes(), &prompts);
    if route.normalizes() {
        st_pooling::normalize_in_place(pooled.view_mut());
    }
    Ok(pooled)
}
