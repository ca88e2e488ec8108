//! What a caller hears while files travel.

use std::fmt;

use super::ArtifactPath;

/// Hears how far a transfer is. Called from many tasks at once.
pub trait Progress: fmt::Debug + Send + Sync {
    /// The files are known; their bytes too, unless the store does not say.
    fn begin(&self, files: usize, bytes: Option<u64>) {
        let _ = (files, bytes);
    }

    /// So many more bytes have travelled; fewer than none where a file had to begin again.
    fn advance(&self, bytes: i64) {
        let _ = bytes;
    }

    /// A file is complete.
    fn finished(&self, path: &ArtifactPath) {
        let _ = path;
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
