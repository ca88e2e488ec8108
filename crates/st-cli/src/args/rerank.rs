//! `st rerank`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use st_core::Activation;

use super::model::positive;
use super::{ModelArgs, parse_name};
use crate::input;

/// Score texts with a cross-encoder: documents for a query, or pairs.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["query", "left"]),
    after_help = "Examples:\n  \
    st rerank -m ms-marco-MiniLM-L6-v2 -q \"Who won the game?\" -i documents.jsonl --id-column _id -k 3\n  \
    cat documents.txt | st rerank -m ms-marco-MiniLM-L6-v2 -q \"Who won the game?\"\n  \
    st rerank -m nli-deberta-v3-base --activation softmax --left pairs.tsv --left-column sentence1 \\\n    \
    --right pairs.tsv --right-column sentence2\n\n\
    Documents come best first, of equal ones the earlier. Two files are scored row by row, which also works with\n\
    models that have several labels. Inputs are those of `st encode`."
)]
pub(crate) struct RerankArgs {
    /// Documents, instead of an input file.
    #[arg(value_name = "DOCUMENT", conflicts_with_all = ["input", "left"])]
    pub(crate) documents: Vec<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// What the documents are to answer; may be given several times.
    #[arg(short, long, value_name = "TEXT", conflicts_with = "left")]
    pub(crate) query: Vec<String>,
    #[command(flatten)]
    pub(crate) input: DocumentArgs,
    #[command(flatten)]
    pub(crate) pairs: PairArgs,
    /// How many documents to show for each query [default: all].
    #[arg(short = 'k', long, value_name = "N", value_parser = positive, conflicts_with = "left")]
    pub(crate) top_k: Option<usize>,
    #[command(flatten)]
    pub(crate) scores: ScoreArgs,
}

/// Where documents come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct DocumentArgs {
    /// File with the documents; `-` is standard input, which is also read if nothing else is given.
    #[arg(short, long, value_name = "FILE", conflicts_with = "left")]
    pub(crate) input: Option<PathBuf>,
    /// Column with the documents [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", conflicts_with = "left")]
    pub(crate) column: Option<String>,
    /// Column with the ids [default: the number of the row, from 1].
    #[arg(long, value_name = "NAME", conflicts_with = "left")]
    pub(crate) id_column: Option<String>,
    /// How the input is written, whatever its extension.
    #[arg(long, value_name = "FORMAT", conflicts_with = "left")]
    pub(crate) input_format: Option<input::Format>,
}

/// Where pairs come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PairArgs {
    /// File with the first text of each pair.
    #[arg(long, value_name = "FILE", requires = "right")]
    pub(crate) left: Option<PathBuf>,
    /// Column with the first texts [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", requires = "left")]
    pub(crate) left_column: Option<String>,
    /// File with the second text of each pair.
    #[arg(long, value_name = "FILE", requires = "left")]
    pub(crate) right: Option<PathBuf>,
    /// Column with the second texts [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", requires = "right")]
    pub(crate) right_column: Option<String>,
}

/// What the scores are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scores")]
pub(crate) struct ScoreArgs {
    /// What is done to the numbers of the model: identity (raw), sigmoid, softmax (shares of the labels), tanh or
    /// relu [default: what the model says].
    #[arg(long, value_name = "NAME", value_parser = parse_name::<Activation>)]
    pub(crate) activation: Option<Activation>,
    /// Put this before the query, or before the first text of each pair; an empty one switches the model's default
    /// off.
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt_name")]
    pub(crate) prompt: Option<String>,
    /// Put the model's prompt of this name there.
    #[arg(long, value_name = "NAME")]
    pub(crate) prompt_name: Option<String>,
    /// Padded tokens in one batch [default: measured].
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) max_tokens_per_batch: Option<usize>,
}
