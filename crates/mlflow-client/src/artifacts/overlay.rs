//! Two folders as one.

use std::sync::Arc;

use async_trait::async_trait;

use super::ArtifactPath;
use super::store::{ArtifactRead, ArtifactStore, FileInfo, LocalFile, ReadStart};
use crate::Result;

/// Two stores seen as one folder, for a `runs:` URI that means the artifacts of a run and a logged model of the same name.
///
/// What both have comes from the upper one, and new files go there.
#[derive(Clone, Debug)]
pub struct OverlayArtifacts {
    upper: Arc<dyn ArtifactStore>,
    lower: Arc<dyn ArtifactStore>,
}

impl OverlayArtifacts {
    /// Lays one store over another.
    pub fn new(upper: Arc<dyn ArtifactStore>, lower: Arc<dyn ArtifactStore>) -> Self {
        Self { upper, lower }
    }
}

#[async_trait]
impl ArtifactStore for OverlayArtifacts {
    fn location(&self) -> String {
        self.upper.location()
    }

    async fn list(&self, directory: Option<&ArtifactPath>) -> Result<Vec<FileInfo>> {
        let (mut infos, below) = futures::try_join!(self.upper.list(directory), self.lower.list(directory))?;
        for info in below {
            if infos.iter().all(|known| known.path != info.path) {
                infos.push(info);
            }
        }
        infos.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(infos)
    }

    async fn read(&self, path: &ArtifactPath, start: &ReadStart) -> Result<ArtifactRead> {
        match self.upper.read(path, start).await {
            Err(error) if error.is_not_found() => self.lower.read(path, start).await,
            read => read,
        }
    }

    async fn write(&self, path: &ArtifactPath, file: &LocalFile) -> Result<()> {
        self.upper.write(path, file).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::artifacts::LocalArtifacts;

    #[tokio::test]
    async fn what_both_have_comes_from_above() {
        let (upper, lower) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(upper.path().join("both"), "upper").unwrap();
        fs::write(lower.path().join("both"), "lower!").unwrap();
        fs::write(lower.path().join("a"), "lower").unwrap();
        let store = |folder: &tempfile::TempDir| -> Arc<dyn ArtifactStore> {
            Arc::new(LocalArtifacts::new(folder.path()))
        };
        let both = OverlayArtifacts::new(store(&upper), store(&lower));
        let path = |text: &str| ArtifactPath::try_new(text).unwrap();
        let listed = both.list(None).await.unwrap();
        assert_eq!(listed, [FileInfo::file(path("a"), Some(5)), FileInfo::file(path("both"), Some(5))]);
        for (name, text) in [("a", "lower"), ("both", "upper")] {
            let read = both.read(&path(name), &ReadStart::default()).await.unwrap();
            assert_eq!(read.bytes(100).await.unwrap(), text.as_bytes());
        }
        assert!(both.read(&path("none"), &ReadStart::default()).await.unwrap_err().is_not_found());
    }
}
