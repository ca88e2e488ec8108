//! A bar on standard error, for what takes longer than a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::input::Gauge;

/// Quicker than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows how far an input has come, if standard error is a terminal.
pub(crate) struct Progress {
    gauge: Gauge,
    wanted: bool,
    started: Instant,
    texts: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Waits for the patience to run out.
    pub(crate) fn new(gauge: Gauge, wanted: bool) -> Self {
        Self { gauge, wanted, started: Instant::now(), texts: 0, bar: None }
    }

    /// So many texts more are done.
    pub(crate) fn add(&mut self, texts: usize) {
        self.texts += texts;
        if self.bar.is_none() && self.wanted && self.started.elapsed() > PATIENCE {
            self.bar = Some(new_bar(self.gauge.total).with_elapsed(self.started.elapsed()));
        }
        if let Some(bar) = &self.bar {
            #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
            let rate = self.texts as f64 / self.started.elapsed().as_secs_f64();
            bar.set_message(format!("{} texts, {rate:.0}/s", self.texts));
            bar.set_position(self.gauge.done());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows how many bytes have come, if standard error is a terminal. Several threads may tell.
#[derive(Debug)]
pub(crate) struct Bytes {
    wanted: bool,
    started: Instant,
    total: AtomicU64,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl Bytes {
    /// Waits for the patience to run out.
    pub(crate) fn new(wanted: bool) -> Self {
        let (total, done) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { wanted, started: Instant::now(), total, done, bar: OnceLock::new() }
    }

    /// So many bytes are to come.
    pub(crate) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many bytes more have come.
    pub(crate) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.wanted && self.started.elapsed() > PATIENCE {
            let bar = || bytes_bar(self.total.load(Ordering::Relaxed)).with_elapsed(self.started.elapsed());
            self.bar.get_or_init(bar).set_position(done);
        }
    }

    /// So many of them come again.
    pub(crate) fn take(&self, bytes: u64) {
        self.done.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

fn bytes_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template =
        "{wide_bar} {percent}% {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
    // The template is a constant; a mistake in it would only cost the looks.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{wide_bar} {percent}% {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}"),
    };
    // The template is a constant; a mistake in it would only cost the looks.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
