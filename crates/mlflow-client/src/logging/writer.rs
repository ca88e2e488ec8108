//! The thread that sends: one for each run, with a runtime of its own.

use std::sync::Arc;
use std::thread;

use super::courier::{Courier, Step};
use super::options::Backoff;
use super::sender::Sender;
use super::{Journal, LoggingOptions};
use crate::{Error, Result, TrackingStore};

/// The thread that sends what a run's journal accepts.
#[derive(Debug)]
pub(crate) struct Writer;

impl Writer {
    /// Starts the thread. It ends when the journal was closed and is empty, or when the journal's deadline has passed.
    pub(crate) fn start(
        store: &Arc<dyn TrackingStore>,
        journal: &Arc<Journal>,
        options: &LoggingOptions,
    ) -> Result<()> {
        let failed = |source: std::io::Error| Error::Logging {
            run: journal.run_id().to_string(),
            problem: "the thread that sends cannot be started".to_owned(),
            source: Some(source.into()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        // Connections belong to the runtime that opened them, and the caller's may stand still while we send.
        let store = store.separate().unwrap_or_else(|| Arc::clone(store));
        let journal = Arc::clone(journal);
        let courier = Courier::new(Arc::clone(&journal), Sender::new(store, journal.run_id().clone()));
        let backoff = options.backoff;
        let body = move || {
            let _finished = Finish(Arc::clone(&journal));
            runtime.block_on(async {
                tokio::select! {
                    () = carry(courier, &journal, backoff) => {}
                    () = expired(&journal) => {}
                }
            });
        };
        thread::Builder::new().name("mlflow-writer".to_owned()).spawn(body).map(drop).map_err(failed)
    }
}

/// Tells those who wait that the thread is gone, even if it panicked.
struct Finish(Arc<Journal>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

async fn carry(mut courier: Courier, journal: &Journal, backoff: Backoff) {
    let mut failures = 0;
    loop {
        // Asked before the step: a run that is ended between the two has its end in the journal by then.
        let closed = journal.deadline().is_some();
        match courier.step().await {
            Step::Moved => failures = 0,
            Step::Idle if closed => return,
            Step::Idle => journal.wake.notified().await,
            Step::Failed { error, stuck } => {
                failures += 1;
                tracing::debug!(run = %journal.run_id(), failures, %error, "cannot log; what waits is kept");
                journal.trouble(error);
                if stuck && journal.deadline().is_some() {
                    return;
                }
                tokio::time::sleep(backoff.after(failures)).await;
            }
        }
    }
}

/// Returns when the journal was closed and its deadline has passed.
async fn expired(journal: &Journal) {
    let mut progress = journal.progress();
    let closed = progress.wait_for(|progress| progress.closed).await.is_ok();
    if let (true, Some(deadline)) = (closed, journal.deadline()) {
        tokio::time::sleep_until(deadline.into()).await;
    }
}
