//! What can go wrong between a model folder and its vectors.

use std::io;
use std::path::PathBuf;

use st_core::BoxError;

/// A failure while reading, loading or running a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A configuration file is no JSON.
    #[error("{} is not valid JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },
    /// A configuration file is JSON, but not what the reference writes.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Which key, and what is wrong with it.
        problem: String,
    },
    /// The folder holds neither a sentence-transformers nor a transformers model.
    #[error("{} is not a model folder: it has neither modules.json nor config.json", folder.display())]
    NotAModel {
        /// The folder.
        folder: PathBuf,
    },
    /// The reference would put each text into the chat template of the tokenizer.
    #[error(
        "{} has a chat template, into which Python puts every text; none is rendered here, so take a folder without one",
        folder.display()
    )]
    ChatTemplate {
        /// The folder.
        folder: PathBuf,
    },
    /// A module path would lead out of the model folder.
    #[error("{}: the path `{module}` leaves the model folder", path.display())]
    UnsafePath {
        /// The `modules.json`.
        path: PathBuf,
        /// The path that it gives.
        module: String,
    },
    /// A module that is not supported.
    #[error("{}: module {index} is a `{kind}`, which is not supported; supported are {supported}", path.display())]
    UnknownModule {
        /// The `modules.json`.
        path: PathBuf,
        /// Position in the list, from 0.
        index: usize,
        /// Python class of the module.
        kind: String,
        /// Classes that are supported.
        supported: String,
    },
    /// A module of the reference that does not run here.
    #[error(
        "{}: module {index} is a {}, which is refused: {}; {}",
        path.display(), refusal.class, refusal.reason, refusal.way_out
    )]
    RefusedModule {
        /// The `modules.json`.
        path: PathBuf,
        /// Position in the list, from 0.
        index: usize,
        /// Why, and what to do.
        refusal: crate::spec::Refusal,
    },
    /// Supported modules in an order that makes no embedding.
    #[error("{}: modules {found} cannot be run: {problem}", path.display())]
    ModuleOrder {
        /// The `modules.json`.
        path: PathBuf,
        /// The modules as listed.
        found: String,
        /// What is wrong with their order.
        problem: &'static str,
    },
    /// A folder with a model of another kind than what was asked for.
    #[error("{} holds a {found}, not a {asked}", folder.display())]
    OtherKind {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        found: &'static str,
        /// What was asked for.
        asked: &'static str,
    },
    /// A transformer without a classification head where one is needed.
    #[error("{} is a {found} without a classification head, so it has no scores", folder.display())]
    NoClassifier {
        /// The transformer's folder.
        folder: PathBuf,
        /// The classes that it names.
        found: String,
    },
    /// A reranker whose score is the probability of a word.
    #[error("{} is a {found}, a reranker that generates text, which is not supported", folder.display())]
    GenerativeReranker {
        /// The transformer's folder.
        folder: PathBuf,
        /// The classes that it names.
        found: String,
    },
    /// A ranking by a model that sorts into classes.
    #[error("the model has {labels} labels, and only one label ranks documents")]
    ManyLabels {
        /// How many there are.
        labels: usize,
    },
    /// A router that has no way for what was asked for.
    #[error("the model has no route for {asked}; it has {known}")]
    NoRoute {
        /// The task, or the absence of one.
        asked: String,
        /// Names of its routes.
        known: String,
    },
    /// A table of vectors or weights that is not what the reference writes.
    #[error("cannot use the table {}: {problem}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder has no tokenizer.
    #[error("{} has no tokenizer: there is no {wanted}", folder.display())]
    NoTokenizer {
        /// The transformer's folder.
        folder: PathBuf,
        /// The files that would make one.
        wanted: String,
    },
    /// The tokenizer file cannot be used.
    #[error("cannot use the tokenizer {}", path.display())]
    Tokenizer {
        /// The `tokenizer.json`.
        path: PathBuf,
        /// The tokenizer library's reason.
        source: BoxError,
    },
    /// One text cannot be split into tokens.
    #[error("cannot tokenize text {index}")]
    Tokenize {
        /// Position of the text in the call, from 0.
        index: usize,
        /// The tokenizer library's reason.
        source: BoxError,
    },
    /// A text is too long, and the caller does not want it cut.
    #[error("text {index} has {tokens} tokens, and the model reads {limit}")]
    TooLong {
        /// Position of the text in the call, from 0.
        index: usize,
        /// Its tokens, prompt and special tokens included.
        tokens: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The graph of the model cannot be written or read.
    #[error("cannot make a graph of {}", folder.display())]
    Graph {
        /// The transformer's folder.
        folder: PathBuf,
        /// The exporter's reason.
        source: Box<st_export::Error>,
    },
    /// The weights of a module are not where they could be read.
    #[error("cannot read the weights in {}", folder.display())]
    Weights {
        /// The module's folder.
        folder: PathBuf,
        /// The reason.
        source: Box<st_export::Error>,
    },
    /// A graph has no output that we understand.
    #[error("{}: none of its outputs ({outputs}) holds token or sentence embeddings", path.display())]
    GraphOutputs {
        /// The ONNX file.
        path: PathBuf,
        /// The names of its outputs.
        outputs: String,
    },
    /// A given graph whose answer modules would have to change that only a graph made of weights can hold.
    #[error(
        "{} answers token embeddings, and the model's {module} cannot be applied to them outside of a graph", path.display()
    )]
    GraphModules {
        /// The ONNX file.
        path: PathBuf,
        /// The first such module.
        module: &'static str,
    },
    /// A table with modules behind it that need more than its vectors.
    #[error("{} is a table, and the {module} behind it cannot be applied to finished vectors", folder.display())]
    TableModules {
        /// The folder of the table.
        folder: PathBuf,
        /// The first module that does more than scale.
        module: &'static str,
    },
    /// A token for which a table has no row.
    #[error("the tokenizer answers token {id} but the table ends after {rows} rows")]
    TokenOutsideTable {
        /// The token.
        id: u32,
        /// Rows of the table.
        rows: usize,
    },
    /// A vector for each text of a model that only has some for each token.
    #[error(
        "{}: no module makes one vector of the token embeddings; add a Pooling to modules.json, or ask for token embeddings",
        folder.display()
    )]
    NoSentenceEmbeddings {
        /// The folder of what reads the text.
        folder: PathBuf,
    },
    /// Token embeddings of a model that has none.
    #[error("the model is a table: it has no embeddings of tokens in their context")]
    NoTokenEmbeddings,
    /// A finished graph instead of weights, from which alone a fast one can be made.
    #[error("the fast mode is made from safetensors, but {} is a finished ONNX graph", path.display())]
    FastGraph {
        /// The ONNX file.
        path: PathBuf,
    },
    /// ONNX Runtime was not found.
    #[error("ONNX Runtime was not found; looked for {looked}")]
    RuntimeMissing {
        /// The places, in the order in which they were tried.
        looked: String,
    },
    /// ONNX Runtime is older than what we need.
    #[error("ONNX Runtime {found} at {} is too old; {needed} or newer is needed", path.display())]
    RuntimeTooOld {
        /// The library.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The oldest version that works.
        needed: String,
    },
    /// The library is there but cannot be loaded.
    #[error("cannot load ONNX Runtime from {}", path.display())]
    RuntimeLoad {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        source: BoxError,
    },
    /// A process has one runtime; another one was asked for later.
    #[error("ONNX Runtime is already loaded from {}, so {} cannot be used", loaded.display(), asked.display())]
    RuntimeConflict {
        /// The library in use.
        loaded: PathBuf,
        /// The library that was asked for.
        asked: PathBuf,
    },
    /// The runtime refuses the graph.
    #[error("ONNX Runtime cannot open {}", path.display())]
    Session {
        /// The ONNX file.
        path: PathBuf,
        /// The runtime's reason.
        source: BoxError,
    },
    /// The runtime failed on a batch.
    #[error("ONNX Runtime failed on a batch of {texts} texts and {tokens} tokens each")]
    Run {
        /// Texts in the batch.
        texts: usize,
        /// Padded length.
        tokens: usize,
        /// The runtime's reason.
        source: BoxError,
    },
    /// An answer of the runtime does not fit the model.
    #[error("the graph answered `{output}` with shape {found:?} instead of {expected}")]
    OutputShape {
        /// Name of the output.
        output: String,
        /// What came.
        found: Vec<usize>,
        /// What the model's configuration promises.
        expected: String,
    },
    /// A file that decides what the model is cannot be read.
    #[error("cannot tell which model this is by {}", path.display())]
    Digest {
        /// The file, or the folder with the weights.
        path: PathBuf,
        /// The reason.
        source: Box<st_export::Error>,
    },
    /// A folder keeps calibration, and it is of other weights or another tokenizer.
    #[error("{} was made for the model {found}, and this is {model}", path.display())]
    CalibrationModel {
        /// The file.
        path: PathBuf,
        /// Start of the digest that it names.
        found: String,
        /// Start of the digest of the model.
        model: String,
    },
    /// A folder keeps calibration, and none for such vectors.
    #[error("{} has no calibration for {wanted}; it has {kept}", path.display())]
    NoCalibration {
        /// The file.
        path: PathBuf,
        /// Mode, dimensions and normalisation of the call.
        wanted: String,
        /// Those that there are.
        kept: String,
    },
    /// Text that does not say where vectors come from.
    #[error("not understood as the provenance of vectors")]
    Provenance {
        /// What is wrong with it.
        source: BoxError,
    },
    /// A prompt name that the model does not have.
    #[error("the model has no prompt named `{name}`; it has {known}")]
    UnknownPrompt {
        /// The name that was asked for.
        name: String,
        /// The names of the model.
        known: String,
    },
    /// An option with a value that cannot be followed.
    #[error("option `{option}` cannot be {value}: {reason}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The value.
        value: String,
        /// Why not.
        reason: String,
    },
    /// Token embeddings and their mask do not fit.
    #[error("cannot pool the token embeddings")]
    Shape {
        /// Which shapes disagree.
        source: st_core::ShapeError,
    },
    /// Vectors and calibration do not fit.
    #[error("cannot quantise the vectors")]
    Quantize {
        /// Which sizes disagree.
        source: st_pooling::QuantizeError,
    },
}

impl Error {
    /// An [`Error::Option`].
    pub(crate) fn option(option: &'static str, value: usize, reason: &str) -> Self {
        Self::Option { option, value: value.to_string(), reason: reason.to_owned() }
    }
}
