//! Whether and when a request is sent again: policy and permission must both say yes.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use mlflow_types::Repeat;

use super::clock::Clock;
use super::transport::{HttpResponse, TransportError};
use crate::settings::RetryPolicy;

/// The wait before the first look whether a call has run. A gateway's 504 means that the server may still be at work on it.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// What one call has used up so far of what the policy grants.
#[derive(Debug)]
pub(crate) struct Patience {
    started: Duration,
    /// Attempts so far.
    pub(crate) attempts: u32,
    /// Whether an attempt that failed may have run at the server all the same.
    pub(crate) may_have_run: bool,
}

impl Patience {
    /// All of it is left.
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { started: clock.elapsed(), attempts: 0, may_have_run: false }
    }

    /// The time since the first attempt.
    pub(crate) fn elapsed(&self, clock: &dyn Clock) -> Duration {
        clock.elapsed().saturating_sub(self.started)
    }

    /// The wait until the next attempt, if there may be one. A server's `Retry-After` replaces our own wait, up to the
    /// policy's longest.
    pub(crate) fn pause(
        &self,
        policy: &RetryPolicy,
        clock: &dyn Clock,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if self.attempts > policy.max_retries {
            return None;
        }
        let asked = retry_after.filter(|_| policy.respect_retry_after);
        let pause = asked.unwrap_or_else(|| self.backoff(policy, clock)).min(policy.longest_wait);
        (self.elapsed(clock).saturating_add(pause) < policy.total_time).then_some(pause)
    }

    /// The wait before a look whether a call has run, if there may be another attempt after it.
    pub(crate) fn pause_before_look(&self, policy: &RetryPolicy, clock: &dyn Clock) -> Option<Duration> {
        self.pause(policy, clock, None).map(|pause| pause.max(FIRST_LOOK))
    }

    /// As urllib3 has it: nothing before the first repetition, then `factor * 2^(n-1)` and chance.
    fn backoff(&self, policy: &RetryPolicy, clock: &dyn Clock) -> Duration {
        if self.attempts <= 1 {
            return Duration::ZERO;
        }
        let power = f64::from(self.attempts.saturating_sub(1)).exp2();
        let seconds = policy.backoff_factor * power + policy.backoff_jitter * clock.random();
        Duration::try_from_secs_f64(seconds).unwrap_or(policy.longest_wait)
    }
}

/// What an attempt means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it failed in a way that another attempt could mend, and that the call permits to repeat.
    pub(crate) again: bool,
    /// Whether it may have run at the server although it failed.
    pub(crate) may_have_run: bool,
}

impl Verdict {
    /// Of an answer.
    ///
    /// 408 (the request never arrived whole), 429 (it was turned away) and a 503 that says when to come back were surely not
    /// executed. A 500, 502, 504 or bare 503 may come from a gateway or a server that had already done the work.
    pub(crate) fn of_answer(response: &HttpResponse, repeat: Repeat) -> Self {
        match response.status {
            408 | 429 => Self { again: true, may_have_run: false },
            503 if response.header("retry-after").is_some() => Self { again: true, may_have_run: false },
            500 | 502 | 503 | 504 => Self { again: repeat == Repeat::Freely, may_have_run: true },
            _ => Self { again: false, may_have_run: false },
        }
    }

    /// Of a connection that broke or never stood.
    pub(crate) fn of_failure(error: &TransportError, repeat: Repeat) -> Self {
        let again = !error.lasting && (repeat == Repeat::Freely || !error.after_sending);
        Self { again, may_have_run: error.after_sending }
    }
}

/// What `Retry-After` asks for: seconds, or a date.
pub(crate) fn retry_after(response: &HttpResponse, clock: &dyn Clock) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(http_date(value)?.saturating_sub(clock.unix_time()))
}

/// A date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT`, as the time since the Unix epoch.
pub(crate) fn http_date(value: &str) -> Option<Duration> {
    let zoned = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Duration::try_from(zoned.duration_since(Timestamp::UNIX_EPOCH)).ok()
}
