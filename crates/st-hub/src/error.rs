//! What can go wrong between a name and a folder.

use std::io;
use std::path::PathBuf;

/// The source of an error of another library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a name did not become a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be the name of a model.
    #[error("`{name}` is not the name of a model: {problem}")]
    Name {
        /// What was written.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A variable of the environment that cannot be understood.
    #[error("cannot understand {variable}: {problem}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Nobody says where models are kept.
    #[error("there is no cache of models: none of HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME and HOME is set")]
    NoCache,
    /// The network may not be used, and the cache does not have the model.
    #[error("{name} is not in {}, and the network is switched off", cache.display())]
    Offline {
        /// What was written.
        name: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The network may not be used, and the cache has only a part of the model.
    #[error("{name} is in {} without {missing}, and the network is switched off", folder.display())]
    OfflineIncomplete {
        /// What was written.
        name: String,
        /// The snapshot.
        folder: PathBuf,
        /// A file or folder that is not there.
        missing: String,
    },
    /// The hub was to be asked, and the network may not be used.
    #[error("{name} cannot be looked up: the network is switched off")]
    NotAsked {
        /// What was written.
        name: String,
    },
    /// The hub has no such model, or does not show it.
    #[error("{endpoint} has no model {repository}, or does not show it")]
    NotFound {
        /// The hub.
        endpoint: String,
        /// The model.
        repository: String,
        /// Whether a token went along.
        with_token: bool,
    },
    /// The model has no such branch, tag or commit.
    #[error("{repository} has no revision `{revision}`")]
    NoRevision {
        /// The model.
        repository: String,
        /// What was asked for.
        revision: String,
    },
    /// The licence of the model has to be accepted first.
    #[error("{repository} is gated: {endpoint} gives it to those only whom its owner admits")]
    Gated {
        /// The hub.
        endpoint: String,
        /// The model.
        repository: String,
        /// Whether a token went along.
        with_token: bool,
    },
    /// The token is not one, or not for this.
    #[error("{url}: the hub said {status}: {message}")]
    Refused {
        /// The address, without query and password.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// The server's own words.
        message: String,
        /// Whether a token went along.
        with_token: bool,
    },
    /// The hub, or where it sends us, answered with a failure.
    #[error("{url}: the server said {status}: {message}")]
    Status {
        /// The address, without query and password.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// The server's own words.
        message: String,
    },
    /// No answer came, or it broke off.
    #[error("{url}: no whole answer after {attempts} {}", if *attempts == 1 { "attempt" } else { "attempts" })]
    Transport {
        /// The address, without query and password.
        url: String,
        /// How often it was asked; of a file, how often nothing new came.
        attempts: u32,
        /// The cause.
        source: BoxError,
    },
    /// Somebody answers with whom there is no secure connection; mostly nobody who is trusted vouches for its certificate.
    #[error("{url}: no secure connection")]
    Insecure {
        /// The address, without query and password.
        url: String,
        /// What is wrong with the certificate, or with what came instead of one.
        source: BoxError,
    },
    /// A file that should hold the certificates of those who are trusted.
    #[error("cannot read certificates of authorities in {}", path.display())]
    Authorities {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: BoxError,
    },
    /// An answer that the protocol does not allow.
    #[error("{url}: {problem}")]
    Protocol {
        /// The address, without query and password.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// A name of a file that would leave the folder.
    #[error("{repository} names a file that is no plain relative path: {path:?}")]
    HostilePath {
        /// The model.
        repository: String,
        /// The path.
        path: String,
    },
    /// A file that is larger than a model's file can be.
    #[error("{repository}/{file} has {size} bytes; at most {limit} are taken")]
    TooLarge {
        /// The model.
        repository: String,
        /// The file.
        file: String,
        /// Bytes, as announced.
        size: u64,
        /// Most bytes that are taken.
        limit: u64,
    },
    /// Nothing that can be run without pickle.
    #[error("{repository} at {commit} has neither safetensors nor an ONNX graph{}", found(others))]
    NoWeights {
        /// The model.
        repository: String,
        /// The commit.
        commit: String,
        /// Weights in other formats, a few of them.
        others: Vec<String>,
    },
    /// A file for which the hub gives no digest.
    #[error("{repository}/{file} cannot be verified: the server names no SHA-256 and no git digest for it")]
    Unverifiable {
        /// The model.
        repository: String,
        /// The file.
        file: String,
    },
    /// Other bytes came than were announced.
    #[error("{repository}/{file}: the {algorithm} is {found}, not {expected}")]
    Digest {
        /// The model.
        repository: String,
        /// The file.
        file: String,
        /// What the digits are.
        algorithm: &'static str,
        /// What was announced.
        expected: String,
        /// What came.
        found: String,
    },
    /// More or fewer bytes came than were announced.
    #[error("{repository}/{file}: {found} bytes came, not {expected}")]
    Size {
        /// The model.
        repository: String,
        /// The file.
        file: String,
        /// What was announced.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A pointer of git's large file storage stands where the file should.
    #[error("{file} is a pointer of Git LFS, not the file itself")]
    LfsPointer {
        /// The file.
        file: String,
    },
    /// A link in the cache that leads out of it.
    #[error("{} leads out of the cache", link.display())]
    Escape {
        /// The link.
        link: PathBuf,
    },
    /// A file or folder of the cache.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// What was tried, such as `read`.
        action: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The HTTP library cannot be set up.
    #[error("cannot prepare connections")]
    Connections {
        /// The cause.
        source: BoxError,
    },
}

fn found(others: &[String]) -> String {
    if others.is_empty() { String::new() } else { format!("; it has {}", others.join(", ")) }
}

impl Error {
    /// Whether the hub has no such model or revision, or does not show it.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::NoRevision { .. })
    }

    /// Whether the network would have been needed and was not to be used.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Offline { .. } | Self::OfflineIncomplete { .. } | Self::NotAsked { .. })
    }
}

/// An action on a file that failed.
pub(crate) fn file(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { path, action, source }
}
