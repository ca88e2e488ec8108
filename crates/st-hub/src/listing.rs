//! What a revision consists of, as the hub tells it.

use std::collections::HashSet;

use serde::Deserialize;

use crate::digest::Digest;
use crate::error::Error;
use crate::files;
use crate::name::is_commit;

/// Files that a repository may have.
const MOST_FILES: usize = 100_000;

/// A commit and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) files: Vec<RemoteFile>,
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub(crate) path: String,
    /// Bytes, unless the server keeps that to itself.
    pub(crate) size: Option<u64>,
    /// The digest of the content, unless the server keeps that to itself.
    pub(crate) digest: Option<Digest>,
}

#[derive(Deserialize)]
struct Answer {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    #[serde(rename = "rfilename")]
    path: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Listing {
    /// Reads an answer to `GET /api/models/{repository}/revision/{revision}?blobs=true`.
    pub(crate) fn parse(body: &[u8], url: &str, repository: &str) -> Result<Self, Error> {
        let protocol = |problem: String| Error::Protocol { url: url.to_owned(), problem };
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| protocol(format!("the answer does not describe a model: {error}")))?;
        if !is_commit(&answer.sha) {
            return Err(protocol("the answer names no commit".to_owned()));
        }
        if answer.siblings.len() > MOST_FILES {
            return Err(protocol(format!("the model has more than {MOST_FILES} files")));
        }
        let mut seen = HashSet::new();
        let mut files = Vec::with_capacity(answer.siblings.len());
        for sibling in answer.siblings {
            if !files::is_plain(&sibling.path) {
                return Err(Error::HostilePath { repository: repository.to_owned(), path: sibling.path });
            }
            if !seen.insert(sibling.path.clone()) {
                return Err(protocol(format!("the answer names {} twice", sibling.path)));
            }
            files.push(sibling.into());
        }
        Ok(Self { commit: answer.sha, files })
    }
}

impl From<Sibling> for RemoteFile {
    fn from(sibling: Sibling) -> Self {
        // Of a file in git's large file storage, git's own digest and size are those of the pointer.
        let (size, digest) = match sibling.lfs {
            Some(lfs) => (lfs.size.or(sibling.size), lfs.sha256),
            None => (sibling.size, sibling.blob_id),
        };
        Self { path: sibling.path, size, digest: digest.as_deref().and_then(Digest::parse) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn parse(siblings: &str) -> Result<Listing, Error> {
        let body = format!(r#"{{"id": "a/b", "sha": "{COMMIT}", "siblings": {siblings}, "tags": []}}"#);
        Listing::parse(body.as_bytes(), "http://hub/api", "a/b")
    }

    #[test]
    fn large_files_have_the_digest_of_their_content() {
        let sha256 = "a".repeat(64);
        let listing = parse(&format!(
            r#"[{{"rfilename": "config.json", "size": 12, "blobId": "{COMMIT}"}},
                {{"rfilename": "model.safetensors", "size": 99, "blobId": "{COMMIT}",
                  "lfs": {{"sha256": "{sha256}", "size": 99, "pointerSize": 130}}}},
                {{"rfilename": "README.md"}}]"#
        ))
        .unwrap();
        assert_eq!(listing.commit, COMMIT);
        let digests: Vec<_> =
            listing.files.iter().map(|file| file.digest.as_ref().map(Digest::as_str)).collect();
        assert_eq!(digests, [Some(COMMIT), Some(sha256.as_str()), None]);
        assert_eq!(listing.files[1].size, Some(99));
    }

    #[test]
    fn hostile_answers_are_refused() {
        let hostile = parse(r#"[{"rfilename": "../../.bashrc"}]"#).unwrap_err();
        assert_eq!(hostile.to_string(), "a/b names a file that is no plain relative path: \"../../.bashrc\"");
        assert!(parse(r#"[{"rfilename": "x"}, {"rfilename": "x"}]"#).is_err());
        for body in ["", "[]", "<html>", r#"{"sha": "../x"}"#, r#"{"sha": 1}"#] {
            assert!(Listing::parse(body.as_bytes(), "u", "a/b").is_err(), "{body}");
        }
    }
}
