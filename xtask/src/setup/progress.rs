//! A bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::style;

/// The progress of one package.
#[derive(Debug)]
pub(super) struct Progress {
    what: String,
    bytes: u64,
    begin: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows that the work begins; `bytes` is the size of the wheel.
    pub(super) fn start(what: &str, bytes: u64) -> Self {
        let bar = stderr().is_terminal().then(|| bar(what, bytes));
        if bar.is_none() {
            eprintln!("setup: fetching {what} ({})", style::size(bytes));
        }
        Self { what: what.to_owned(), bytes, begin: Instant::now(), bar }
    }

    /// So many bytes of the wheel have arrived.
    pub(super) fn arrived(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes.min(self.bytes));
        }
    }

    /// What is being done now.
    pub(super) fn note(&self, doing: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} ({doing})", self.what));
        }
    }

    /// Replaces the bar by one line with the time taken.
    pub(super) fn done(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("setup: {} in {}", self.what, style::time(self.begin.elapsed()));
    }
}

fn bar(what: &str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_message(what.to_owned());
    let style =
        ProgressStyle::with_template("{msg:50!} {bar:30} {bytes:>10} of {total_bytes} {bytes_per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
