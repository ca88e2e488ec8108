//! Models that answer a vector for each token, which are compared late.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;

use ndarray::{Array2, Array3, Axis};
use st_core::{BoxError, EncodeOptions, LateInteraction, Mode, Task, TokenEmbeddings};
use st_export::{Feature, Stage};

use crate::engine::{Engine, Limits, shaped, tokenize_all};
use crate::graph::GraphInfo;
use crate::long_text::Pieces;
use crate::prepared::Prepared;
use crate::runtime::RuntimeInfo;
use crate::spec::{InputSpec, ModelKind, MultiVectorSpec, RouteSpec};
use crate::tokenizer::{Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec, digest, prompt};

/// A loaded late-interaction model, such as `ColBERT`.
#[derive(Debug)]
pub struct MultiVectorEncoder {
    spec: ModelSpec,
    settings: MultiVectorSpec,
    engine: Engine,
    /// Ids of the tokens that do not count.
    skipped: HashSet<u32>,
    /// Id of the token that fills up questions.
    filling: Option<u32>,
    digest: OnceLock<String>,
}

impl MultiVectorEncoder {
    /// Loads a model folder.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        Self::of_spec(ModelSpec::read_as(folder, Some(ModelKind::MultiVectorEncoder))?, options)
    }

    pub(crate) fn of_spec(spec: ModelSpec, options: &LoadOptions) -> Result<Self, Error> {
        let settings = spec.multi_vector.clone().unwrap_or_default();
        if spec.routes.len() != 1 {
            let found = "MultiVectorEncoder with routes of its own for questions";
            return Err(Error::OtherKind {
                folder: spec.root,
                found,
                asked: "MultiVectorEncoder with one route",
            });
        }
        let route = spec.default_route();
        if !matches!(route.input, InputSpec::Transformer(..)) {
            return Err(Error::OtherKind {
                folder: spec.root.clone(),
                found: "table",
                asked: ModelKind::MultiVectorEncoder.name(),
            });
        }
        let engine = Engine::load(&spec, route, options)?;
        let tokenizer = engine.tokenizer.as_ref();
        // A word that is no token by itself cannot be left out, and the token for unknown words must not be.
        let skipped = settings.skiplist.iter().filter_map(|word| tokenizer.id(word)).collect();
        let filling = match settings.expansion.as_ref().and_then(|expansion| expansion.token.as_deref()) {
            Some(token) => Some(tokenizer.id(token).ok_or_else(|| Error::Option {
                option: "query_expansion",
                value: token.to_owned(),
                reason: "the vocabulary has no such token".to_owned(),
            })?),
            None => tokenizer.mask_id(),
        };
        Ok(Self { spec, settings, engine, skipped, filling, digest: OnceLock::new() })
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
        let digest = digest::model_digest(&self.spec, std::iter::once(Some(&self.engine.graph)))?;
        Ok(self.digest.get_or_init(|| digest))
    }

    /// What the folder says of itself.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The graph that runs.
    pub fn graph(&self) -> &GraphInfo {
        &self.engine.graph.info
    }

    /// In which numbers it computes; `None` where that was the decision of the graph's maker.
    pub fn mode(&self) -> Option<Mode> {
        self.engine.graph.info.mode
    }

    /// The runtime that runs the graph.
    pub fn runtime(&self) -> &RuntimeInfo {
        &self.engine.runtime
    }

    /// Whether the vectors of a call with these options have length one.
    pub(crate) fn normalizes(&self, options: &EncodeOptions) -> bool {
        let last = self.spec.default_route().stages.last();
        options.normalize || self.settings.is_pylate || last == Some(&Stage::Normalize(Feature::Tokens))
    }

    /// What stands before each text of a call, a prefix that is kept as a token included, and its name.
    pub(crate) fn prompt_used(&self, options: &EncodeOptions) -> Result<(Option<String>, String), Error> {
        let (name, _) = prompt::named(&self.spec.sentence, options)?;
        let (text, prefix) = self.prompt(options)?;
        let prefix = prefix.and_then(|id| self.tokenizer().token(id)).unwrap_or_default();
        Ok((name.map(str::to_owned), prefix + &text))
    }

    /// The tokenizer, as the model uses it.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        self.engine.tokenizer.as_ref()
    }

    /// Longest text of that task in tokens, special tokens included.
    pub fn limit(&self, task: Option<Task>) -> Option<usize> {
        let own = match (task, &self.settings.expansion) {
            (Some(Task::Query), Some(expansion)) if expansion.fixed => Some(expansion.length),
            (Some(Task::Query), Some(expansion)) => {
                self.settings.query_length.map(|own| own.max(expansion.length))
            }
            (Some(Task::Query), None) => self.settings.query_length,
            (Some(Task::Document), _) => self.settings.document_length,
            (None, _) => None,
        };
        match (own, self.engine.max_tokens) {
            (Some(own), Some(most)) => Some(own.min(most)),
            (own, most) => own.or(most),
        }
    }

    fn tokenize(&self, text: &str, prefix: Option<u32>, task: Option<Task>) -> Result<Tokenized, BoxError> {
        let limit = self.limit(task);
        let tokenizer = self.engine.tokenizer.as_ref();
        let mut tokens = match prefix {
            None => tokenizer.tokenize(text, limit)?,
            Some(prefix) => {
                let mut tokens = tokenizer.tokenize(text, limit.map(|limit| limit.saturating_sub(1)))?;
                let place = tokens.ids.len().min(self.leading());
                tokens.ids.insert(place, prefix);
                tokens.full_length += 1;
                tokens
            }
        };
        if let (Some(Task::Query), Some(expansion), Some(filling)) =
            (task, &self.settings.expansion, self.filling)
        {
            let missing = expansion.length.saturating_sub(tokens.ids.len());
            tokens.ids.resize(tokens.ids.len() + missing, filling);
            tokens.unattended = if expansion.attend { 0 } else { missing };
            tokens.full_length += missing;
        }
        Ok(tokens)
    }

    /// Special tokens in front of every text.
    fn leading(&self) -> usize {
        let tokenizer = self.engine.tokenizer.as_ref();
        tokenizer.special_tokens().saturating_sub(usize::from(tokenizer.ends_with_special()))
    }

    /// The prompt of a call as text, and as a token where PyLate keeps it as one.
    fn prompt<'a>(&'a self, options: &'a EncodeOptions) -> Result<(Cow<'a, str>, Option<u32>), Error> {
        let prompt = prompt::resolve(&self.spec.sentence, options)?;
        let [query, document] = &self.settings.prefixes;
        let prefix = match options.task {
            Some(Task::Query) => query.as_deref(),
            Some(Task::Document) => document.as_deref(),
            None => None,
        };
        let Some(prefix) = prefix.filter(|_| options.prompt == st_core::Prompt::Default) else {
            return Ok((Cow::Borrowed(prompt), None));
        };
        // The reference composes prefix and prompt, and takes the longest beginning that is one token.
        let whole = format!("{prefix}{}", prompt.strip_prefix(prefix).unwrap_or(prompt));
        let first = whole.split_whitespace().next().unwrap_or_default().to_owned();
        for token in [whole.as_str(), first.as_str()] {
            let rest = whole.strip_prefix(token).or_else(|| whole.trim_start().strip_prefix(token));
            if let (Some(id), Some(rest)) = (self.engine.tokenizer.id(token), rest) {
                return Ok((Cow::Owned(rest.to_owned()), Some(id)));
            }
        }
        Ok((Cow::Owned(whole), None))
    }

    /// Whether the vector of a token counts.
    fn counts(&self, id: u32, task: Option<Task>) -> bool {
        let is_query = task == Some(Task::Query);
        let skips = if is_query { self.settings.skips_queries } else { self.settings.skips_documents };
        let kept = is_query || self.settings.keep_only.is_empty() || self.settings.keep_only.contains(&id);
        kept && !(skips && self.skipped.contains(&id))
    }
}

impl st_core::MultiVectorEncoder for MultiVectorEncoder {
    fn dim(&self) -> usize {
        self.spec.dim()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.engine.max_tokens
    }

    fn interaction(&self) -> LateInteraction {
        self.settings.interaction
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        let (prompt, prefix) = self.prompt(options)?;
        let limits = Limits::from(options);
        let tokens = tokenize_all(texts.len(), limits, self.engine.workers(), |index| {
            let text = texts[index];
            let text = if prompt.is_empty() { Cow::Borrowed(text) } else { [&prompt, text].concat().into() };
            self.tokenize(&text, prefix, options.task)
        })?;
        let prepared = Prepared::new(Pieces::truncated(tokens), 0);
        let rows = self.rows(self.spec.default_route(), &prepared.distinct, options, limits)?;
        let texts = prepared.places.iter().map(|&place| rows[place].clone()).collect();
        Ok(TokenEmbeddings::new(texts, prepared.truncated()).with_overlong(prepared.overlong))
    }
}

impl MultiVectorEncoder {
    /// For each text the vectors of its tokens that count.
    fn rows(
        &self,
        route: &RouteSpec,
        texts: &[Tokenized],
        options: &EncodeOptions,
        limits: Limits,
    ) -> Result<Vec<Array2<f32>>, Error> {
        let output = self.engine.graph.tokens_output()?;
        let normalizes = options.normalize || self.settings.is_pylate;
        let mut answers = vec![Array2::zeros((0, route.dim)); texts.len()];
        self.engine.run(texts, output, 0, limits, |indices, batch, answer| {
            let (count, length) = batch.dim();
            let hidden: Array3<f32> = shaped(answer, output, &[count, length, route.dim])?;
            for (vectors, &index) in hidden.axis_iter(Axis(0)).zip(indices) {
                let ids = texts[index].ids.iter().enumerate();
                let counting: Vec<usize> =
                    ids.filter(|(_, id)| self.counts(**id, options.task)).map(|(place, _)| place).collect();
                let mut rows = vectors.select(Axis(0), &counting);
                if normalizes {
                    st_pooling::normalize_in_place(rows.view_mut());
                }
                answers[index] = rows;
            }
            Ok(())
        })?;
        Ok(answers)
    }
}
