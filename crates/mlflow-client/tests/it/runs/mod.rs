//! Runs at work: nothing lost, nothing twice, nothing silent.

mod artifacts;
mod crash;
mod ends;
mod fake;
mod outages;
mod refusals;
mod replay;
#[cfg(feature = "rest")]
mod server;
mod start;
mod system;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, Fault};
use mlflow_client::logging::{Backoff, LoggingOptions, SpoolOptions};
use mlflow_client::types::ExperimentId;
use mlflow_client::{ActiveRun, RunOptions};

/// The address that the spool files of these tests name.
const ADDRESS: &str = "http://fake.test";

/// As long as it takes: what a test waits for arrives, or the test hangs, which nobody overlooks.
const FOREVER: Duration = Duration::from_hours(1);

/// No pauses; in memory.
fn logging() -> LoggingOptions {
    let mut options = LoggingOptions::default();
    options.backoff = Backoff { first: Duration::ZERO, longest: Duration::ZERO };
    (options.queue_patience, options.end_patience, options.drop_patience) = (FOREVER, FOREVER, FOREVER);
    options
}

/// No pauses; in a spool.
fn spooled(folder: &Path) -> LoggingOptions {
    let mut options = logging();
    options.spool = Some(SpoolOptions::new(folder, ADDRESS));
    options
}

fn experiment() -> RunOptions {
    RunOptions::new(ExperimentId::try_new("0").unwrap())
}

async fn start(store: &Arc<Fake>, logging: LoggingOptions) -> ActiveRun {
    ActiveRun::start(Arc::clone(store) as _, experiment().with_logging(logging)).await.unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
