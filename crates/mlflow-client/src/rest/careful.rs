//! Calls that leave two things behind when they run twice.
//!
//! When such a call fails after it was sent, nobody knows whether it ran. It is not sent again before a look at the server
//! has shown that the first attempt left nothing. One hole remains, and no client can close it: a server that is still at
//! work on the first attempt when we look. The wait before the look makes it narrow.

use mlflow_types::{Endpoint, Repeat};

use super::RestStore;
use super::patience::Patience;
use crate::{Error, Result};

/// What came of sending a call.
pub(crate) enum Sent<T> {
    /// The server's answer.
    Answer(T),
    /// It may have run. Now somebody must look, and say so with [`Careful::seen`].
    Unknown,
}

/// A call on its way through failures and looks.
pub(crate) struct Careful<'a> {
    store: &'a RestStore,
    patience: Patience,
    /// The failure after which somebody must look.
    failure: Option<Error>,
    /// Whether another attempt may follow the look.
    more: bool,
}

impl<'a> Careful<'a> {
    pub(crate) fn new(store: &'a RestStore) -> Self {
        Self { store, patience: store.session().patience(), failure: None, more: true }
    }

    /// Sends the call, again where it surely did not run.
    ///
    /// # Errors
    /// The server's refusal, or the last failure when patience is used up and the look has shown nothing.
    pub(crate) async fn send<E: Endpoint>(&mut self, call: &E) -> Result<Sent<E::Response>> {
        let looked = self.patience.may_have_run;
        if let Some(failure) = self.failure.take()
            && !self.more
        {
            return Err(failure);
        }
        self.patience.may_have_run = false;
        let sent = self.store.call_patiently(call, Repeat::AfterLooking, &mut self.patience).await;
        let session = self.store.session();
        match sent {
            Ok(answer) => Ok(Sent::Answer(answer)),
            Err(error) if self.patience.may_have_run => {
                let pause = self.patience.pause_before_look(session.policy(), session.clock());
                self.more = pause.is_some();
                self.failure = Some(error);
                if let Some(pause) = pause {
                    tracing::debug!(route = E::PATH, ?pause, "may have run: looking");
                    session.clock().sleep(pause).await;
                }
                Ok(Sent::Unknown)
            }
            // Perhaps the first attempt ran after we had looked. Not every route says that there is one already: of a row
            // that is there, a server tells what its database said.
            Err(error) if looked && error.as_api().is_some_and(|said| matches!(said.status, 400 | 409)) => {
                self.more = false;
                self.failure = Some(error);
                Ok(Sent::Unknown)
            }
            Err(error) => {
                self.patience.may_have_run |= looked;
                Err(error)
            }
        }
    }

    /// What a look has shown. A look that failed shows nothing, and then the call is not sent again.
    ///
    /// # Errors
    /// The failure that made us look, when the look failed.
    pub(crate) fn seen<T>(&mut self, look: Result<Option<T>>) -> Result<Option<T>> {
        match look {
            Ok(seen) => Ok(seen),
            Err(error) => Err(self.failure.take().unwrap_or(error)),
        }
    }
}

impl RestStore {
    /// Sends a call that, run twice, changes nothing the second time but says that there is nothing to change.
    pub(crate) async fn until_done<E: Endpoint>(&self, call: &E) -> Result<()> {
        let mut patience = self.session().patience();
        match self.call_patiently(call, Repeat::Freely, &mut patience).await {
            Err(error) if !(patience.may_have_run && error.is_not_found()) => Err(error),
            _ => Ok(()),
        }
    }
}

/// A text as a filter has it.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
