//! What happens to texts that are too long.

use clap::{Args, ValueEnum};

/// What happens to texts that are longer than the model's limit.
#[derive(Debug, Args)]
#[command(next_help_heading = "Long texts")]
pub(crate) struct LongTextArgs {
    /// Texts that are longer than the model's limit [default: what the model folder says, else truncate].
    #[arg(long, value_name = "POLICY")]
    pub(crate) long_text: Option<LongTextPolicy>,
    /// Tokens that neighbouring windows of a text share [default: 0].
    #[arg(long, value_name = "TOKENS")]
    pub(crate) overlap: Option<usize>,
}

/// What may happen to a text that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LongTextPolicy {
    /// Cut it and say how much was lost, as Python does without a word.
    Truncate,
    /// Refuse it.
    Error,
    /// Read it in windows, and take the mean of their vectors, weighted by tokens.
    Chunk,
}
