//! Sessions are exclusive; the pool hides that behind `&self`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::runtime::{GraphSession, SessionFactory};

/// Opens sessions when they are first needed, at most as many as it has workers, and lends them out.
#[derive(Debug)]
pub(crate) struct SessionPool {
    factory: SessionFactory,
    workers: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<GraphSession>,
    opened: usize,
}

impl SessionPool {
    pub(crate) fn new(factory: SessionFactory, workers: usize) -> Self {
        Self { factory, workers: workers.max(1), state: Mutex::default(), returned: Condvar::new() }
    }

    /// How many sessions may run at once.
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// Gives `work` a session of its own: an idle one, else a new one if allowed, else the next to come back.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut GraphSession) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = self.take()?;
        let answer = work(&mut session);
        self.lock().idle.push(session);
        self.returned.notify_one();
        answer
    }

    fn take(&self) -> Result<GraphSession, Error> {
        let mut state = self.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.opened < self.workers {
                state.opened += 1;
                drop(state);
                return self.open();
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Outside the lock: opening takes a tenth of a second, and others may return theirs meanwhile.
    fn open(&self) -> Result<GraphSession, Error> {
        self.factory.open().inspect_err(|_| {
            self.lock().opened -= 1;
            self.returned.notify_one();
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
