//! How an ONNX file can be broken or ask for too much.

/// What is wrong with an ONNX file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxProblem {
    /// The file is larger than the format allows.
    #[error("it has {bytes} bytes but ONNX ends at {limit}")]
    TooLarge {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes that a file may have.
        limit: u64,
    },
    /// It is not a file but a folder, a link or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The bytes are not a message of the format.
    #[error("byte {offset} does not continue {within}")]
    Malformed {
        /// Where reading stopped.
        offset: u64,
        /// The message that was being read.
        within: &'static str,
    },
    /// A text longer than any real one.
    #[error("{what} takes {bytes} bytes but {limit} is the limit")]
    TooLong {
        /// What the text is.
        what: &'static str,
        /// Its length.
        bytes: u64,
        /// The longest that is read.
        limit: u64,
    },
    /// More of something than any real file has.
    #[error("it has more than {limit} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The most that are read.
        limit: usize,
    },
    /// Graphs within graphs, deeper than any real ones.
    #[error("its graphs are nested more than {limit} deep")]
    TooDeep {
        /// The deepest that is read.
        limit: usize,
    },
    /// No graph at all.
    #[error("it holds no graph")]
    NoGraph,
    /// An input or output that is a sequence, a map or has no type.
    #[error("`{name}` is not a tensor")]
    NotATensor {
        /// The input or output.
        name: String,
    },
    /// An operator that needs a library which is never loaded.
    #[error("operator `{operator}` of domain `{domain}` needs a custom library, which is never loaded")]
    CustomOperator {
        /// The operator.
        operator: String,
        /// Its domain.
        domain: String,
    },
    /// Weights that lie somewhere else than beside the file.
    #[error("tensor `{tensor}` has its data in `{location}`, which is not a plain file name")]
    Location {
        /// The tensor.
        tensor: String,
        /// Where its data is said to be.
        location: String,
    },
    /// Weights that are said to lie in another file, without its name.
    #[error("tensor `{tensor}` has its data in another file but does not say which")]
    LocationMissing {
        /// The tensor.
        tensor: String,
    },
    /// A place in the data file that is not a number.
    #[error("tensor `{tensor}` has the {key} `{value}`, which is not a number of bytes")]
    LocationNumber {
        /// The tensor.
        tensor: String,
        /// `offset` or `length`.
        key: &'static str,
        /// What stands there.
        value: String,
    },
    /// The file with the weights is not there.
    #[error("tensor `{tensor}` has its data in `{location}`, which is not there")]
    DataMissing {
        /// The tensor.
        tensor: String,
        /// The file.
        location: String,
    },
    /// The file with the weights is a folder, a link or a device.
    #[error("tensor `{tensor}` has its data in `{location}`, which is not a regular file")]
    DataNotAFile {
        /// The tensor.
        tensor: String,
        /// The file.
        location: String,
    },
    /// The file with the weights is too short.
    #[error("tensor `{tensor}` ends at byte {end} of `{location}`, which has {bytes}")]
    DataOutOfBounds {
        /// The tensor.
        tensor: String,
        /// The file.
        location: String,
        /// Where the tensor ends.
        end: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A tensor whose dimensions do not fit the bytes that it says it has.
    #[error("tensor `{tensor}` is {dims:?} of {element_type} but its data has {bytes} bytes")]
    DataLength {
        /// The tensor.
        tensor: String,
        /// Its dimensions.
        dims: Vec<i64>,
        /// Its number format.
        element_type: String,
        /// Bytes of its data.
        bytes: u64,
    },
}
