//! Integration tests.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not marked as tests")]

#[cfg(all(unix, feature = "embedded", feature = "rest"))]
mod accounts;
#[cfg(all(unix, feature = "embedded", feature = "rest"))]
mod artifact_calls;
#[cfg(all(unix, feature = "rest"))]
mod artifacts;
#[cfg(feature = "rest")]
mod attacks;
#[cfg(all(unix, feature = "rest"))]
mod connections;
#[cfg(all(unix, feature = "embedded", feature = "rest"))]
mod contract;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(all(unix, feature = "embedded"))]
mod everything;
#[cfg(all(unix, feature = "embedded"))]
mod long_values;
#[cfg(all(unix, feature = "embedded", feature = "rest"))]
mod lost_answers;
// A process that is killed needs a store that outlives it.
#[cfg(feature = "embedded")]
mod runs;
#[cfg(feature = "aws-sigv4")]
mod sigv4;
#[cfg(feature = "embedded")]
mod support;
#[cfg(all(unix, feature = "embedded", feature = "rest"))]
mod webhooks;
