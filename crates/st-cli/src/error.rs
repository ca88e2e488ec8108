//! What can be wrong with files and arguments; hints to these are in `hints`.

use std::io;

/// A failure of the command line itself; failures of the libraries keep their own types in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An input cannot be opened or read.
    #[error("cannot read {file}")]
    Read { file: String, source: io::Error },
    /// A line that is no text.
    #[error("{file}, line {line}: not valid UTF-8")]
    NotUtf8 { file: String, line: u64 },
    /// A model that is to be logged does not run here.
    #[error("cannot note what {model} answers")]
    Certify { model: String },
    /// The cache of fetched models.
    #[error("cannot use the cache of fetched models")]
    Cache { source: io::Error },
    /// A variable of the environment that cannot be understood.
    #[error("cannot understand {variable}: {problem}")]
    Variable { variable: &'static str, problem: String },
    /// Nothing to do is a mistake in nearly every script.
    #[error("{file} holds no texts")]
    Empty { file: String },
    /// The column with the texts, or the one with the ids, is not there.
    #[error("{file} has no column `{column}`; it has {columns}")]
    NoColumn { file: String, column: String, columns: String },
    /// A column was asked for where there are none.
    #[error("{file} is plain text and has no columns")]
    PlainText { file: String },
    /// A cell holds something else.
    #[error("{file}, row {row}: column `{column}` holds {found}, not a text")]
    NotText { file: String, row: u64, column: String, found: String },
    /// A whole line of a JSON file is something else.
    #[error("{file}, line {line}: {found} is neither a text nor an object with columns")]
    NotRecord { file: String, line: u64, found: &'static str },
    /// A line that JSON does not allow.
    #[error("{file}, line {line}: not valid JSON")]
    Json { file: String, line: u64, source: serde_json::Error },
    /// A table with rows of unequal length, and the like.
    #[error("cannot read the table {file}")]
    Table { file: String, source: csv::Error },
    /// A damaged or foreign Parquet file.
    #[error("cannot read the Parquet file {file}")]
    Parquet { file: String, source: parquet::errors::ParquetError },
    /// The extension names no format.
    #[error("{file}: the extension names no format; known are {known}")]
    UnknownFormat { file: String, known: &'static str },
    /// Standard input or output cannot be rewound.
    #[error("{file} cannot be {format}")]
    NeedsFile { file: &'static str, format: &'static str },
    /// The answer would overwrite something.
    #[error("{file}: output exists")]
    OutputExists { file: String },
    /// The answer cannot be written.
    #[error("cannot write {file}")]
    Write { file: String, source: io::Error },
    /// Standard output is closed or full.
    #[error("cannot write to standard output")]
    Stdout { source: io::Error },
    /// A format that cannot hold what was asked for.
    #[error("{file}: {format} holds vectors only, no {what}")]
    VectorsOnly { file: String, format: &'static str, what: &'static str },
    /// A format in which every zero would have to be written.
    #[error("{file}: {format} cannot hold sparse vectors")]
    NotSparse { file: String, format: &'static str },
    /// A format for sparse vectors alone.
    #[error("{file}: an archive of arrays holds sparse vectors only")]
    OnlySparse { file: String },
    /// A text that nobody may cut.
    #[error("text {row} has {tokens} tokens, and the model reads {limit}")]
    TooLong { row: usize, tokens: usize, limit: usize },
    /// JSON has no word for this number.
    #[error("text {row}: dimension {dim} is {value}, which JSON cannot say")]
    NotFinite { row: u64, dim: usize, value: f32 },
    /// Nothing was ever logged here.
    #[error("there is no MLflow store here: no server is named, and this folder has no {file}")]
    NoStore { file: &'static str },
    /// There is no such model, and others are alike.
    #[error("{failed}")]
    NotFound { failed: String, advice: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// There is no such experiment.
    #[error("there is no experiment `{name}`")]
    NoExperiment { name: String },
    /// Nowhere to keep what is downloaded.
    #[error("there is no folder for downloaded models: neither XDG_CACHE_HOME nor HOME is set")]
    NoCache,
    /// Nowhere to keep what cannot be sent at once.
    #[error("there is no folder for what runs could not send: neither XDG_STATE_HOME nor HOME is set")]
    NoSpool,
    /// There is no such folder.
    #[error("model folder {folder} does not exist")]
    NoModel { folder: String, advice: Option<String> },
    /// No folder, and no model of that name that could be had.
    #[error("{}no whole model {name} in the cache {cache}", no_folder(typed.as_deref()))]
    NoModelNamed { typed: Option<String>, name: String, cache: String, advice: Option<String> },
    /// The hub was to say what a name stands for today.
    #[error("cannot find out what {name} is today")]
    Refresh { name: String },
    /// Calibration ranges of the wrong form.
    #[error("{file}: {problem}")]
    Ranges { file: String, problem: String },
    /// The model has such ranges already.
    #[error("{file} has a calibration for {kind} already, of {texts} texts")]
    CalibrationExists { file: String, kind: String, texts: u64 },
    /// A folder that must not change: digests vouch for it, or it is a copy of something else.
    #[error("{model} is not to be changed: its digests would no longer fit")]
    Sealed { model: String },
    /// Ranges without a meaning.
    #[error("dimension {dim} is {value} in one of the vectors, so it has no range")]
    NoRange { dim: usize, value: f32 },
    /// Vectors that were written before, and not as they say.
    #[error("{file}: {problem}")]
    VectorFile { file: String, problem: String },
    /// Vectors of which nobody knows what made them.
    #[error("{file} does not say which model made its vectors")]
    NoProvenance { file: String },
    /// What says so cannot be understood.
    #[error("cannot understand what {file} says of where vectors come from")]
    Provenance { file: String, source: st_core::BoxError },
    /// Vectors that would give scores without a meaning.
    #[error(
        "{one} does not fit {other}: {} is {} in {one}, and {} in {other}",
        difference.what, difference.left, difference.right
    )]
    OtherSpace { one: String, other: String, difference: st_model::SpaceDifference },
    /// A cross-encoder reads texts, and there are only vectors.
    #[error("the closest vectors come without their texts, and a cross-encoder reads texts")]
    NoTexts,
    /// Texts that are said to belong to vectors, and are more or fewer.
    #[error("{texts} in {corpus} cannot belong to {vectors} vectors")]
    Unequal { corpus: String, texts: String, vectors: usize },
    /// Eight bits need at least two texts to calibrate.
    #[error("one text alone gives no ranges for {precision}")]
    OneText { precision: &'static str },
    /// Options that contradict each other.
    #[error("{problem}")]
    Usage { problem: String },
    /// A file of options that cannot be understood.
    #[error("cannot understand {file}")]
    OptionFile { file: String, source: serde_json::Error },
    /// A signature that MLflow does not allow.
    #[error("cannot understand the signature {file}")]
    Signature { file: String, source: Box<mlflow_flavor::Error> },
    /// A sentence-transformers folder where an MLflow model is needed.
    #[error("{folder} is not an MLflow model folder: it has no MLmodel")]
    NotMlflow { folder: String },
}

/// What was tried first where a folder may have been meant.
fn no_folder(typed: Option<&str>) -> String {
    typed.map_or_else(String::new, |typed| format!("no folder `{typed}` here, and "))
}
