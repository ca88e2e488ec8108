//! `st similarity` and `st search`.

use std::path::PathBuf;

use clap::Args;
use st_core::Similarity;

use super::model::positive;
use super::{LongTextArgs, ModelArgs, parse_name};
use crate::input;

/// Compare texts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st similarity -m all-MiniLM-L6-v2 \"A man plays the guitar.\" \"Somebody makes music.\"\n  \
    st similarity -m all-MiniLM-L6-v2 --left pairs.tsv --left-column sentence1 \\\n    \
    --right pairs.tsv --right-column sentence2\n\n\
    Two texts give one score, more texts a matrix; two files are compared row by row.")]
pub(crate) struct SimilarityArgs {
    /// Two texts, or more for a matrix.
    #[arg(value_name = "TEXT", num_args = 2.., required_unless_present = "left", conflicts_with_all = ["left", "right"])]
    pub(crate) texts: Vec<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) long_text: LongTextArgs,
    /// File with the texts on the left.
    #[arg(long, value_name = "FILE", requires = "right", help_heading = "Input")]
    pub(crate) left: Option<PathBuf>,
    /// Column with the texts on the left [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", requires = "left", help_heading = "Input")]
    pub(crate) left_column: Option<String>,
    /// File with the texts on the right.
    #[arg(long, value_name = "FILE", requires = "left", help_heading = "Input")]
    pub(crate) right: Option<PathBuf>,
    /// Column with the texts on the right [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", requires = "right", help_heading = "Input")]
    pub(crate) right_column: Option<String>,
    /// Compare each text on the left with each on the right, instead of row by row.
    #[arg(long, requires = "left")]
    pub(crate) all_pairs: bool,
    /// How to compare: cosine, dot, euclidean or manhattan [default: what the model says].
    #[arg(long, value_name = "NAME", value_parser = parse_name::<Similarity>)]
    pub(crate) function: Option<Similarity>,
}

/// Find the texts of a corpus that are closest to a query.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st search -m all-MiniLM-L6-v2 --corpus corpus.jsonl --id-column _id -k 3 -q \"Who won the game?\"\n  \
    st encode -m all-MiniLM-L6-v2 --document -i corpus.jsonl --id-column _id --with-text -o corpus.parquet\n  \
    st search -m all-MiniLM-L6-v2 --vectors corpus.parquet -k 3 -q \"Who won the game?\"\n  \
    st search -m all-MiniLM-L6-v2 --corpus corpus.jsonl -k 3 --rerank ms-marco-MiniLM-L6-v2 -q \"Who won?\"\n\n\
    Sparse encoders are compared by the dot product, late-interaction models by MaxSim; both read a\n\
    corpus of texts.\n\n\
    The model's prompts for queries and for documents are used where it has them. Saved vectors have\n\
    to come from the model that encodes the query, in the same mode; queries are cut and scaled as\n\
    they were, and codes and bits are read as numbers again.")]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) long_text: LongTextArgs,
    /// What to look for; may be given several times.
    #[arg(short, long, value_name = "TEXT", required = true)]
    pub(crate) query: Vec<String>,
    /// File with the texts to search; with `--vectors` only shown, row by row.
    #[arg(long, value_name = "FILE", help_heading = "Input", required_unless_present = "vectors")]
    pub(crate) corpus: Option<PathBuf>,
    /// File with vectors of `st encode`, .npy or .parquet, instead of encoding the corpus; may be given several
    /// times.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) vectors: Vec<PathBuf>,
    /// Search vectors that do not say where they come from, or that come from elsewhere.
    #[arg(long, help_heading = "Input", requires = "vectors")]
    pub(crate) trust_vectors: bool,
    /// Column with the texts [default: `text`, or the only column].
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) column: Option<String>,
    /// Column with the ids [default: the number of the row, from 1].
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) id_column: Option<String>,
    /// How the corpus is written, whatever its extension.
    #[arg(long, value_name = "FORMAT", help_heading = "Input")]
    pub(crate) input_format: Option<input::Format>,
    /// How many texts to show for each query.
    #[arg(short = 'k', long, value_name = "N", default_value = "10", value_parser = positive)]
    pub(crate) top_k: usize,
    /// Sort the closest texts once more with this cross-encoder, whose scores are then shown.
    #[arg(long, value_name = "FOLDER|URI", help_heading = "Reranking")]
    pub(crate) rerank: Option<PathBuf>,
    /// How many of the closest texts the cross-encoder reads for each query.
    #[arg(long, value_name = "N", default_value = "100", value_parser = positive, requires = "rerank", help_heading = "Reranking")]
    pub(crate) candidates: usize,
    /// How to compare: cosine, dot, euclidean or manhattan [default: what the model says].
    #[arg(long, value_name = "NAME", value_parser = parse_name::<Similarity>)]
    pub(crate) function: Option<Similarity>,
}
