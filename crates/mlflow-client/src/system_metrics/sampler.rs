//! The thread that samples.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mlflow_types::metrics::Metric;

use super::machine::Machine;
use crate::logging::{Entry, Journal, now};
use crate::{BoxError, Error, Result};

/// How often the machine is looked at, and under which name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SystemMetricsOptions {
    /// Between two samples. 10 s.
    pub interval: Duration,
    /// Samples that one logged value is the mean of. 1.
    pub samples_before_logging: u32,
    /// A name for this machine where several log to one run: `system/NODE/…`.
    pub node_id: Option<String>,
}

impl Default for SystemMetricsOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), samples_before_logging: 1, node_id: None }
    }
}

impl SystemMetricsOptions {
    /// The same with another interval.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
}

/// Samples until it is dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Starts to sample; the first value is logged after one interval, at `step`.
    pub(crate) fn start(journal: &Arc<Journal>, options: SystemMetricsOptions, step: i64) -> Result<Self> {
        let (signal, end) = mpsc::channel();
        let failed = |source: BoxError| Error::Logging {
            run: journal.run_id().to_string(),
            problem: "the machine's load cannot be sampled".to_owned(),
            source: Some(source),
        };
        let machine = Machine::new().map_err(failed)?;
        let thread = {
            let journal = Arc::clone(journal);
            let body = move || sample(machine, &journal, &options, step, &end);
            thread::Builder::new().name("mlflow-system".to_owned()).spawn(body)
        };
        let thread = thread.map_err(|source| failed(source.into()))?;
        Ok(Self { stop: Some(signal), thread: Some(thread) })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // Without its other end the channel wakes the thread.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A sampler that panicked has nothing more to say; the run goes on.
            let _ = thread.join();
        }
    }
}

fn sample(
    mut machine: Machine,
    journal: &Journal,
    options: &SystemMetricsOptions,
    first: i64,
    end: &mpsc::Receiver<()>,
) {
    let prefix = options.node_id.as_ref().map_or("system/".to_owned(), |node| format!("system/{node}/"));
    for step in first.. {
        for _ in 0..options.samples_before_logging.max(1) {
            // The share of busy time is that since the last look, so each sample begins with a pause.
            if end.recv_timeout(options.interval) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            machine.look();
        }
        let time = now();
        let entry = |(name, value)| Entry::Metric(Metric::new(format!("{prefix}{name}"), value, time, step));
        let entries = machine.take().into_iter().map(entry).collect();
        // Load is the first thing to do without when the queue is full.
        if let Err(error) = journal.append(entries, Duration::ZERO) {
            tracing::debug!(run = %journal.run_id(), %error, "a sample of the machine's load is left out");
        }
    }
}
