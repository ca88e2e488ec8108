//! One file a command: build library values, call, hand the answer over.

pub(crate) mod calibrate;
pub(crate) mod configure;
pub(crate) mod doctor;
pub(crate) mod encode;
pub(crate) mod experiments;
pub(crate) mod export;
pub(crate) mod inspect;
pub(crate) mod log;
pub(crate) mod models;
pub(crate) mod predict;
pub(crate) mod rerank;
pub(crate) mod runs;
pub(crate) mod save;
pub(crate) mod search;
pub(crate) mod similarity;

/// What the answer was, for the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// Done, and the answer is no.
    Negative,
}
