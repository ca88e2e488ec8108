//! The URIs that MLflow takes where a model or a file is asked for.
//!
//! [`ArtifactUri`] is the whole grammar: `models:`, `runs:`, `mlflow-artifacts:`, folders of this machine, object stores,
//! and addresses of the web. Parsing is pure; [`resolve()`] asks a store what a `models:` or `runs:` URI means today.
//!
//! `Display` writes a URI as it is parsed, but never a password, and of a web address no query: that is where signatures
//! and tokens stand.

mod artifact;
mod model;
mod parts;
mod resolve;
mod run;
mod workspaces;

pub use artifact::{ArtifactUri, Bucket, Container, ForeignScheme, ProxyUri, WebUri};
pub use model::{ModelReference, ModelUri};
pub use parts::DatabricksAuthority;
pub use resolve::{Resolved, resolve};
pub(crate) use resolve::{find_version, resolve_here, resolve_version};
pub use run::RunUri;
pub(crate) use workspaces::Workspaces;
