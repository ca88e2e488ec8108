//! `st inspect`, `st configure`, `st predict`, `st export` and `st doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{LongTextPolicy, ModelArgs};

/// Show what a model is made of.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  st inspect -m all-MiniLM-L6-v2")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

/// Keep with a model what happens to texts that are too long.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  st configure -m ./all-MiniLM-L6-v2 --long-text chunk --overlap 32\n\n\
    It is written to `st_defaults.json` in the model folder, where every `st` heeds it and Python\n\
    passes over it, and travels with `st save` and `st log`. What a command is told itself wins.")]
pub(crate) struct ConfigureArgs {
    /// The sentence-transformers folder.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) model: PathBuf,
    /// Texts that are longer than the model's limit.
    #[arg(long, value_name = "POLICY")]
    pub(crate) long_text: LongTextPolicy,
    /// Tokens that neighbouring windows of a text share [default: 0].
    #[arg(long, value_name = "TOKENS")]
    pub(crate) overlap: Option<usize>,
}

/// Answer a request of MLflow's scoring protocol, without a server.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    echo '{\"inputs\": [\"a text\"]}' | st predict -m minilm-mlflow -i -\n\n\
    The model must be an MLflow model folder, such as `st save` writes.")]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// File with the request; `-` is standard input.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) input: PathBuf,
    /// How the request is written [default: by extension, else json].
    #[arg(short = 't', long, value_name = "TYPE")]
    pub(crate) content_type: Option<ContentType>,
    /// File for the answer; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Replace the output if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// How a request is written, with the names of `mlflow models predict`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContentType {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
}

/// To which numbers the linear layers of a graph are quantised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Quantize {
    /// 8-bit whole numbers.
    Int8,
}

/// Write the ONNX graph of a model.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  st export -m all-MiniLM-L6-v2 -o minilm-onnx\n\n\
    The graph takes token ids and gives sentence embeddings: pooling and normalisation are inside.\n\
    It is run against the model itself before it is called done.\n\n\
    A graph of `--quantize int8` has standard operators, too. Whoever runs it elsewhere on an x86 processor\n\
    without VNNI sets ONNX Runtime's session option `session.x64quantprecision` to 1, or sums overflow.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Folder for `model.onnx`; made if it does not exist.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Make the graph of the fast mode; the same as `--mode fast`.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) quantize: Option<Quantize>,
    /// Replace a graph that is there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Show what is installed, whether MLflow answers, what is missing, and the command that mends it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  st doctor")]
pub(crate) struct DoctorArgs {
    /// The shared library of ONNX Runtime, instead of looking for it.
    #[arg(long, value_name = "FILE")]
    pub(crate) runtime: Option<PathBuf>,
}
