//! `st calibrate`.

use std::path::PathBuf;

use clap::Args;

use super::model::positive;
use super::{InputArgs, LongTextArgs, ModelArgs, PromptArgs};

/// Find out where the 256 values of int8 and uint8 lie, and keep that with the model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st calibrate -m ./all-MiniLM-L6-v2 -i corpus.jsonl --column text\n  \
    st encode -m ./all-MiniLM-L6-v2 --precision int8 -i more.jsonl --column text -o more.parquet\n  \
    st calibrate -m models:/encoder@champion -i corpus.jsonl -o ranges.npy\n\n\
    The ranges go into `st_calibration.json` in the model folder, where `st encode` finds them and\n\
    Python passes over them, and travel with `st save` and `st log`. Give the options that the vectors\n\
    will be encoded with.")]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) long_text: LongTextArgs,
    /// Scale each vector to length one, after truncation.
    #[arg(long, help_heading = "Vectors")]
    pub(crate) normalize: bool,
    /// Keep only the first dimensions.
    #[arg(long, value_name = "DIM", value_parser = positive, help_heading = "Vectors")]
    pub(crate) truncate_dim: Option<usize>,
    /// Write the ranges to this array `[2, dim]` instead, for `--ranges` and for Python.
    #[arg(short, long, value_name = "FILE.npy", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Replace ranges that are there.
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,
}
