//! `st save`.

use std::path::PathBuf;

use clap::Args;

/// Put a model folder into an MLflow model folder.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    st save -m all-MiniLM-L6-v2 -o minilm-mlflow --task llm/v1/embeddings --metadata team=search\n\n\
    Python's mlflow.sentence_transformers.load_model and mlflow.pyfunc.load_model load the result;\n\
    of a cross-encoder, a sparse encoder or a late-interaction model mlflow.pyfunc.load_model does,\n\
    and mlflow.onnx.load_model loads its graph. Only a certificate or a graph takes a look at the\n\
    weights; all else is copied as it is.")]
pub(crate) struct SaveArgs {
    /// The sentence-transformers folder, an MLflow URI, or the name of a model on the hub.
    #[arg(short, long, value_name = "FOLDER|URI|NAME")]
    pub(crate) model: PathBuf,
    /// The MLflow model folder to write; must not exist, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Note what the model is, and what it answers to fixed texts: whoever loads it learns if it answers otherwise.
    #[arg(long)]
    pub(crate) certificate: bool,
    #[command(flatten)]
    pub(crate) flavor: FlavorArgs,
}

/// What an MLflow model is made of beside the model's own files; the same for a saved and a logged one.
#[derive(Debug, Args)]
#[command(next_help_heading = "MLflow model")]
pub(crate) struct FlavorArgs {
    /// `llm/v1/embeddings`, for requests and answers in the form of `OpenAI`.
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// A JSON file, or JSON itself, such as `["a text"]`.
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) input_example: Option<String>,
    /// A JSON file with a signature; `none` for a model without one [default: inferred].
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    /// Free values for the key `metadata`; the value may be JSON.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) metadata: Vec<(String, serde_json::Value)>,
    /// A file of requirements in place of the default ones.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["extra_pip_requirements", "conda_env"])]
    pub(crate) pip_requirements: Option<PathBuf>,
    /// A requirement beside the default ones, such as `numpy<3`.
    #[arg(long, value_name = "REQUIREMENT", conflicts_with = "conda_env")]
    pub(crate) extra_pip_requirements: Vec<String>,
    /// A conda environment file in place of the default one.
    #[arg(long, value_name = "FILE")]
    pub(crate) conda_env: Option<PathBuf>,
    /// A file or folder of Python code to keep with the model.
    #[arg(long, value_name = "PATH")]
    pub(crate) code_path: Vec<PathBuf>,
    /// A file to keep with the model.
    #[arg(long, value_name = "FILE")]
    pub(crate) extra_file: Vec<PathBuf>,
    /// A JSON file that is kept as the model's inference configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) inference_config: Option<PathBuf>,
    /// Leave out the flavor `onnx`: the graph that cross-encoders, sparse encoders and late-interaction models get beside
    /// their files, for tools that run ONNX. It holds the weights a second time.
    #[arg(long)]
    pub(crate) no_onnx: bool,
    /// Write that flavor for a model with one dense vector a text, too.
    #[arg(long, conflicts_with = "no_onnx")]
    pub(crate) onnx: bool,
}

/// `key=value`; a value that is JSON is taken as JSON, everything else as text.
fn key_value(text: &str) -> Result<(String, serde_json::Value), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key.is_empty() {
        return Err("the key is empty".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_may_be_json() {
        assert_eq!(key_value("team=search"), Ok(("team".to_owned(), json!("search"))));
        assert_eq!(key_value("dims=[1,2]"), Ok(("dims".to_owned(), json!([1, 2]))));
        assert_eq!(key_value("note=a=b"), Ok(("note".to_owned(), json!("a=b"))));
        assert_eq!(key_value("team").unwrap_err(), "expected KEY=VALUE");
    }
}
