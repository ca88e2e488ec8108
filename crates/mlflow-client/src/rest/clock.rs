//! Time and chance, handed in so that a test neither sleeps nor wonders.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

/// What waiting needs.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time since some moment in the past; it never goes back.
    fn elapsed(&self) -> Duration;
    /// The time since the Unix epoch.
    fn unix_time(&self) -> Duration;
    /// A number from 0 to 1, without 1.
    fn random(&self) -> f64;
    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that begins now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn random(&self) -> f64 {
        // 32 of the random bits of a version 4 UUID; a wait needs no more.
        f64::from(uuid::Uuid::new_v4().as_fields().0) / (f64::from(u32::MAX) + 1.0)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
