//! A log that somebody asks to stop.

use std::time::Duration;

use tokio::sync::watch;

use super::LogError;

/// How long a stopped log still waits for the answer to a call that makes or ends the model. Without it nobody would know
/// what to declare failed.
const GRACE: Duration = Duration::from_secs(5);

/// Asks a log to stop, from outside: from what handles Ctrl-C, for example.
///
/// The logged model is then declared failed. A model of which every byte was sent and that is ready stays ready.
#[derive(Clone, Debug, Default)]
pub struct StopSwitch {
    asked: watch::Sender<bool>,
}

impl StopSwitch {
    /// A switch that nobody has used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every log that holds this switch, or a clone of it, to stop.
    pub fn stop(&self) {
        self.asked.send_replace(true);
    }

    /// Whether somebody has asked.
    pub fn is_stopped(&self) -> bool {
        *self.asked.borrow()
    }

    /// One that was used.
    pub(super) fn used() -> Self {
        let switch = Self::new();
        switch.stop();
        switch
    }

    /// Waits until somebody asks.
    pub async fn stopped(&self) {
        // The channel cannot close: this holds a sender.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// What comes of work, unless somebody asks to stop first; the work is then dropped where it stands.
    pub(super) async fn or_stop<T>(
        &self,
        work: impl Future<Output = Result<T, LogError>>,
    ) -> Result<T, LogError> {
        tokio::select! {
            biased;
            () = self.stopped() => Err(LogError::Stopped),
            outcome = work => outcome,
        }
    }

    /// The same for work that leaves something behind when it is dropped: it has some seconds to end by itself.
    pub(super) async fn or_stop_soon<T>(
        &self,
        work: impl Future<Output = Result<T, LogError>>,
    ) -> Result<T, LogError> {
        let patience = async {
            self.stopped().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = patience => Err(LogError::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_dropped_when_somebody_asks() {
        let stop = StopSwitch::new();
        assert_eq!(stop.or_stop(async { Ok(1) }).await.unwrap(), 1);
        let other = stop.clone();
        let never = async {
            other.stop();
            std::future::pending::<Result<(), LogError>>().await
        };
        assert_eq!(stop.or_stop(never).await.unwrap_err().to_string(), "the log was stopped");
        assert!(stop.is_stopped());
        assert_eq!(stop.or_stop_soon(async { Ok(2) }).await.unwrap(), 2, "what is done is done");
    }
}
