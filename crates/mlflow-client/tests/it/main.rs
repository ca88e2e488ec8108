//! Integration tests.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not marked as tests")]

#[cfg(feature = "embedded")]
mod embedded;
// A process that is killed needs a store that outlives it.
#[cfg(feature = "embedded")]
mod runs;
