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
    cat texts.txt | st encode -m ./all-MiniLM-L6-v2 --precision int8 -o texts.parquet\n\n\
    Inputs: .txt (one text a line), .jsonl, .csv, .tsv, .parquet, `-` for standard input.\n\
    Outputs: .npy, .jsonl, .csv, .parquet, `-` for standard output (JSON lines).\n\n\
    An output says where its vectors come from (model, mode, prompt, precision): Parquet in its\n\
    metadata under `st.provenance`, .npy and .csv in a file beside them (`x.npy.json`), JSON lines\n\
    with `--header`.")]
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

/// What to write of each text, with the names of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum OutputValue {
    /// One vector a text.
    SentenceEmbedding,
    /// One vector a token.
    TokenEmbeddings,
}
