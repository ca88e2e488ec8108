//! Which model, and how its texts are introduced.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args};
use st_core::Mode;

/// Which model, and with what it runs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// A sentence-transformers folder, an MLflow model folder, an MLflow URI such as `models:/NAME@ALIAS`, or the name of a
    /// model on the Hugging Face hub such as `sentence-transformers/all-MiniLM-L6-v2` or `hf://ORG/NAME@REVISION`.
    #[arg(short, long, value_name = "FOLDER|URI|NAME")]
    pub(crate) model: PathBuf,
    /// Worker threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) threads: Option<usize>,
    /// Cut texts to this many tokens instead of the model's own limit.
    #[arg(long, value_name = "TOKENS", value_parser = positive)]
    pub(crate) max_seq_length: Option<usize>,
    /// Run this ONNX file instead of making a graph from the weights.
    #[arg(long, value_name = "FILE")]
    pub(crate) graph: Option<PathBuf>,
    /// In which numbers the model computes: exact (as Python) or fast (int8, about twice as fast, nearly the
    /// same vectors).
    #[arg(long, value_name = "NAME", default_value = "exact", value_parser = parse_name::<Mode>)]
    pub(crate) mode: Mode,
    /// Refuse a model without digests of its files; those that are there are compared anyway.
    #[arg(long)]
    pub(crate) require_digests: bool,
    /// Do not compare the model's answers with those in its parity certificate.
    #[arg(long)]
    pub(crate) no_certificate_check: bool,
    /// The shared library of ONNX Runtime, instead of looking for it.
    #[arg(long, value_name = "FILE")]
    pub(crate) runtime: Option<PathBuf>,
}

/// What stands before each text.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Prompt", group = ArgGroup::new("task").multiple(false))]
pub(crate) struct PromptArgs {
    /// Put this before each text; an empty one switches the model's default off.
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt_name")]
    pub(crate) prompt: Option<String>,
    /// Put the model's prompt of this name before each text.
    #[arg(long, value_name = "NAME")]
    pub(crate) prompt_name: Option<String>,
    /// The texts are queries.
    #[arg(long, group = "task")]
    pub(crate) query: bool,
    /// The texts are documents.
    #[arg(long, group = "task")]
    pub(crate) document: bool,
}

/// A number that is not zero.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

/// One of the names of the vocabulary, with its own error message.
pub(crate) fn parse_name<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
