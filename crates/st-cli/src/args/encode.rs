//! `st encode`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use st_core::Precision;

use super::model::positive;
use super::{LongTextArgs, ModelArgs, PromptArgs, parse_name};
use crate::input;
use crate::output;

/// Turn texts into vectors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    st encode -m ./all-MiniLM-L6-v2 \"A man plays the guitar.\"\n  \
    st encode -m ./all-MiniLM-L6-v2 -i corpus.jsonl --column text -o corpus.npy\n  \
    cat texts.txt | st encode -m ./all-MiniLM-L6-v2 --precision int8 -o texts.parquet\n  \
    st encode -m ./splade --sparse --document -i corpus.jsonl --id-column _id -o corpus.npz\n  \
    st encode -m ./colbert --multi-vector --query \"Who won the game?\"\n\n\
    Inputs: .txt (one text a line), .jsonl, .csv, .tsv, .parquet, `-` for standard input.\n\
    Outputs: .npy, .jsonl, .csv, .parquet, `-` for standard output (JSON lines).\n\
    Sparse vectors: .jsonl and .parquet with `indices` and `values` (with `--with-tokens` also\n\
    `tokens`), .npz as scipy.sparse.load_npz reads it (compressed rows).\n\n\
    An output says where its vectors come from (model, mode, prompt, precision): Parquet in its\n\
    metadata under `st.provenance`, .npz in a member `st.provenance.json`, .npy and .csv in a file\n\
    beside them (`x.npy.json`), JSON lines with `--header`.")]
pub(crate) struct EncodeArgs {
    /// Texts to encode, instead of an input file.
    #[arg(value_name = "TEXT", conflicts_with = "input")]
    pub(crate) texts: Vec<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) vectors: VectorArgs,
    #[command(flatten)]
    pub(crate) kind: KindArgs,
    #[command(flatten)]
    pub(crate) long_text: LongTextArgs,
    /// Read each text whole and write a vector for each chunk of at most so many tokens; texts that do not fit are
    /// read in windows.
    #[arg(long, value_name = "TOKENS", value_parser = positive, conflicts_with_all = ["long_text", "output_value"], help_heading = "Long texts")]
    pub(crate) late_chunking: Option<usize>,
}

/// Where texts come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// File with texts; `-` is standard input, which is also read if nothing else is given.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Column with the texts [default: `text`, or the only column].
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,
    /// Column with ids that go with the vectors.
    #[arg(long, value_name = "NAME")]
    pub(crate) id_column: Option<String>,
    /// How the input is written, whatever its extension.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_format: Option<input::Format>,
}

/// Where vectors go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// File for the vectors; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// How the output is written, whatever its extension.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<output::Format>,
    /// Write the texts beside their vectors.
    #[arg(long)]
    pub(crate) with_text: bool,
    /// Say in a first line of JSON lines where the vectors come from: `{"provenance": …}`.
    #[arg(long)]
    pub(crate) header: bool,
    /// Replace the output if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What the vectors are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Vectors")]
pub(crate) struct VectorArgs {
    /// Scale each vector to length one, after truncation.
    #[arg(long)]
    pub(crate) normalize: bool,
    /// Keep only the first dimensions.
    #[arg(long, value_name = "DIM", value_parser = positive)]
    pub(crate) truncate_dim: Option<usize>,
    /// Number format: float32, int8, uint8, binary or ubinary.
    #[arg(long, value_name = "NAME", default_value = "float32", value_parser = parse_name::<Precision>)]
    pub(crate) precision: Precision,
    /// Calibration of int8 and uint8: an array `[2, dim]` of minima and maxima, or `input` for that of all vectors
    /// of the input [default: what `st calibrate` put into the model, else `input`].
    #[arg(long, value_name = "FILE.npy|input")]
    pub(crate) ranges: Option<PathBuf>,
    /// Padded tokens in one batch [default: measured].
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) max_tokens_per_batch: Option<usize>,
    /// What to write of each text.
    #[arg(long, value_name = "NAME", default_value = "sentence_embedding")]
    pub(crate) output_value: OutputValue,
}

/// Models of which a text has no single vector of floats.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kind of model")]
pub(crate) struct KindArgs {
    /// The model is a sparse encoder, such as SPLADE: write the dimensions that are not zero, and their values.
    #[arg(long, conflicts_with_all = [
        "multi_vector", "normalize", "truncate_dim", "precision", "ranges", "output_value", "late_chunking",
        "long_text", "overlap",
    ])]
    pub(crate) sparse: bool,
    /// Keep only so many of the largest values of each sparse vector [default: what the model says].
    #[arg(long, visible_alias = "top-k", value_name = "N", value_parser = positive, requires = "sparse")]
    pub(crate) max_active_dims: Option<usize>,
    /// Write the tokens of a sparse vector, too: in JSON lines with their weights, the largest first.
    #[arg(long, requires = "sparse")]
    pub(crate) with_tokens: bool,
    /// The model is one of late interaction, such as ColBERT: write a vector for each token that counts.
    #[arg(long, conflicts_with_all = [
        "truncate_dim", "precision", "ranges", "output_value", "late_chunking", "long_text", "overlap",
    ])]
    pub(crate) multi_vector: bool,
}

/// What to write of each text, with the names of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum OutputValue {
    /// One vector a text.
    SentenceEmbedding,
    /// One vector a token.
    TokenEmbeddings,
}
