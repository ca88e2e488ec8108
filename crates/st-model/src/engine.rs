//! A tokenizer, a graph, and the workers that take texts through both.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ndarray::{Array, Array2, ArrayD, Axis, Dimension};
use st_core::BoxError;
use st_export::Task;

use crate::batch::{self, Batch, Grouping};
use crate::graph::Graph;
use crate::pool::SessionPool;
use crate::runtime::{Runtime, RuntimeInfo, SessionFactory};
use crate::spec::{InputSpec, RouteSpec};
use crate::tokenizer::{self, Tokenized, Tokenizer};
use crate::{Error, LoadOptions, ModelSpec};

/// What one call may use of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// At most this many workers; all of them if not given.
    pub(crate) threads: Option<usize>,
    /// Padded tokens of a batch; the measured default if not given.
    pub(crate) max_tokens_per_batch: Option<usize>,
}

impl From<&st_core::EncodeOptions> for Limits {
    fn from(options: &st_core::EncodeOptions) -> Self {
        Self { threads: options.threads, max_tokens_per_batch: options.max_tokens_per_batch }
    }
}

impl From<&st_core::PredictOptions> for Limits {
    fn from(options: &st_core::PredictOptions) -> Self {
        Self { threads: options.threads, max_tokens_per_batch: options.max_tokens_per_batch }
    }
}

/// A graph that runs, and what makes tokens for it.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) tokenizer: Box<dyn Tokenizer>,
    pub(crate) graph: Graph,
    pool: SessionPool,
    pub(crate) runtime: RuntimeInfo,
    /// Longest text in tokens, special tokens included.
    pub(crate) max_tokens: Option<usize>,
}

impl Engine {
    /// Loads one way through a model that reads tokens in a graph.
    pub(crate) fn load(spec: &ModelSpec, route: &RouteSpec, options: &LoadOptions) -> Result<Self, Error> {
        let runtime = Runtime::open(&options.places)?;
        // The graph's digest and the tokenizer's tables take about the same time.
        let (graph, tokenizer) = thread::scope(|scope| {
            let graph = scope.spawn(|| Graph::find(spec, route.input.folder(), &route.head(), options));
            let tokenizer = tokenizer::load(&route.input);
            (graph.join(), tokenizer)
        });
        let graph = graph.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let tokenizer = tokenizer?;
        let special = match route.input {
            InputSpec::Transformer(_, Task::Classification { .. }) => {
                ("pair", tokenizer.pair_special_tokens())
            }
            _ => ("text", tokenizer.special_tokens()),
        };
        let max_tokens = options.max_tokens(route.input.max_tokens(), special)?;
        let factory = SessionFactory::new(runtime.clone(), graph.source.clone());
        let pool = SessionPool::new(factory, options.threads);
        Ok(Self { tokenizer, graph, pool, runtime: runtime.info().clone(), max_tokens })
    }

    /// Sessions that may run at once.
    pub(crate) fn workers(&self) -> usize {
        self.pool.workers()
    }

    /// Runs all batches on the workers and hands each answer to `take`, one at a time, in no order.
    ///
    /// The first `prompt_tokens` tokens of each text are left out of pooling, where the graph can be told.
    pub(crate) fn run(
        &self,
        texts: &[Tokenized],
        output: &str,
        prompt_tokens: usize,
        limits: Limits,
        take: impl FnMut(&[usize], &Batch, ArrayD<f32>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let budget = limits.max_tokens_per_batch.unwrap_or(batch::DEFAULT_MAX_TOKENS);
        let grouping = if self.graph.quantized { Grouping::EqualLengths } else { Grouping::SimilarLengths };
        let plan = batch::plan(&lengths, budget, grouping);
        let next = AtomicUsize::new(0);
        let take = Mutex::new(take);
        let work = || {
            self.pool.with(|session| {
                while let Some(rows) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let batch = Batch::new(texts, rows, self.tokenizer.pad_id());
                    let answer = session.run(&batch, prompt_tokens, output)?;
                    let mut take = take.lock().unwrap_or_else(PoisonError::into_inner);
                    take(rows, &batch, answer)?;
                }
                Ok(())
            })
        };
        let workers = workers(limits, self.workers(), plan.len())?;
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

    /// Rows `[texts, width]` of the output of that name.
    pub(crate) fn rows(
        &self,
        texts: &[Tokenized],
        output: &str,
        width: usize,
        prompt_tokens: usize,
        limits: Limits,
    ) -> Result<Array2<f32>, Error> {
        let mut rows = Array2::zeros((texts.len(), width));
        self.run(texts, output, prompt_tokens, limits, |indices, batch, answer| {
            let answer = shaped(answer, output, &[batch.dim().0, width])?;
            scatter(&mut rows, indices, &answer);
            Ok(())
        })?;
        Ok(rows)
    }
}

/// Workers of one call: what was asked for, what there is, and no more than there is work for.
pub(crate) fn workers(limits: Limits, most: usize, jobs: usize) -> Result<usize, Error> {
    if limits.threads == Some(0) {
        return Err(Error::option("threads", 0, "at least one worker is needed"));
    }
    Ok(limits.threads.unwrap_or(usize::MAX).min(most).min(jobs).max(1))
}

/// Makes tokens of `count` texts on at most `most` threads; `one` makes those of the text at a place.
pub(crate) fn tokenize_all(
    count: usize,
    limits: Limits,
    most: usize,
    one: impl Fn(usize) -> Result<Tokenized, BoxError> + Sync,
) -> Result<Vec<Tokenized>, Error> {
    /// Fewer texts are not worth a thread.
    const TEXTS_PER_JOB: usize = 64;
    let one = |index| one(index).map_err(|source| Error::Tokenize { index, source });
    let workers = workers(limits, most, count.div_ceil(TEXTS_PER_JOB))?;
    if workers == 1 {
        return (0..count).map(one).collect();
    }
    let share = count.div_ceil(workers).max(1);
    let one = &one;
    let parts = thread::scope(|scope| {
        let job = |first: usize| {
            scope.spawn(move || (first..count.min(first + share)).map(one).collect::<Result<Vec<_>, _>>())
        };
        let jobs: Vec<_> = (0..count).step_by(share).map(job).collect();
        jobs.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(parts.concat())
}

/// Puts the rows of a batch where their texts stand.
pub(crate) fn scatter(rows: &mut Array2<f32>, indices: &[usize], answer: &Array2<f32>) {
    for (row, &index) in answer.axis_iter(Axis(0)).zip(indices) {
        rows.row_mut(index).assign(&row);
    }
}

/// Gives an answer of the runtime the rank that the model promises.
pub(crate) fn shaped<D: Dimension>(
    answer: ArrayD<f32>,
    output: &str,
    expected: &[usize],
) -> Result<Array<f32, D>, Error> {
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

pub(crate) fn join<T>(job: thread::ScopedJoinHandle<'_, T>) -> T {
    job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
