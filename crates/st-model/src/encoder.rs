//! The model itself: texts in, vectors out.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use ndarray::{Array2, Array3, ArrayD, Axis, Slice};
use st_core::{BoxError, EncodeOptions, Encoded, Encoder, LongText, Similarity, TokenEmbeddings, TokenView};

use crate::batch::{self, Batch, Grouping};
use crate::graph::{Graph, GraphInfo};
use crate::long_text::{self, Pieces, Windows};
use crate::pool::SessionPool;
use crate::prepared::Prepared;
use crate::runtime::{Runtime, RuntimeInfo, SessionFactory};
use crate::tokenizer::{JsonTokenizer, Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec, digest, finish, prompt};

/// A loaded sentence-transformers model.
///
/// Shared by reference between threads; each call takes as many of its workers as are free and asked for.
#[derive(Debug)]
pub struct SentenceTransformer {
    spec: ModelSpec,
    tokenizer: Box<dyn Tokenizer>,
    graph: Graph,
    pool: SessionPool,
    runtime: RuntimeInfo,
    max_tokens: Option<usize>,
    digest: OnceLock<String>,
}

impl SentenceTransformer {
    /// Loads a model folder.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the folder, its weights, its tokenizer or the runtime, by name.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let spec = ModelSpec::read(folder)?;
        let runtime = Runtime::open(&options.places)?;
        // The graph's digest and the tokenizer's tables take about the same time.
        let (graph, tokenizer) = thread::scope(|scope| {
            let graph = scope.spawn(|| Graph::find(&spec, options));
            let tokenizer = JsonTokenizer::load(&spec.transformer);
            (graph.join(), tokenizer)
        });
        let graph = graph.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let tokenizer = Box::new(tokenizer?);
        let max_tokens = options.max_tokens(&spec, tokenizer.special_tokens())?;
        let factory = SessionFactory::new(runtime.clone(), graph.source.clone());
        let pool = SessionPool::new(factory, options.threads);
        let runtime = runtime.info().clone();
        Ok(Self { spec, tokenizer, graph, pool, runtime, max_tokens, digest: OnceLock::new() })
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
        let weights = self.graph.weights_digest.as_deref();
        let digest = digest::model_digest(&self.spec, &self.graph.info, weights)?;
        Ok(self.digest.get_or_init(|| digest))
    }

    /// What the folder says of itself.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The graph that runs.
    pub fn graph(&self) -> &GraphInfo {
        &self.graph.info
    }

    /// The runtime that runs it.
    pub fn runtime(&self) -> &RuntimeInfo {
        &self.runtime
    }

    /// The tokenizer, as the model uses it.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        self.tokenizer.as_ref()
    }

    /// What happens to texts that are too long: what the call says, else the model.
    pub fn long_text(&self, options: &EncodeOptions) -> LongText {
        long_text::policy(options.long_text, self.spec.long_text)
    }

    fn grouping(&self) -> Grouping {
        if self.graph.quantized { Grouping::EqualLengths } else { Grouping::SimilarLengths }
    }

    /// Workers of one call: what was asked for, what there is, and no more than there is work for.
    fn workers(&self, options: &EncodeOptions, jobs: usize) -> Result<usize, Error> {
        if options.threads == Some(0) {
            return Err(Error::option("threads", 0, "at least one worker is needed"));
        }
        Ok(options.threads.unwrap_or(usize::MAX).min(self.pool.workers()).min(jobs).max(1))
    }

    fn prepare(
        &self,
        texts: &[&str],
        options: &EncodeOptions,
        long_text: LongText,
    ) -> Result<Prepared, Error> {
        let prompt = prompt::resolve(&self.spec.sentence, options)?;
        let excluded = !self.spec.pooling.include_prompt && !prompt.is_empty();
        let prompt_tokens = if excluded { self.prompt_tokens(prompt)? } else { 0 };
        let windows = match (long_text, self.max_tokens) {
            (LongText::Chunk { overlap }, Some(limit)) => {
                Some(Windows::new(self.tokenizer(), prompt, limit, overlap)?)
            }
            _ => None,
        };
        let limit = if windows.is_some() { None } else { self.max_tokens };
        let texts = self.tokenize(texts, prompt, limit, options)?;
        let pieces = match (windows, long_text) {
            (Some(windows), _) => Pieces::windows(texts, &windows),
            (None, LongText::Error) => Pieces::whole(texts, limit)?,
            (None, _) => Pieces::truncated(texts),
        };
        Ok(Prepared::new(pieces, prompt_tokens))
    }

    /// Tokens of the prompt alone, its closing special token not counted, as the reference does.
    fn prompt_tokens(&self, prompt: &str) -> Result<usize, Error> {
        let tokens = self.tokenizer.tokenize(prompt, self.max_tokens);
        let length = tokens.map_err(|source| Error::Tokenize { index: 0, source })?.ids.len();
        Ok(length.saturating_sub(usize::from(self.tokenizer.ends_with_special())))
    }

    fn tokenize(
        &self,
        texts: &[&str],
        prompt: &str,
        limit: Option<usize>,
        options: &EncodeOptions,
    ) -> Result<Vec<Tokenized>, Error> {
        /// Fewer texts are not worth a thread.
        const TEXTS_PER_JOB: usize = 64;
        let one = |(index, text): (usize, &&str)| {
            let text = if prompt.is_empty() { Cow::Borrowed(*text) } else { [prompt, text].concat().into() };
            self.tokenizer.tokenize(&text, limit).map_err(|source| Error::Tokenize { index, source })
        };
        let workers = self.workers(options, texts.len().div_ceil(TEXTS_PER_JOB))?;
        let share = texts.len().div_ceil(workers).max(1);
        let parts = thread::scope(|scope| {
            let jobs: Vec<_> = texts
                .chunks(share)
                .enumerate()
                .map(|(part, chunk)| {
                    let first = part * share;
                    scope.spawn(move || {
                        let texts = chunk.iter().enumerate();
                        texts.map(|(at, text)| one((first + at, text))).collect::<Result<Vec<_>, _>>()
                    })
                })
                .collect();
            jobs.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(parts.concat())
    }

    /// Runs all batches on the workers and hands each answer to `take`, one at a time, in no order.
    fn run(
        &self,
        texts: &[Tokenized],
        output: &str,
        options: &EncodeOptions,
        take: impl FnMut(&[usize], &Batch, ArrayD<f32>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let budget = options.max_tokens_per_batch.unwrap_or(batch::DEFAULT_MAX_TOKENS);
        let plan = batch::plan(&lengths, budget, self.grouping());
        let next = AtomicUsize::new(0);
        let take = Mutex::new(take);
        let work = || {
            self.pool.with(|session| {
                while let Some(rows) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let batch = Batch::new(texts, rows);
                    let answer = session.run(&batch, output)?;
                    let mut take = take.lock().unwrap_or_else(PoisonError::into_inner);
                    take(rows, &batch, answer)?;
                }
                Ok(())
            })
        };
        let workers = self.workers(options, plan.len())?;
        if plan.is_empty() {
            return Ok(());
        }
        if workers == 1 {
            return work();
        }
        thread::scope(|scope| {
            let jobs: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            jobs.into_iter().try_for_each(join)
        })
    }

    /// Rows `[texts, dim]`, pooled by the graph if it can, else by our kernels.
    fn rows(&self, prepared: &Prepared, options: &EncodeOptions) -> Result<Array2<f32>, Error> {
        let texts = &prepared.distinct;
        let mut rows = Array2::zeros((texts.len(), self.spec.dim()));
        match self.graph.sentence.as_deref().filter(|_| prepared.prompt_tokens == 0) {
            Some(output) => self.run(texts, output, options, |indices, batch, answer| {
                let answer = shaped(answer, output, &[batch.dim().0, self.spec.dim()])?;
                scatter(&mut rows, indices, &answer);
                Ok(())
            })?,
            None => {
                let output = self.tokens_output()?;
                self.run(texts, output, options, |indices, batch, answer| {
                    let pooled = self.pool_tokens(answer, output, batch, prepared.prompt_tokens)?;
                    scatter(&mut rows, indices, &pooled);
                    Ok(())
                })?;
            }
        }
        Ok(prepared.restore(rows, self.spec.normalize))
    }

    /// For each distinct text the embeddings of its tokens, `[its tokens, hidden]`.
    pub(crate) fn token_rows(
        &self,
        prepared: &Prepared,
        options: &EncodeOptions,
    ) -> Result<Vec<Array2<f32>>, Error> {
        let mut answers = vec![Array2::zeros((0, 0)); prepared.distinct.len()];
        let output = self.tokens_output()?;
        self.run(&prepared.distinct, output, options, |indices, batch, answer| {
            let hidden = self.hidden(answer, output, batch)?;
            for (row, &index) in indices.iter().enumerate() {
                let length = prepared.distinct[index].ids.len();
                let text = hidden.index_axis(Axis(0), row);
                answers[index] = text.slice_axis(Axis(0), Slice::from(..length)).to_owned();
            }
            Ok(())
        })?;
        Ok(answers)
    }

    fn tokens_output(&self) -> Result<&str, Error> {
        self.graph.tokens.as_deref().ok_or_else(|| Error::GraphOutputs {
            path: self.graph.info.path.clone().unwrap_or_default(),
            outputs: self.graph.sentence.clone().unwrap_or_default(),
        })
    }

    fn hidden(&self, answer: ArrayD<f32>, output: &str, batch: &Batch) -> Result<Array3<f32>, Error> {
        let (texts, tokens) = batch.dim();
        shaped(answer, output, &[texts, tokens, self.spec.transformer.hidden_size])
    }

    fn pool_tokens(
        &self,
        answer: ArrayD<f32>,
        output: &str,
        batch: &Batch,
        prompt_tokens: usize,
    ) -> Result<Array2<f32>, Error> {
        let hidden = self.hidden(answer, output, batch)?;
        let view =
            TokenView::new(hidden.view(), batch.mask.view()).map_err(|source| Error::Shape { source })?;
        let prompts = vec![prompt_tokens; batch.dim().0];
        let mut pooled = st_pooling::pool(view, &self.spec.pooling.modes, &prompts);
        if self.spec.normalize {
            st_pooling::normalize_in_place(pooled.view_mut());
        }
        Ok(pooled)
    }
}

impl Encoder for SentenceTransformer {
    fn dim(&self) -> usize {
        self.spec.dim()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    fn similarity(&self) -> Similarity {
        self.spec.similarity()
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<Encoded, BoxError> {
        let truncate_dim = finish::truncate_dim(&self.spec, options)?;
        let options = self.calibrated(options)?;
        let options = options.as_ref();
        let prepared = self.prepare(texts, options, self.long_text(options))?;
        let rows = self.rows(&prepared, options)?;
        let vectors = finish::vectors(rows, truncate_dim, options)?;
        let tokens = prepared.texts().map(|text| text.ids.len()).sum();
        Ok(Encoded::new(vectors, prepared.truncated(), tokens).with_overlong(prepared.overlong))
    }

    fn encode_tokens(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        let long_text = match (options.long_text, self.long_text(options)) {
            (Some(LongText::Chunk { .. }), _) => {
                let reason = "the tokens of a text in windows are not those of one text";
                return Err(Error::Option {
                    option: "long_text",
                    value: "chunk".to_owned(),
                    reason: reason.to_owned(),
                }
                .into());
            }
            (None, LongText::Chunk { .. }) => LongText::Truncate,
            (_, policy) => policy,
        };
        let prepared = self.prepare(texts, options, long_text)?;
        let answers = self.token_rows(&prepared, options)?;
        let texts = prepared.places.iter().map(|&place| answers[place].clone()).collect();
        Ok(TokenEmbeddings::new(texts, prepared.truncated()).with_overlong(prepared.overlong))
    }

    fn count_tokens(&self, texts: &[&str]) -> Result<Vec<usize>, BoxError> {
        let texts = self.tokenize(texts, "", None, &EncodeOptions::default())?;
        Ok(texts.iter().map(|text| text.full_length).collect())
    }
}

fn scatter(rows: &mut Array2<f32>, indices: &[usize], answer: &Array2<f32>) {
    for (row, &index) in answer.axis_iter(Axis(0)).zip(indices) {
        rows.row_mut(index).assign(&row);
    }
}

/// Gives an answer of the runtime the rank that the model promises.
fn shaped<D: ndarray::Dimension>(
    answer: ArrayD<f32>,
    output: &str,
    expected: &[usize],
) -> Result<ndarray::Array<f32, D>, Error> {
    let found = answer.shape().to_vec();
    let fail = || Error::OutputShape {
        output: output.to_owned(),
        found: found.clone(),
        expected: format!("{expected:?}"),
    };
    if found != expected {
        return Err(fail());
    }
    answer.into_dimensionality().map_err(|_| fail())
}

fn join<T>(job: thread::ScopedJoinHandle<'_, T>) -> T {
    job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
