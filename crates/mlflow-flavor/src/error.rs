//! What can go wrong, and which of MLflow's error codes says so.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use st_core::BoxError;

/// A failure of this crate.
///
/// Messages that MLflow has words for keep those words, at least as a prefix; [`code`](Error::code) is the
/// error code that Python's MLflow gives in the same case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused something.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The words of the system.
        source: io::Error,
    },
    /// A file is not YAML, or is more YAML than a sane file holds.
    #[error("`{file}` cannot be read as YAML")]
    Yaml {
        /// The file.
        file: String,
        /// The words of the reader, with line and column where known.
        source: BoxError,
    },
    /// A file is not JSON.
    #[error("`{}` cannot be read as JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The words of the reader, with line and column.
        source: BoxError,
    },
    /// A key of a file holds something that it may not hold.
    #[error("`{file}`: key `{key}` {problem}")]
    Key {
        /// The file.
        file: String,
        /// The key, its parents before it, joined with dots.
        key: String,
        /// What is wrong, such as `must be text, not a list`.
        problem: String,
    },
    /// A path inside a file would lead out of the model folder.
    #[error("`{file}`: key `{key}` is the path `{path}`, which {problem}")]
    UnsafePath {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The path as written.
        path: String,
        /// What is wrong, such as `leaves the model folder`.
        problem: &'static str,
    },
    /// The target of a save exists.
    #[error("Path '{}' already exists and is not empty", path.display())]
    TargetNotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The target of a save lies inside the folder that is to be copied into it.
    #[error("`{}` lies inside the model folder `{}`", path.display(), folder.display())]
    TargetInsideFolder {
        /// The target.
        path: PathBuf,
        /// The model folder.
        folder: PathBuf,
    },
    /// A folder is not a sentence-transformers model that Python could load.
    #[error("`{}` {problem}", folder.display())]
    ModelFolder {
        /// The folder.
        folder: PathBuf,
        /// What is missing or wrong.
        problem: String,
    },
    /// A Git LFS pointer lies where a file of the model should be.
    #[error("`{}` is a Git LFS pointer, not the file itself: run `git lfs pull` in that folder", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// Something that is neither file nor folder cannot be copied into a model.
    #[error("`{}` is neither a file nor a folder", path.display())]
    SpecialFile {
        /// The socket, pipe or device.
        path: PathBuf,
    },
    /// A file is larger than a sane one of its kind.
    #[error("`{}` has more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// A file of the model is not as it was a moment ago.
    #[error("`{}` changed while it was read: it had {before} bytes and has {now}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size when the save was planned.
        before: u64,
        /// The bytes that were read.
        now: u64,
    },
    /// A file of a model is not what its digests say.
    #[error("`{}`: the file {file} {problem}", folder.display())]
    Digest {
        /// The model.
        folder: PathBuf,
        /// The file, relative to the model.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Digests are required and the model has none.
    #[error(
        "`{}` has no {}, so nothing says what its files should be; models that Python saved have none",
        folder.display(), crate::digests::DIGESTS_FILE
    )]
    NoDigests {
        /// The model.
        folder: PathBuf,
    },
    /// A text has another vector than when the model was saved.
    #[error(
        "the model answers otherwise than when it was saved: the vector of {text:?} is off by {difference:e}, where {tolerance:e} is allowed"
    )]
    CertificateDifference {
        /// The text of the certificate that is off by most.
        text: String,
        /// Largest absolute difference in one dimension.
        difference: f32,
        /// What is allowed there.
        tolerance: f32,
    },
    /// A text has a vector of another direction than when the model was saved.
    #[error(
        "the model answers otherwise than when it was saved: the vector of {text:?} has a cosine of {cosine} to the one of then, where {floor} is the least"
    )]
    CertificateDirection {
        /// The text of the certificate that is off by most.
        text: String,
        /// The cosine of the two vectors.
        cosine: f32,
        /// The least that is allowed.
        floor: f32,
    },
    /// The vectors have another width than when the model was saved.
    #[error(
        "the model answers otherwise than when it was saved: its vectors have {found} dimensions instead of {expected}"
    )]
    CertificateWidth {
        /// Dimensions of the vectors of the certificate.
        expected: usize,
        /// Dimensions of the encoder's vectors.
        found: usize,
    },
    /// A model of other flavors.
    #[error("`{}` has the flavors {flavors}, not `sentence_transformers`", path.display())]
    OtherFlavor {
        /// The folder of the model.
        path: PathBuf,
        /// The flavors that it has.
        flavors: String,
    },
    /// `task` is not one that the flavor knows.
    #[error(
        "Received invalid parameter value for `task` argument {task}. Task type could only be llm/v1/embeddings"
    )]
    Task {
        /// The task that was asked for.
        task: String,
    },
    /// `task` and `metadata` disagree.
    #[error(
        "Received invalid parameter value for `task` argument {task}. Task type is inconsistent with the task value from metadata {metadata}"
    )]
    TaskMetadata {
        /// The task that was asked for.
        task: String,
        /// The task in the metadata.
        metadata: String,
    },
    /// More than one of the environment arguments.
    #[error("Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be specified")]
    EnvironmentArguments,
    /// A requirement that contradicts another one, or cannot be read.
    #[error("requirement `{requirement}` {problem}")]
    Requirement {
        /// The requirement as given.
        requirement: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An option of a save cannot be followed.
    #[error("option `{option}` {problem}")]
    SaveOption {
        /// The name of the option.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An input example that the model could not be asked.
    #[error("input example: {problem}")]
    InputExample {
        /// What is wrong with it.
        problem: String,
    },
    /// A schema that MLflow does not allow, or its JSON is something else.
    #[error("signature: {problem}")]
    Signature {
        /// What is wrong with it.
        problem: String,
    },
    /// The input does not fit the input schema of the model.
    #[error("Failed to enforce schema of data '{data}' with schema '{schema}'. Error: {problem}")]
    Schema {
        /// The start of the data.
        data: String,
        /// The schema.
        schema: String,
        /// What does not fit.
        problem: String,
    },
    /// A parameter does not fit the parameter schema of the model.
    #[error("Invalid parameters found: {problem}")]
    Params {
        /// The parameters and what is wrong with each.
        problem: String,
    },
    /// The parameters are no dictionary.
    #[error("Parameters must be a dictionary. Got type '{found}'.")]
    ParamsKind {
        /// Python's name of the type.
        found: &'static str,
    },
    /// A parameter passed the schema but `encode` has no such parameter, or not such a value.
    #[error("Received invalid parameter value for `params` argument: `{name}` {problem}")]
    EncodeParam {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Python would silently leave a part of the input out.
    #[error("{part} would be silently ignored by Python's flavor; {remedy}")]
    Dropped {
        /// What would be lost.
        part: String,
        /// What to send instead.
        remedy: &'static str,
    },
    /// The input passed the schema but is no text that can be encoded.
    #[error(
        "Encountered an unexpected error while evaluating the model. Verify that the input is compatible with the model for inference: {problem}"
    )]
    NotText {
        /// Where and what, such as `row 3 is a number`.
        problem: String,
    },
    /// The model failed.
    #[error("Encountered an unexpected error while evaluating the model")]
    Encode {
        /// The words of the model.
        source: BoxError,
    },
    /// A scoring request that the protocol does not allow.
    #[error("{message}")]
    Request {
        /// MLflow's words, or ours after MLflow's first words.
        message: String,
    },
    /// The answer could not be written.
    #[error("cannot write the answer")]
    Answer {
        /// The words of the system.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// The error code that Python's MLflow gives in the same case.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TargetNotEmpty { .. } => ErrorCode::ResourceAlreadyExists,
            Self::OtherFlavor { .. } => ErrorCode::ResourceDoesNotExist,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorCode::ResourceDoesNotExist
            }
            Self::Io { .. } | Self::Answer { .. } => ErrorCode::InternalError,
            Self::NotText { .. } | Self::Encode { .. } | Self::Request { .. } => ErrorCode::BadRequest,
            _ => ErrorCode::InvalidParameterValue,
        }
    }

    /// The finer name that MLflow puts beside the code, where it has one.
    pub fn error_class(&self) -> Option<&'static str> {
        matches!(self, Self::Schema { .. }).then_some("SCHEMA_ENFORCEMENT_FAILED")
    }
}

/// MLflow's error codes, as far as this crate gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `BAD_REQUEST`, status 400.
    BadRequest,
    /// `INVALID_PARAMETER_VALUE`, status 400.
    InvalidParameterValue,
    /// `RESOURCE_ALREADY_EXISTS`, status 400.
    ResourceAlreadyExists,
    /// `RESOURCE_DOES_NOT_EXIST`, status 404.
    ResourceDoesNotExist,
    /// `INTERNAL_ERROR`, status 500.
    InternalError,
}

impl ErrorCode {
    /// MLflow's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    /// The status with which MLflow's servers answer.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::InvalidParameterValue | Self::ResourceAlreadyExists => 400,
            Self::ResourceDoesNotExist => 404,
            Self::InternalError => 500,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
