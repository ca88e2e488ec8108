//! Files: where they are, and how they travel without being lost, cut, or put where they do not belong.
//!
//! [`Artifacts`] opens an [`ArtifactStore`] for an [`ArtifactUri`](crate::uri::ArtifactUri), and moves whole folders:
//! [`Artifacts::download`] into a private folder that takes its final name when every byte of it was checked, and
//! [`Artifacts::upload`], which asks afterwards whether everything has arrived.
//!
//! What a server names is hostile until it is an [`ArtifactPath`].

#[cfg(feature = "rest")]
mod answer;
mod confined;
mod digest;
mod download;
#[cfg(feature = "rest")]
mod elsewhere;
#[cfg(feature = "rest")]
mod hosts;
#[cfg(feature = "rest")]
mod http;
mod local;
#[cfg(feature = "rest")]
mod multipart;
#[cfg(feature = "__objects")]
mod objects;
mod open;
mod overlay;
mod path;
mod progress;
#[cfg(feature = "rest")]
mod proxy;
mod store;
mod transfer;
mod upload;
mod walk;

pub use digest::{Digest, InvalidDigest};
pub use download::{DownloadOptions, Downloaded, DownloadedFile, Inspection};
#[cfg(feature = "rest")]
pub use http::HttpArtifacts;
pub use local::LocalArtifacts;
#[cfg(feature = "__objects")]
pub use objects::ObjectArtifacts;
pub use open::{ArtifactSettings, Artifacts};
pub use overlay::OverlayArtifacts;
pub use path::{ArtifactPath, InvalidArtifactPath};
pub use progress::{Progress, Silent};
#[cfg(feature = "rest")]
pub use proxy::ProxyArtifacts;
pub use store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
pub use upload::{UploadOptions, Uploaded};

/// Work on files, away from the threads that wait for the network.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
