//! How often a request is sent, and how long is waited in between.

use std::time::Duration;

use crate::settings::HubSettings;

/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// A number of attempts, with pauses that grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    first: Duration,
}

impl Retry {
    pub(crate) fn new(settings: &HubSettings) -> Self {
        Self { attempts: settings.attempts.max(1), first: settings.pause }
    }

    /// Waits after so many attempts.
    pub(crate) async fn pause(&self, attempts: u32) {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        tokio::time::sleep(self.first.saturating_mul(factor).min(LONGEST)).await;
    }
}
