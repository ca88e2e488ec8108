//! What every file of a model should be: sizes and digests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::save::PlannedFile;
use crate::{Error, hex, tree};

/// The file with the digests, beside `MLmodel`: a plain name, which every artifact store keeps.
pub(crate) const DIGESTS_FILE: &str = "model_digests.json";
/// Largest such file that is read, in bytes: room for a hundred thousand files.
const MAX_FILE: u64 = 16 << 20;
/// The version of the format that is written, and the highest that is read.
const FORMAT_VERSION: u64 = 1;
/// What Python's client puts into a model that it downloads from a registry.
const WRITTEN_BY_DOWNLOADS: &str = "registered_model_meta";
/// What Python leaves in folders from which it loaded code; nothing here reads it.
const WRITTEN_BY_IMPORTS: &str = "__pycache__";

/// SHA-256 and size of every file of a model but of the file that holds them, `model_digests.json`.
///
/// It is written last, by [`save_model`](crate::save_model) and whoever logs a model, so that `MLmodel` is among the
/// files in its final form, ids included. A tool that rewrites a file of the model later, such as Python's
/// `set_signature`, has to leave the digests out or write them anew.
///
/// Digests beside the files tell accidents, and tampering by whoever cannot replace both. For more, keep
/// [`fingerprint`](Self::fingerprint) elsewhere, such as in a tag of the registry.
///
/// ```
/// use mlflow_flavor::{Digester, Digests};
///
/// let mut digester = Digester::default();
/// digester.update(b"abc");
/// let mut digests = Digests::default();
/// digests.insert("notes.txt", digester.finish());
///
/// let text = digests.to_json();
/// assert!(text.contains(r#""sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#));
/// assert_eq!(Digests::parse(text.as_bytes(), "model_digests.json".as_ref())?, digests);
/// # Ok::<(), mlflow_flavor::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    files: BTreeMap<String, FileDigest>,
}

/// Size and digest of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileDigest {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256Digest,
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256Digest(pub [u8; 32]);

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Sha256Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = hex::decode(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("a SHA-256 is written as 64 lower case hexadecimal digits")
    }
}

/// Makes a [`FileDigest`] of bytes as they pass.
#[derive(Clone, Debug, Default)]
pub struct Digester {
    hasher: Sha256,
    bytes: u64,
}

impl Digester {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The digest of all bytes.
    pub fn finish(self) -> FileDigest {
        FileDigest { bytes: self.bytes, sha256: Sha256Digest(self.hasher.finalize().into()) }
    }
}

/// The file as JSON.
#[derive(Serialize, Deserialize)]
struct Manifest<Files> {
    format_version: u64,
    files: Files,
}

impl Digests {
    /// Adds a file; `path` is relative to the model, its parts joined with `/`.
    pub fn insert(&mut self, path: impl Into<String>, digest: FileDigest) {
        self.files.insert(path.into(), digest);
    }

    /// The files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, FileDigest)> {
        self.files.iter().map(|(path, digest)| (path.as_str(), *digest))
    }

    /// The digest of one file.
    pub fn get(&self, path: &str) -> Option<FileDigest> {
        self.files.get(path).copied()
    }

    /// The content of `model_digests.json`: the same for the same files.
    pub fn to_json(&self) -> String {
        let manifest = Manifest { format_version: FORMAT_VERSION, files: &self.files };
        // Text as keys and no floating point numbers: this cannot fail.
        serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n"
    }

    /// The file that belongs into the model.
    pub fn to_file(&self) -> PlannedFile {
        PlannedFile::of_bytes(DIGESTS_FILE, self.to_json())
    }

    /// SHA-256 of `model_digests.json`, which stands for the whole model.
    pub fn fingerprint(&self) -> Sha256Digest {
        let mut digester = Digester::default();
        digester.update(self.to_json().as_bytes());
        digester.finish().sha256
    }

    /// Reads the content of `model_digests.json`; `file` is for the error.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] if it is something else, [`Error::Key`] if it is of a format that is not known here.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<Self, Error> {
        let wrong = |error: serde_json::Error| Error::Json { path: file.to_owned(), source: error.into() };
        let manifest: Manifest<serde_json::Value> = serde_json::from_slice(bytes).map_err(wrong)?;
        if !(1..=FORMAT_VERSION).contains(&manifest.format_version) {
            return Err(Error::Key {
                file: file.display().to_string(),
                key: "format_version".to_owned(),
                problem: format!("is {}, and {FORMAT_VERSION} is the newest known", manifest.format_version),
            });
        }
        Ok(Self { files: serde_json::from_value(manifest.files).map_err(wrong)? })
    }

    /// Reads the digests of the MLflow model in `folder`; none if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and as [`parse`](Self::parse).
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(DIGESTS_FILE);
        tree::read_small(&path, MAX_FILE)?.map(|bytes| Self::parse(&bytes, &path)).transpose()
    }

    /// Compares the MLflow model in `folder`: every file is there, none is more, and each byte is what it was.
    ///
    /// Names and sizes are compared before anything is read. What downloads (`registered_model_meta`) and imports
    /// (`__pycache__` under `code/`) of Python leave in a model is no difference.
    ///
    /// # Errors
    ///
    /// [`Error::Digest`] names the first file that is missing, too much or different, in the order of the paths;
    /// [`Error::Io`] if a file cannot be read.
    pub fn verify(&self, folder: &Path) -> Result<(), Error> {
        let mut listing = tree::Listing::default();
        tree::list(folder, "", &[], &mut listing)?;
        let files = listing.files.into_iter().filter(|file| !is_left_by_others(&file.path));
        let found: BTreeMap<String, PlannedFile> =
            files.map(|file| (file.path.clone(), file.into())).collect();
        let sizes = found.iter().map(|(name, file)| (name.as_str(), file.bytes)).collect();
        self.compare_sizes(folder, &sizes)?;
        for (name, file) in &found {
            self.compare(folder, name, file.read(|_| Ok(()))?)?;
        }
        Ok(())
    }

    /// As [`verify`](Self::verify), of files in `folder` that were digested already.
    ///
    /// # Errors
    ///
    /// [`Error::Digest`] as [`verify`](Self::verify).
    pub fn verify_digested(&self, folder: &Path, found: &Digests) -> Result<(), Error> {
        let found = || found.files().filter(|(name, _)| !is_left_by_others(name));
        self.compare_sizes(folder, &found().map(|(name, file)| (name, file.bytes)).collect())?;
        found().try_for_each(|(name, digest)| self.compare(folder, name, digest))
    }

    fn compare_sizes(&self, folder: &Path, found: &BTreeMap<&str, u64>) -> Result<(), Error> {
        let names: BTreeSet<&str> =
            self.files.keys().map(String::as_str).chain(found.keys().copied()).collect();
        for name in names {
            let problem = match (self.files.get(name), found.get(name)) {
                (Some(_), None) => "is missing".to_owned(),
                (None, _) => format!("is not in {DIGESTS_FILE}"),
                (Some(expected), Some(bytes)) if expected.bytes != *bytes => {
                    format!("has {bytes} bytes instead of {}", expected.bytes)
                }
                _ => continue,
            };
            return Err(wrong(folder, name, problem));
        }
        Ok(())
    }

    fn compare(&self, folder: &Path, name: &str, found: FileDigest) -> Result<(), Error> {
        if self.get(name) == Some(found) {
            return Ok(());
        }
        Err(wrong(folder, name, format!("has another SHA-256 than {DIGESTS_FILE} says")))
    }
}

impl FromIterator<(String, FileDigest)> for Digests {
    fn from_iter<T: IntoIterator<Item = (String, FileDigest)>>(files: T) -> Self {
        Self { files: files.into_iter().collect() }
    }
}

fn wrong(folder: &Path, file: &str, problem: String) -> Error {
    Error::Digest { folder: folder.to_owned(), file: file.to_owned(), problem }
}

fn is_left_by_others(path: &str) -> bool {
    let mut parts = path.split('/');
    path == DIGESTS_FILE
        || path == WRITTEN_BY_DOWNLOADS
        || (parts.next() == Some("code") && parts.any(|part| part == WRITTEN_BY_IMPORTS))
}
