//! A model that reads two texts at once: pairs in, scores out.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use st_core::{Activation, BoxError, PredictOptions, RankOptions, Ranked, Reranker, Scores};

use crate::engine::{Engine, Limits, tokenize_all};
use crate::graph::GraphInfo;
use crate::long_text::Pieces;
use crate::options::within;
use crate::prepared::Prepared;
use crate::runtime::RuntimeInfo;
use crate::spec::{CrossEncoderSpec, InputSpec, ModelKind};
use crate::tokenizer::{Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec, digest, prompt};

/// A loaded cross-encoder.
///
/// Shared by reference between threads; each call takes as many of its workers as are free and asked for.
#[derive(Debug)]
pub struct CrossEncoder {
    spec: ModelSpec,
    head: CrossEncoderSpec,
    engine: Engine,
    digest: OnceLock<String>,
}

impl CrossEncoder {
    /// Loads a model folder.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name;
    /// [`Error::NoClassifier`] of a transformer without a head, for which the reference would make a random one.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        Self::of_spec(ModelSpec::read_as(folder, Some(ModelKind::CrossEncoder))?, options)
    }

    pub(crate) fn of_spec(spec: ModelSpec, options: &LoadOptions) -> Result<Self, Error> {
        let route = spec.default_route();
        let (Some(head), InputSpec::Transformer(..)) = (&spec.cross_encoder, &route.input) else {
            return Err(Error::OtherKind {
                folder: spec.root.clone(),
                found: spec.kind.name(),
                asked: ModelKind::CrossEncoder.name(),
            });
        };
        let head = head.clone();
        let engine = Engine::load(&spec, route, options)?;
        Ok(Self { spec, head, engine, digest: OnceLock::new() })
    }

    /// Which model this is: a digest of everything in its folder that decides its scores, `blake3:…`.
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

    /// Names of the labels, as many as a pair has scores.
    pub fn label_names(&self) -> &[String] {
        &self.head.labels
    }

    /// What is done to the numbers of the head unless a call says otherwise.
    pub fn activation(&self) -> Activation {
        self.head.activation
    }

    /// The graph that runs it.
    pub fn graph(&self) -> &GraphInfo {
        &self.engine.graph.info
    }

    /// The runtime that runs the graph.
    pub fn runtime(&self) -> &RuntimeInfo {
        &self.engine.runtime
    }

    /// The tokenizer, as the model uses it.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        self.engine.tokenizer.as_ref()
    }

    /// Pairs as the model reads them, `prompt` before the first text, cut to `limit`.
    fn tokenize(
        &self,
        pairs: &[(&str, &str)],
        prompt: &str,
        limit: Option<usize>,
        limits: Limits,
    ) -> Result<Vec<Tokenized>, Error> {
        tokenize_all(pairs.len(), limits, self.engine.workers(), |index| {
            let (first, second) = pairs[index];
            let first =
                if prompt.is_empty() { Cow::Borrowed(first) } else { Cow::Owned([prompt, first].concat()) };
            self.engine.tokenizer.tokenize_pair(&first, second, limit)
        })
    }

    fn scores(&self, pairs: &[(&str, &str)], options: &PredictOptions) -> Result<Scores, Error> {
        let prompt = prompt::without_task(&self.spec.sentence, &options.prompt)?;
        let special = ("pair", self.engine.tokenizer.pair_special_tokens());
        let limit = within("max_tokens", options.max_tokens, self.engine.max_tokens, special)?;
        let limits = Limits::from(options);
        let prepared = Prepared::new(Pieces::truncated(self.tokenize(pairs, prompt, limit, limits)?), 0);
        let labels = self.labels();
        let output = self.engine.graph.sentence_output(false).unwrap_or_default();
        let mut values = self.engine.rows(&prepared.distinct, output, labels, 0, limits)?;
        st_pooling::activate_in_place(values.view_mut(), options.activation.unwrap_or(self.head.activation));
        // With one label the reference has no axis left to share over.
        if options.apply_softmax && labels > 1 {
            st_pooling::activate_in_place(values.view_mut(), Activation::Softmax);
        }
        let tokens = prepared.texts().map(|pair| pair.ids.len()).sum();
        Ok(Scores::new(prepared.restore(values, false), prepared.truncated(), tokens))
    }
}

impl Reranker for CrossEncoder {
    fn labels(&self) -> usize {
        self.head.labels.len()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.engine.max_tokens
    }

    fn predict(&self, pairs: &[(&str, &str)], options: &PredictOptions) -> Result<Scores, BoxError> {
        Ok(self.scores(pairs, options)?)
    }

    fn rank(&self, query: &str, documents: &[&str], options: &RankOptions) -> Result<Vec<Ranked>, BoxError> {
        if self.labels() != 1 {
            return Err(Error::ManyLabels { labels: self.labels() }.into());
        }
        let pairs: Vec<_> = documents.iter().map(|document| (query, *document)).collect();
        let scores = self.scores(&pairs, &options.predict)?;
        Ok(best_first(scores.values.iter().copied(), options.top_k))
    }

    fn count_pair_tokens(&self, pairs: &[(&str, &str)]) -> Result<Vec<usize>, BoxError> {
        let pairs = self.tokenize(pairs, "", None, Limits::default())?;
        Ok(pairs.iter().map(|pair| pair.full_length).collect())
    }
}

/// The best of `scores` first, of equal ones the earlier, what is no number last.
fn best_first(scores: impl Iterator<Item = f32>, top_k: Option<usize>) -> Vec<Ranked> {
    let mut ranked: Vec<_> =
        scores.enumerate().map(|(corpus_id, score)| Ranked { corpus_id, score }).collect();
    let key = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
    ranked.sort_by(|left, right| {
        let order = key(right.score).partial_cmp(&key(left.score));
        order.unwrap_or(std::cmp::Ordering::Equal).then(left.score.is_nan().cmp(&right.score.is_nan()))
    });
    ranked.truncate(top_k.unwrap_or(usize::MAX));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_ties_keep_their_order() {
        let scores = [f32::NAN, 0.5, 0.0, f32::NEG_INFINITY, 0.9, -0.0, 0.5];
        let places = |top_k| {
            let ranked = best_first(scores.into_iter(), top_k);
            ranked.iter().map(|ranked| ranked.corpus_id).collect::<Vec<_>>()
        };
        assert_eq!(places(None), [4, 1, 6, 2, 5, 3, 0]);
        assert_eq!(places(Some(2)), [4, 1]);
        assert_eq!(places(Some(0)), [0; 0]);
    }
}
