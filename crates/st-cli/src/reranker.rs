//! From `-m` to a cross-encoder, and what is asked of it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use st_core::{Activation, BoxError, PredictOptions, Prompt, Reranker};
use st_model::CrossEncoder;

use crate::args::{ModelArgs, ScoreArgs};
use crate::model::{self, Located};
use crate::ranking::{Hit, better};
use crate::report;
use crate::settings::Settings;

/// Loads a cross-encoder that was found.
pub(crate) fn load(located: &Located, args: &ModelArgs, settings: &Settings) -> anyhow::Result<CrossEncoder> {
    let model = CrossEncoder::load(&located.folder, &settings.load_options(args))
        .with_context(|| format!("cannot load the model {}", located.shown))?;
    tracing::info!(folder = %located.folder.display(), graph = ?model.graph(), "cross-encoder loaded");
    Ok(model)
}

/// A cross-encoder, how it is asked, and what has been said of it so far.
pub(crate) struct Scorer {
    pub(crate) model: CrossEncoder,
    pub(crate) options: PredictOptions,
    truncated: usize,
    pairs: usize,
}

impl Scorer {
    /// Loads the model of a command.
    pub(crate) fn load(
        args: &ModelArgs,
        options: PredictOptions,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let model = load(&model::locate_for(args, settings)?, args, settings)?;
        Ok(Self { model, options, truncated: 0, pairs: 0 })
    }

    /// Loads a second model with what the first runs with, but for what belongs to the first alone.
    pub(crate) fn load_beside(path: &Path, args: &ModelArgs, settings: &Settings) -> anyhow::Result<Self> {
        let own = ModelArgs {
            model: PathBuf::from(path),
            graph: None,
            max_seq_length: None,
            ..ModelArgs::clone(args)
        };
        let scorer = Self::load(&own, PredictOptions::default(), settings)?;
        scorer.check_ranks()?;
        Ok(scorer)
    }

    /// What the scores are after.
    pub(crate) fn activation(&self) -> Activation {
        self.options.activation.unwrap_or(self.model.activation())
    }

    /// In which numbers it computes.
    pub(crate) fn mode(&self) -> &'static str {
        model::mode_of(Some(self.model.graph()))
    }

    /// Whether it can tell an order, before texts are read for it.
    pub(crate) fn check_ranks(&self) -> anyhow::Result<()> {
        match self.model.labels() {
            1 => Ok(()),
            labels => Err(st_model::Error::ManyLabels { labels }.into()),
        }
    }

    /// Scores of pairs, `labels` for each in turn.
    pub(crate) fn predict(&mut self, pairs: &[(&str, &str)]) -> anyhow::Result<Vec<f32>> {
        let scores = self.model.predict(pairs, &self.options).map_err(scoring)?;
        self.truncated += scores.truncated;
        self.pairs += pairs.len();
        Ok(scores.values.into_iter().collect())
    }

    /// Sorts the texts of each query again, by the scores of the pairs, and keeps the best.
    pub(crate) fn sort(
        &mut self,
        queries: &[String],
        best: &mut [Vec<Hit>],
        top_k: usize,
    ) -> anyhow::Result<()> {
        for (query, hits) in queries.iter().zip(best) {
            let pairs: Vec<_> = hits.iter().map(|hit| (query.as_str(), hit.text.as_str())).collect();
            let scores = self.predict(&pairs)?;
            for (hit, score) in hits.iter_mut().zip(scores) {
                hit.score = score;
            }
            hits.sort_by(|left, right| better(left.score, right.score));
            hits.truncate(top_k);
        }
        Ok(())
    }

    /// Says how many pairs were cut; nothing if none were.
    pub(crate) fn note_truncated(&self) {
        if self.truncated > 0 {
            let limit = self.model.max_tokens();
            let limit = limit.map_or_else(|| "the limit".to_owned(), |limit| format!("{limit} tokens"));
            let (truncated, pairs) = (self.truncated, self.pairs);
            report::note(
                "note",
                &format!("{truncated} of {pairs} pairs were longer than {limit} and were cut"),
            );
        }
    }
}

/// What is asked of it.
pub(crate) fn predict_options(args: &ScoreArgs) -> PredictOptions {
    let mut options = PredictOptions::default().with_prompt(match (&args.prompt, &args.prompt_name) {
        (Some(text), _) => Prompt::Text(text.clone()),
        (None, Some(name)) => Prompt::Name(name.clone()),
        (None, None) => Prompt::Default,
    });
    (options.activation, options.max_tokens_per_batch) = (args.activation, args.max_tokens_per_batch);
    options
}

/// A failure of the model, with the type that it had.
fn scoring(error: BoxError) -> anyhow::Error {
    model::typed(error).context("cannot score the pairs")
}
