//! The model itself: texts in, vectors out.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use st_core::{BoxError, EncodeOptions, Encoded, Encoder, LongText, Mode, Similarity, TokenEmbeddings};

use crate::engine::{Engine, Limits, tokenize_all};
use crate::graph::GraphInfo;
use crate::long_text::{self, Pieces, Windows};
use crate::prepared::Prepared;
use crate::runtime::RuntimeInfo;
use crate::spec::ModelKind;
use crate::tokenizer::{Tokenized, Tokenizer};
use crate::way::Way;
use crate::{Error, LoadOptions, ModelSpec, digest, finish, prompt};

/// A loaded sentence-transformers model.
///
/// Shared by reference between threads; each call takes as many of its workers as are free and asked for.
#[derive(Debug)]
pub struct SentenceTransformer {
    spec: ModelSpec,
    /// What answers for each of the routes.
    ways: Vec<Way>,
    digest: OnceLock<String>,
}

impl SentenceTransformer {
    /// Loads a model folder.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        Self::of_spec(ModelSpec::read_as(folder, Some(ModelKind::SentenceTransformer))?, options)
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
        let engines = self.ways.iter().map(Way::engine);
        let digest =
            digest::model_digest(&self.spec, engines.map(|engine| engine.map(|engine| &engine.graph)))?;
        Ok(self.digest.get_or_init(|| digest))
    }

    /// What the folder says of itself.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The graph that runs texts of which nothing is known; none for a table.
    pub fn graph(&self) -> Option<&GraphInfo> {
        self.engine().map(|engine| &engine.graph.info)
    }

    /// In which numbers it computes; a table is exact. `None` where that was the decision of the graph's maker.
    pub fn mode(&self) -> Option<Mode> {
        self.graph().map_or(Some(Mode::Exact), |graph| graph.mode)
    }

    /// The runtime that runs it; none for a table.
    pub fn runtime(&self) -> Option<&RuntimeInfo> {
        self.engine().map(|engine| &engine.runtime)
    }

    /// The tokenizer, as the model uses it.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        self.default_way().tokenizer()
    }

    fn engine(&self) -> Option<&Engine> {
        self.default_way().engine()
    }

    fn default_way(&self) -> &Way {
        // There are as many as routes, of which there is at least one.
        &self.ways[self.spec.route_place(None).unwrap_or(0)]
    }

    /// What answers at a place.
    pub(crate) fn way(&self, place: usize) -> &Way {
        &self.ways[place]
    }

    /// The place of the route for these options.
    pub(crate) fn place(&self, options: &EncodeOptions) -> Result<usize, Error> {
        self.spec.route_for(options.task)
    }

    /// What happens to texts that are too long: what the call says, else the model.
    pub fn long_text(&self, options: &EncodeOptions) -> LongText {
        long_text::policy(options.long_text, self.spec.long_text)
    }

    fn prepare(
        &self,
        place: usize,
        texts: &[&str],
        options: &EncodeOptions,
        long_text: LongText,
    ) -> Result<Prepared, Error> {
        let way = &self.ways[place];
        let prompt = prompt::resolve(&self.spec.sentence, options)?;
        let pooling = self.spec.routes[place].pooling.as_ref();
        let excluded = pooling.is_some_and(|pooling| !pooling.include_prompt) && !prompt.is_empty();
        let prompt_tokens = if excluded { prompt_tokens(way, prompt)? } else { 0 };
        let windows = match (long_text, way.max_tokens()) {
            (LongText::Chunk { overlap }, Some(limit)) => {
                Some(Windows::new(way.tokenizer(), prompt, limit, overlap)?)
            }
            _ => None,
        };
        let limit = if windows.is_some() { None } else { way.max_tokens() };
        let texts = tokenize(way, texts, prompt, limit, options.into())?;
        let pieces = match (windows, long_text) {
            (Some(windows), _) => Pieces::windows(texts, &windows),
            (None, LongText::Error) => Pieces::whole(texts, limit)?,
            (None, _) => Pieces::truncated(texts),
        };
        Ok(Prepared::new(pieces, prompt_tokens))
    }
}

/// Tokens of the prompt alone, its closing special token not counted, as the reference does.
fn prompt_tokens(way: &Way, prompt: &str) -> Result<usize, Error> {
    let tokens = way.tokenize(prompt, way.max_tokens());
    let length = tokens.map_err(|source| Error::Tokenize { index: 0, source })?.ids.len();
    Ok(length.saturating_sub(usize::from(way.tokenizer().ends_with_special())))
}

fn tokenize(
    way: &Way,
    texts: &[&str],
    prompt: &str,
    limit: Option<usize>,
    limits: Limits,
) -> Result<Vec<Tokenized>, Error> {
    tokenize_all(texts.len(), limits, way.workers(), |index| {
        let text = texts[index];
        let text = if prompt.is_empty() { Cow::Borrowed(text) } else { [prompt, text].concat().into() };
        way.tokenize(&text, limit)
    })
}

impl Encoder for SentenceTransformer {
    fn dim(&self) -> usize {
        self.spec.dim()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.default_way().max_tokens()
    }

    fn similarity(&self) -> Similarity {
        self.spec.similarity()
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<Encoded, BoxError> {
        let truncate_dim = finish::truncate_dim(&self.spec, options)?;
        let options = self.calibrated(options)?;
        let options = options.as_ref();
        let place = self.place(options)?;
        let route = &self.spec.routes[place];
        let prepared = self.prepare(place, texts, options, self.long_text(options))?;
        let rows = self.ways[place].rows(route, &prepared, options.into())?;
        let rows = prepared.restore(rows, route.normalizes());
        let vectors = finish::vectors(rows, truncate_dim, options)?;
        let tokens = prepared.texts().map(|text| text.ids.len()).sum();
        Ok(Encoded::new(vectors, prepared.truncated(), tokens).with_overlong(prepared.overlong))
    }

    fn encode_tokens(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        let long_text = match (options.long_text, self.long_text(options)) {
            (Some(LongText::Chunk { .. }), _) => {
                let reason = "the tokens of a text in windows are not those of one text".to_owned();
                return Err(Error::Option { option: "long_text", value: "chunk".to_owned(), reason }.into());
            }
            (None, LongText::Chunk { .. }) => LongText::Truncate,
            (_, policy) => policy,
        };
        let place = self.place(options)?;
        let prepared = self.prepare(place, texts, options, long_text)?;
        let answers = self.ways[place].token_rows(&self.spec.routes[place], &prepared, options.into())?;
        let texts = prepared.places.iter().map(|&place| answers[place].clone()).collect();
        Ok(TokenEmbeddings::new(texts, prepared.truncated()).with_overlong(prepared.overlong))
    }

    fn count_tokens(&self, texts: &[&str]) -> Result<Vec<usize>, BoxError> {
        let texts = tokenize(self.default_way(), texts, "", None, Limits::default())?;
        Ok(texts.iter().map(|text| text.full_length).collect())
    }
}
