//! The file `parity_certificate.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Certificate, MadeBy, Reference};
use crate::save::PlannedFile;
use crate::{Error, hex, tree};

const CERTIFICATE_FILE: &str = "parity_certificate.json";
/// Largest such file that is read, in bytes.
const MAX_FILE: u64 = 16 << 20;
/// The version of the format that is written, and the only one that is read.
const FORMAT_VERSION: u32 = 1;
/// More texts, or longer ones in bytes, would make each load slow.
const MAX_REFERENCES: usize = 64;
const MAX_TEXT: usize = 4096;
/// A larger tolerance would certify nothing.
const MAX_TOLERANCE: f32 = 1e-3;

#[derive(Serialize, Deserialize)]
struct Document {
    format_version: u32,
    probe_set: u32,
    tolerance: f32,
    dimension: usize,
    max_tokens: Option<usize>,
    made_by: MadeBy,
    references: Vec<Entry>,
}

/// The vector is written as its bytes, little endian, in hexadecimal digits: exact, and short.
#[derive(Serialize, Deserialize)]
struct Entry {
    text: String,
    float32_le: String,
}

impl Certificate {
    /// The content of `parity_certificate.json`.
    pub fn to_json(&self) -> String {
        let entry = |reference: &Reference| {
            let bytes: Vec<u8> = reference.vector.iter().flat_map(|element| element.to_le_bytes()).collect();
            Entry { text: reference.text.clone(), float32_le: hex::encode(&bytes) }
        };
        let document = Document {
            format_version: FORMAT_VERSION,
            probe_set: self.probe_set,
            tolerance: self.tolerance,
            dimension: self.dimension(),
            max_tokens: self.max_tokens,
            made_by: self.made_by.clone(),
            references: self.references.iter().map(entry).collect(),
        };
        // Keys are text: this cannot fail.
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }

    /// The file that belongs into the model.
    pub fn to_file(&self) -> PlannedFile {
        PlannedFile::of_bytes(CERTIFICATE_FILE, self.to_json())
    }

    /// Reads the content of `parity_certificate.json`; `file` is for the error.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] if it is something else, [`Error::Key`] if a value is not one that can be checked.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<Self, Error> {
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| Error::Json { path: file.to_owned(), source: error.into() })?;
        let wrong = |key: &str, problem: String| Error::Key {
            file: file.display().to_string(),
            key: key.to_owned(),
            problem,
        };
        if document.format_version != FORMAT_VERSION {
            let problem =
                format!("is {}, and {FORMAT_VERSION} is the only one known", document.format_version);
            return Err(wrong("format_version", problem));
        }
        if !(document.tolerance > 0.0 && document.tolerance <= MAX_TOLERANCE) {
            let problem = format!("must be above 0 and at most {MAX_TOLERANCE}, not {}", document.tolerance);
            return Err(wrong("tolerance", problem));
        }
        if document.references.is_empty() || document.references.len() > MAX_REFERENCES {
            let problem = format!("must be 1 to {MAX_REFERENCES} texts, not {}", document.references.len());
            return Err(wrong("references", problem));
        }
        let reference = |(index, entry): (usize, Entry)| {
            if entry.text.len() > MAX_TEXT {
                let problem = format!("has {} bytes, and {MAX_TEXT} are allowed", entry.text.len());
                return Err(wrong(&format!("references.{index}.text"), problem));
            }
            let vector = vector(&entry.float32_le).filter(|vector| vector.len() == document.dimension);
            let problem = || format!("must be {} numbers, of 8 hexadecimal digits each", document.dimension);
            let vector = vector.ok_or_else(|| wrong(&format!("references.{index}.float32_le"), problem()))?;
            Ok(Reference { text: entry.text, vector })
        };
        Ok(Self {
            probe_set: document.probe_set,
            tolerance: document.tolerance,
            max_tokens: document.max_tokens,
            made_by: document.made_by,
            references: document
                .references
                .into_iter()
                .enumerate()
                .map(reference)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Reads the certificate of the MLflow model in `folder`; none if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::TooLarge`], and as [`parse`](Self::parse).
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(CERTIFICATE_FILE);
        tree::read_small(&path, MAX_FILE)?.map(|bytes| Self::parse(&bytes, &path)).transpose()
    }
}

fn vector(digits: &str) -> Option<Vec<f32>> {
    let bytes = hex::decode(digits)?;
    let (elements, rest) = bytes.as_chunks();
    rest.is_empty().then(|| elements.iter().map(|element| f32::from_le_bytes(*element)).collect())
}
