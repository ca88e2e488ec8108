//! How a model is loaded.

use std::path::PathBuf;

use st_core::Mode;

use crate::{Error, Places};

/// How a model is loaded.
///
/// ```
/// use st_model::{LoadOptions, Places};
/// let places = Places::from_env(|name| std::env::var_os(name));
/// let options = LoadOptions::new(places).with_threads(2);
/// assert_eq!(options.threads, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Where ONNX Runtime and the cache of graphs are.
    pub places: Places,
    /// Workers, each with a session of one thread; 1 by default, a library takes no more unasked.
    pub threads: usize,
    /// Cut texts to this many tokens instead of the model's own limit, which it cannot exceed.
    pub max_seq_length: Option<usize>,
    /// Run this ONNX file instead of making a graph from the weights.
    pub graph: Option<PathBuf>,
    /// In which numbers the graph that is made from the weights computes.
    ///
    /// Fast is about twice as fast. On all-MiniLM-L6-v2 and the STS sentences the mean cosine to the exact
    /// vectors is 0.9986, the smallest 0.993, and Spearman's correlation with people falls from 0.8099 to 0.8080;
    /// other models can lose more. What no longer is true is equality with Python; that a vector does not
    /// depend on its company is.
    pub mode: Mode,
}

impl LoadOptions {
    /// One worker, the model's own limit, exact.
    pub fn new(places: Places) -> Self {
        Self { places, threads: 1, max_seq_length: None, graph: None, mode: Mode::Exact }
    }

    /// Sets the number of workers; 0 counts as 1.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the longest text in tokens.
    #[must_use]
    pub fn with_max_seq_length(mut self, tokens: usize) -> Self {
        self.max_seq_length = Some(tokens);
        self
    }

    /// Runs this ONNX file.
    #[must_use]
    pub fn with_graph(mut self, path: impl Into<PathBuf>) -> Self {
        self.graph = Some(path.into());
        self
    }

    /// Sets in which numbers the model computes.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The limit in force: the caller's within the one of the `model`, with room for at least the special tokens.
    pub(crate) fn max_tokens(
        &self,
        model: Option<usize>,
        special: (&str, usize),
    ) -> Result<Option<usize>, Error> {
        within("max_seq_length", self.max_seq_length, model, special)
    }
}

/// The limit `asked` for under that name within what the model allows, with room for at least the special tokens of
/// an input: what to call it, and how many it has.
pub(crate) fn within(
    option: &'static str,
    asked: Option<usize>,
    model: Option<usize>,
    (input, special): (&str, usize),
) -> Result<Option<usize>, Error> {
    if let (Some(asked), Some(model)) = (asked, model)
        && asked > model
    {
        return Err(Error::option(option, asked, &format!("the model reads at most {model} tokens")));
    }
    match asked.or(model) {
        Some(limit) if limit < special => {
            Err(Error::option(option, limit, &format!("each {input} needs {special} special tokens")))
        }
        limit => Ok(limit),
    }
}
